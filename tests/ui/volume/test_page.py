"""The page Volume: what it says and shows before, during and after a run, for one session and for two."""

import io
import json
import re
import threading
import time
from collections.abc import Iterator

import nibabel as nib
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scse_viz import zoo
from scse_viz.inference.jobs import THREAD, Jobs, Ticket
from scse_viz.inference.turns import Pages
from scse_viz.memory import Store
from scse_viz.models import BLOCK_NAMES
from scse_viz.recording.twins import twin
from scse_viz.scans import read_scan
from scse_viz.ui.shell import cached, export
from scse_viz.ui.shell.sidebar import View
from scse_viz.ui.shell.source import Source
from scse_viz.ui.volume import cached as volume_cached
from scse_viz.ui.volume import export as volume_export

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.volume import page as volume
sidebar.begin()
volume.page()
"""


@pytest.fixture(autouse=True)
def jobs(monkeypatch) -> Iterator[Jobs]:
    """Jobs of this test alone."""
    made = Jobs(Store(1 << 30), Pages())
    monkeypatch.setattr(volume_cached, "jobs", lambda: made)
    yield made
    made.close()


@pytest.fixture
def turnstile(jobs, monkeypatch) -> Iterator[threading.Semaphore]:
    """Lets slices of runs through the network, as many as it is released."""
    through, load = threading.Semaphore(0), cached.network

    def guarded(card: zoo.Card):
        model = twin(load(card))
        model.register_forward_pre_hook(wait)
        return model

    def wait(*_):
        if threading.current_thread().name == THREAD:
            assert through.acquire(timeout=60)

    monkeypatch.setattr(cached, "network", guarded)
    yield through
    for _ in range(1000):
        through.release()


def ball(shape=(24, 32, 20), seed=0) -> np.ndarray:
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij"))
    noise = np.random.default_rng(seed).random(shape)
    return 100.0 * (np.linalg.norm(grid, axis=0) < 0.8) + noise


def nifti(voxels: np.ndarray) -> bytes:
    return nib.Nifti1Image(voxels.astype(np.float32), np.diag([1, 1.5, 2, 1])).to_bytes()


def opened(voxels: np.ndarray | None = None, name: str = "ball.nii", **address: str) -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=120)
    app.query_params.update({"scan": "your own file", **address})
    app.run()
    app.file_uploader(key="scan_file").upload(name, nifti(ball() if voxels is None else voxels))
    app.run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    parts = [app.caption, app.info, app.error, app.subheader, app.markdown]
    return "\n".join(element.value for kind in parts for element in kind)


def clicked(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception
    return app


def finished(app: AppTest, jobs: Jobs) -> AppTest:
    """The page once its run has ended."""
    end = time.monotonic() + 60
    while any(job.under_way for job in jobs._store.values()):
        assert time.monotonic() < end
        time.sleep(0.02)
    app.run()
    assert not app.exception
    return app


def charts(app: AppTest) -> list[dict]:
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def layers(app: AppTest) -> list[str]:
    """The kinds of volumes that the viewer was told to draw."""
    sent = [json.loads(part.proto.json) for part in app.get("bidi_component") if part.proto.json]
    viewer = next(message for message in sent if isinstance(message, dict) and "library" in message)
    return [layer["kind"] for layer in viewer["layers"]]


def test_before_a_run_the_page_says_what_a_run_gives_and_shows_the_scan():
    app = opened()
    assert "Run the plane" in texts(app)
    assert app.button(key="volume_start").label == "Run 20 slices"
    assert charts(app) == []
    assert layers(app) == ["scan"]
    assert [(element.key, element.value) for element in app.slider if element.key in ("sagittal", "coronal")] != []


@pytest.mark.parametrize("plane", ["axial", "sagittal"])
def test_a_run_gives_heat_maps_volumes_and_a_map_in_space(jobs, plane):
    app = finished(clicked(opened(plane=plane, block="encoder2"), "volume_start"), jobs)
    count = {"axial": 20, "sagittal": 24}[plane]
    assert f"All {count} {plane} slices are done" in texts(app)
    heat = [trace for trace in charts(app)[0]["data"] if trace["type"] == "heatmap"]
    assert len(heat) == 2  # spatial and channel gates
    assert [trace["y"] for trace in heat] == [list(BLOCK_NAMES)] * 2
    assert layers(app) == ["scan", "map", "labels"]
    assert "The map of encoder2 at" in texts(app)
    table = app.dataframe[0].value
    job = next(iter(jobs._store.values()))
    np.testing.assert_allclose(table["prediction, ml"].sum(), np.count_nonzero(job.labels) * 3 / 1000)
    assert "volume_start" not in [button.key for button in app.button]


def test_slices_that_are_done_are_not_computed_again(jobs, monkeypatch):
    app = finished(clicked(opened(), "volume_start"), jobs)
    monkeypatch.setattr(cached, "panels", lambda *_: pytest.fail("computed again"))
    app.slider(key="axial").set_value(3).run()
    assert not app.exception


def test_a_run_shows_how_far_it_is_and_can_be_stopped_and_gone_on_with(jobs, turnstile):
    app = clicked(opened(ball(seed=1)), "volume_start")
    job = next(iter(jobs._store.values()))
    turnstile.release()
    turnstile.release()
    while job.ready < 2:
        time.sleep(0.01)
    app.run()
    assert re.fullmatch(r"2 of 20 axial slices, about \d+ s to go", app.get("progress")[0].proto.text)
    assert "only 2 of 20 slices" in texts(app)
    clicked(app, "volume_stop")
    turnstile.release()
    finished(app, jobs)
    assert "Stopped: 3 of 20 axial slices are done" in texts(app)
    assert app.button(key="volume_start").label == "Run the other 17"
    assert layers(app) == ["scan", "map", "labels"]
    assert "Only 3 of 20 slices are done" in texts(app)


def test_one_session_that_stops_leaves_the_run_of_another_alone(jobs, turnstile):
    one, other = opened(ball(seed=2)), opened(ball(seed=2))
    clicked(one, "volume_start")
    other.run()
    assert "for another session" in other.get("progress")[0].proto.text
    clicked(other, "volume_start")
    clicked(one, "volume_stop")
    for _ in range(20):
        turnstile.release()
    finished(other, jobs)
    one.run()
    for app in (one, other):
        assert "All 20 axial slices are done" in texts(app)


def test_labels_give_volumes_and_dice_by_structure(jobs):
    app = opened(ball(seed=3))
    app.file_uploader(key="labels_file").upload("labels.nii", nifti(1 * (ball(seed=3) > 50)))
    app.run()
    finished(clicked(app, "volume_start"), jobs)
    table = app.dataframe[1].value
    assert list(table.columns) == ["prediction, ml", "labels, ml", "difference, %", "Dice"]
    assert table.index.tolist() == ["cerebral white matter"]
    assert table["labels, ml"].iloc[0] == pytest.approx(np.count_nonzero(ball(seed=3) > 50) * 3 / 1000)


@pytest.mark.parametrize(
    ("variant", "kinds", "heat_maps"),
    [("none", ["scan", "map", "labels"], 1), ("cSE", ["scan", "labels"], 1), ("sSE", ["scan", "map", "labels"], 1)],
)
def test_a_network_shows_the_gates_that_it_has(jobs, variant, kinds, heat_maps):
    app = finished(clicked(opened(ball(seed=4), variant=variant), "volume_start"), jobs)
    assert layers(app) == kinds
    heat = [trace for trace in charts(app)[0]["data"] if trace["type"] == "heatmap"]
    assert len(heat) == heat_maps
    assert ("has no map in this network" in texts(app)) == (variant == "cSE")


def test_maps_that_do_not_fit_are_refused_and_the_view_stays(jobs):
    jobs._store.limit = 1000
    app = finished(clicked(opened(ball(seed=5)), "volume_start"), jobs)
    assert r"ball.nii\: the maps of 20 axial slices take" in app.error[0].value
    assert app.button(key="volume_start").label == "Run 20 slices"
    assert layers(app) == ["scan"]


def test_a_single_slice_has_nothing_to_scrub():
    stream = io.BytesIO()
    np.save(stream, ball()[:, :, 10])
    app = AppTest.from_string(PAGE, default_timeout=120)
    app.query_params.update({"scan": "your own file"})
    app.run()
    app.file_uploader(key="scan_file").upload("flat.npy", stream.getvalue())
    app.run()
    assert not app.exception
    assert "single slice" in texts(app)
    assert "volume_start" not in [button.key for button in app.button]


def test_the_address_restores_the_crosshair_and_says_what_it_cannot_use():
    app = opened(plane="axial", axial="4", sagittal="9", coronal="30", volume_number="nothing")
    assert [app.slider(key=plane).value for plane in ("axial", "sagittal", "coronal")] == [4, 9, 30]


def test_the_code_that_is_offered_writes_the_map_of_every_slice(jobs, tmp_path, monkeypatch):
    content = nifti(ball(seed=7))
    app = finished(clicked(opened(ball(seed=7), block="encoder3"), "volume_start"), jobs)
    app.session_state["export"] = True
    assert not app.run().exception
    (tmp_path / "ball.nii").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    exec(compile(app.code[-1].value, "exported", "exec"), {})
    job = next(iter(jobs._store.values()))
    written = nib.load(tmp_path / "gate.nii.gz")
    np.testing.assert_allclose(written.affine, np.diag([1, 1.5, 2, 1]))
    view = View(Source(read_scan(content, name="ball.nii")), "axial", 0, {})
    np.testing.assert_allclose(written.get_fdata(), volume_export.map_volume(view, job, "encoder3"), atol=5e-4)


def test_of_a_run_that_was_stopped_the_other_slices_are_nan_and_the_report_leaves_them_out(jobs):
    scan = read_scan(nifti(ball(seed=8)), name="ball.nii")
    card = next(card for card in zoo.cards().values() if card.name == "brain-unet-sse")
    job = jobs.start(ticket := Ticket(), scan, card, "axial", cached.network(card))
    job.thread.join()
    job.done[5:] = False
    view = View(Source(scan), "axial", 10, {card.name: card})
    maps = {
        "prediction": job.label_volume,
        "map": lambda: volume_export.map_volume(view, job, "decoder1"),
    }
    exported = volume_export.OnRequest(maps)["map"]
    assert np.isfinite(exported[:, :, :5]).all()
    assert np.isnan(exported[:, :, 5:]).all()
    report = export.build_report(
        view, export.ExportContents("volume", [card], maps=volume_export.OnRequest(maps)), ""
    ).decode()
    assert report.count("<figcaption>") == 2  # the slice, and the prediction over it
    assert ticket in job.wanted_by
