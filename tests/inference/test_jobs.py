"""Whole planes in the background: shared, stopped, gone on with, within memory."""

import gc
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from scse_viz.analysis.gates import named_arrays
from scse_viz.inference import segment_slice
from scse_viz.inference.jobs import Job, Jobs, Ticket
from scse_viz.inference.turns import Pages, Queue
from scse_viz.memory import Store
from scse_viz.scans import ScanError, read_scan, slice_of
from scse_viz.zoo import Window
from tests.cards import TINY
from tests.scan_files import nifti

CARD = replace(TINY, window=Window(0, 100, 1.5), sha256="tiny")


class Gate(nn.Module):
    """A network that answers once the test lets it: `allow` slices, then it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.allow = threading.Semaphore(0)

    def forward(self, x):
        assert self.allow.acquire(timeout=30)
        return torch.cat([0.5 - x, x - 0.5], dim=1)

    def go_on(self, slices):
        for _ in range(slices):
            self.allow.release()


@pytest.fixture
def gate():
    made = Gate()
    yield made
    made.go_on(1000)  # no thread outlives its test


@pytest.fixture(scope="module")
def model():
    return CARD.network(seed=0).eval().requires_grad_(False)


def scan_of(seed=0, shape=(17, 20, 9)):
    voxels = np.random.default_rng(seed).random(shape).astype(np.float32)
    return read_scan(nifti(voxels, np.diag([1, 1.5, 3, 1])), name="scan.nii")


def jobs_of(limit=1 << 30, at_once=1):
    return Jobs(Store(limit), Pages(), Queue(at_once))


def until(fact, seconds=30):
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.005)


def done(job: Job) -> Job:
    until(lambda: not job.under_way)
    return job


@pytest.mark.parametrize("plane", ["sagittal", "coronal", "axial"])
def test_a_job_holds_what_single_slices_give(model, plane):
    scan, ticket = scan_of(), Ticket()
    job = done(jobs_of().start(ticket, scan, CARD, plane, model))
    assert (job.state, job.error, job.ready) == ("finished", None, job.count)
    for index in (0, job.count // 2, job.count - 1):
        single = segment_slice(scan.slice(plane, index), model, CARD)
        np.testing.assert_array_equal(job.labels[index], single.labels)
        assert list(job.gates_of(index)) == list(single.gates)
        wanted = named_arrays(single.gates)
        for name, gate in named_arrays(job.gates_of(index)).items():
            np.testing.assert_allclose(gate, wanted[name], atol=5e-4)
            assert job.means[tuple(name.split("/"))][index] == pytest.approx(wanted[name].mean(), rel=1e-5)
        np.testing.assert_array_equal(slice_of(job.label_volume(), plane, index), single.labels)
    assert job.label_volume().shape == scan.voxels.shape
    assert job.sizes.sum() == scan.voxels.size
    assert job.sizes[:, 1].sum() == np.count_nonzero(job.labels)


def test_the_size_of_a_map_s_pixel_follows_its_stage(model):
    job = done(jobs_of().start(ticket := Ticket(), scan_of(), CARD, "axial", model))  # noqa: F841, held
    # 1.5 mm rows become 30 of 1 mm, padded to 32
    assert job.gates["encoder1"].map_mm == pytest.approx((1.0, 1.0))
    assert job.gates["bottleneck"].map_mm == pytest.approx((16.0, 16.0))


def test_what_is_done_can_be_read_while_the_rest_runs_nearest_first(gate):
    job = jobs_of().start(ticket := Ticket(), scan_of(), CARD, "axial", gate, first=6)  # noqa: F841
    gate.go_on(3)
    until(lambda: job.ready == 3)
    assert np.flatnonzero(job.done).tolist() == [5, 6, 7]
    assert job.state == "running"
    assert job.labels[6].any()


def test_two_who_want_the_same_share_a_job_and_one_who_leaves_does_not_stop_it(gate):
    jobs, scan, one, other = jobs_of(), scan_of(), Ticket(), Ticket()
    job = jobs.start(one, scan, CARD, "axial", gate)
    assert jobs.start(other, scan, CARD, "axial", gate) is job
    gate.go_on(2)
    jobs.leave(one, job)
    assert jobs.wanted(one) == []
    assert jobs.wanted(other) == [job]
    gate.go_on(job.count)
    assert done(job).state == "finished"


def test_a_job_without_clients_stops_and_resumes_from_there(gate):
    jobs, scan, ticket = jobs_of(), scan_of(), Ticket()
    job = jobs.start(ticket, scan, CARD, "axial", gate)
    gate.go_on(2)
    until(lambda: job.ready == 2)
    jobs.leave(ticket, job)
    gate.go_on(1)
    assert done(job).state == "stopped"
    assert job.ready == 3
    kept = job.labels[np.flatnonzero(job.done)].copy()
    before = np.flatnonzero(job.done)
    assert jobs.start(ticket, scan, CARD, "axial", gate) is job
    gate.go_on(job.count - 3)  # not one slice is computed twice
    assert done(job).state == "finished"
    np.testing.assert_array_equal(job.labels[before], kept)


def test_a_ticket_that_is_gone_wants_nothing(gate):
    ticket = Ticket()
    job = jobs_of().start(ticket, scan_of(), CARD, "axial", gate)
    gate.go_on(1)
    until(lambda: job.ready == 1)
    del ticket
    gc.collect()
    gate.go_on(1)
    assert done(job).state == "stopped"


def test_one_job_runs_at_a_time_and_one_left_while_waiting_never_starts(gate):
    jobs, ticket = jobs_of(), Ticket()
    first = jobs.start(ticket, scan_of(0), CARD, "axial", gate)
    second = jobs.start(ticket, scan_of(1), CARD, "axial", gate)
    third = jobs.start(ticket, scan_of(2), CARD, "axial", gate)
    until(lambda: first.state == "running")
    jobs.leave(ticket, second)
    assert done(second).state == "stopped"
    assert third.state == "waiting"
    gate.go_on(first.count + third.count)
    assert done(third).state == "finished"
    assert second.ready == 0


def test_two_run_at_once_and_one_that_waits_knows_how_many_are_ahead(gate):
    jobs, ticket = jobs_of(at_once=2), Ticket()
    first, second, third, fourth = (jobs.start(ticket, scan_of(seed), CARD, "axial", gate) for seed in range(4))
    until(lambda: first.state == second.state == "running")
    assert [jobs.ahead(job) for job in (first, third, fourth)] == [0, 1, 2]
    assert third.state == fourth.state == "waiting"
    jobs.leave(ticket)  # as when a tab is closed
    gate.go_on(2)  # the slices under way, and no more
    assert [done(job).state for job in (first, second, third, fourth)] == ["stopped"] * 4
    assert first.ready + second.ready == 2


def test_results_beyond_the_limit_are_given_up_oldest_first(model):
    scans = [scan_of(seed) for seed in range(3)]
    ticket = Ticket()
    size = done(jobs_of().start(ticket, scans[0], CARD, "axial", model)).nbytes
    jobs = jobs_of(limit=int(2.5 * size))
    for scan in scans[:2]:
        done(jobs.start(ticket, scan, CARD, "axial", model))
    assert jobs.find(scans[0], CARD, "axial") is not None  # looked at: now the second is the oldest
    done(jobs.start(ticket, scans[2], CARD, "axial", model))
    until(lambda: jobs.find(scans[1], CARD, "axial") is None)
    assert jobs.find(scans[0], CARD, "axial") is not None
    assert jobs.find(scans[2], CARD, "axial") is not None


def test_maps_that_would_not_fit_are_refused_in_a_sentence(model):
    job = done(jobs_of(limit=20_000).start(ticket := Ticket(), scan_of(), CARD, "axial", model))  # noqa: F841
    assert job.state == "failed"
    assert isinstance(job.error, ScanError)
    assert str(job.error).startswith("scan.nii: the maps of 9 axial slices take")
    assert job.nbytes == 0


def test_an_error_of_the_network_ends_the_job_is_logged_and_can_be_tried_again(model, caplog):
    class Broken(nn.Module):
        def forward(self, x):
            raise RuntimeError("no such luck")

    jobs, scan, ticket = jobs_of(), scan_of(), Ticket()
    job = done(jobs.start(ticket, scan, CARD, "axial", Broken()))
    assert (job.state, str(job.error)) == ("failed", "no such luck")
    assert job.error.__traceback__ is None
    assert "no such luck" in caplog.text
    assert done(jobs.start(ticket, scan, CARD, "axial", model)) is job
    assert (job.state, job.error) == ("finished", None)


def test_another_plane_or_network_is_another_job(model):
    jobs, scan, ticket = jobs_of(), scan_of(), Ticket()
    job = done(jobs.start(ticket, scan, CARD, "axial", model))
    assert jobs.find(scan, CARD, "axial") is job
    assert jobs.find(scan, CARD, "coronal") is None
    assert jobs.find(scan, replace(CARD, sha256="another"), "axial") is None
    assert jobs.find(scan_of(1), CARD, "axial") is None


def test_closing_stops_what_runs_and_what_waits(gate):
    jobs, ticket = jobs_of(), Ticket()
    running, waiting = (jobs.start(ticket, scan_of(seed), CARD, "axial", gate) for seed in range(2))
    until(lambda: running.state == "running")
    gate.go_on(1)
    closing = threading.Thread(target=jobs.close)
    closing.start()
    gate.go_on(1)
    closing.join(timeout=30)
    assert not closing.is_alive()
    assert (running.state, waiting.state) == ("stopped", "stopped")
    assert running.ready < running.count
