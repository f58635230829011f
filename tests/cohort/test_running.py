"""Runs on Dask: rows for all, none twice, going on after a stop, and a worker that is killed in mid-run."""

import os
import signal
import threading
import time
from dataclasses import replace
from shutil import copyfile
from urllib.request import urlopen

import pandas as pd
import pytest

from scse_viz import __version__, cli
from scse_viz.cohort import Entry, ScanTask, find_entries, gather, read_cohort
from scse_viz.cohort.running import PARTS, connected, run
from tests.cohort.conftest import SCANS

pytestmark = pytest.mark.filterwarnings("default")  # of Dask and tornado, when workers die


@pytest.fixture(scope="module")
def client():
    with connected(None, 2, "2GiB") as connection:
        yield connection


@pytest.fixture
def tasks(tiny_zoo, table):
    folder, card = tiny_zoo
    return [
        ScanTask(entry, card.name, folder, card.sha256, slices=slices)
        for entry in find_entries([str(table)])
        for slices in (None, 2, 3)
    ]


def test_every_scan_has_its_row_and_the_same_command_resumes_where_it_stopped(client, tasks, tmp_path):
    first = run(tasks[:4], tmp_path, client)
    seen = []
    second = run(tasks, tmp_path, client, lambda done, total: seen.append((done, total)))
    assert (first.before, first.done, second.before, second.done) == (0, 4, 4, len(tasks) - 4)
    assert seen[0] == (4, len(tasks))
    assert seen[-1] == (len(tasks), len(tasks))

    summary = gather(tmp_path, [task.key for task in tasks])
    cohort = read_cohort(tmp_path)
    assert cohort.scans["key"].tolist() == [task.key for task in tasks]
    assert summary == cohort.summary
    assert (summary["read"], summary["refused"], summary["failed"]) == (3 * SCANS - 3, 3, 0)
    assert cohort.facts == ["group", "age"]
    assert cohort.scans["fact.age"].dtype.kind in "if"
    assert pd.read_csv(tmp_path / "refused.csv")["error"].str.startswith("scan4.nii: ").all()


def test_a_worker_killed_in_mid_run_loses_nothing_and_nothing_is_there_twice(client, tasks, tmp_path):
    address, victim = next(iter(client.run(os.getpid).items()))
    done_at_kill = []

    def kill():
        while not (any((tmp_path / PARTS).glob("*.json")) and client.processing()[address]):
            time.sleep(0.01)
        os.kill(victim, signal.SIGKILL)
        done_at_kill.append(len(list((tmp_path / PARTS).glob("*.json"))))

    killer = threading.Thread(target=kill)
    (tmp_path / PARTS).mkdir()
    killer.start()
    seen = []
    outcome = run(tasks, tmp_path, client, lambda done, _: seen.append(done))
    killer.join()
    assert 0 < done_at_kill[0] < len(tasks)
    assert outcome.failed == []
    assert seen == list(range(len(tasks) + 1))
    gather(tmp_path, [task.key for task in tasks])
    assert sorted(read_cohort(tmp_path).scans["key"]) == sorted(task.key for task in tasks)
    assert victim not in client.run(os.getpid).values()


def test_networks_that_fail_on_one_scan_are_counted_and_named_each(client, tasks, tmp_path):
    of_another_version = [replace(tasks[0], model=name) for name in ("first", "second")]
    for task in of_another_version:
        object.__setattr__(task, "version", "0.0")
    outcome = run([tasks[0], *of_another_version], tmp_path, client)
    assert (outcome.done, len(outcome.failed)) == (1, 2)
    summary = gather(tmp_path, [task.key for task in [tasks[0], *of_another_version]], outcome.failed)
    assert [summary[count] for count in ("tasks", "read", "refused", "failed")] == [3, 1, 0, 2]
    failed = pd.read_csv(tmp_path / "refused.csv")
    assert sorted(failed["model"]) == ["first", "second"]
    wanted = f"scan0.nii: scse-viz {__version__} on the worker and 0.0 on the client; install the same on both"
    assert set(failed["error"]) == {wanted}


def test_a_scan_that_changed_after_the_client_saw_it_is_failed_and_runs_again(client, tasks, table, tmp_path):
    scan = tmp_path / "scan.nii"
    copyfile(tasks[0].entry.path, scan)
    old = replace(tasks[0], entry=Entry(scan))
    copyfile(table.with_name("labels0.nii"), scan)
    outcome = run([old], tmp_path / "out", client)
    assert outcome.failed[0].error.startswith(f"{scan}: another size or time than on the client")
    assert gather(tmp_path / "out", [old.key], outcome.failed)["failed"] == 1
    new = replace(old)
    assert (run([new], tmp_path / "out", client).done, run([new], tmp_path / "out", client).before) == (1, 1)


def test_the_command_writes_the_tables_on_a_scheduler_by_its_address(client, tiny_zoo, table, tmp_path, capsys):
    folder, card = tiny_zoo
    words = ["--models", str(folder), "--slices", "2", "--scheduler", client.scheduler.address]
    assert cli.main(["cohort", str(table), "--model", card.name, "--out", str(tmp_path / "out"), *words]) == 0
    assert capsys.readouterr().out == f"4 read, 1 refused, 0 failed; {tmp_path / 'out'}\n"
    assert len(read_cohort(tmp_path / "out").scans) == SCANS


def test_dasks_dashboard_is_served(client):
    with urlopen(client.dashboard_link, timeout=60) as answer:
        assert b"root.Bokeh.embed" in answer.read()  # without bokeh, a page asks for it


def test_a_scheduler_that_is_not_there_is_a_sentence(tiny_zoo, table, tmp_path, capsys):
    folder, card = tiny_zoo
    words = ["--models", str(folder), "--scheduler", "nonsense"]
    assert cli.main(["cohort", str(table), "--model", card.name, "--out", str(tmp_path), *words]) == 2
    assert "no Dask scheduler answers there" in capsys.readouterr().err
