"""The table of the address holds what pages bind and put, and what a link cannot give is named."""

import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scse_viz import ui
from scse_viz.inference.jobs import Jobs
from scse_viz.inference.turns import Pages
from scse_viz.memory import Store
from scse_viz.scans.samples import samples
from scse_viz.ui.cohort.page import VARIABLE
from scse_viz.ui.shell.address import KEYS, PanelDisplay, read_display
from scse_viz.ui.volume import cached as volume_cached
from tests.cohort.conftest import table, tiny_zoo  # noqa: F401 - fixtures
from tests.ui.cohort.test_page import results  # noqa: F401 - a fixture
from tests.ui.shown import bound_keys

UI = Path(ui.__file__).parent
PAGE = """
from scse_viz.ui.shell import navigation, sidebar
sidebar.begin()
navigation._module("{name}").page()
"""
PUT = """
from scse_viz.ui.shell import address
address.begin()
address.write_display({"opacity": 40, "zoom": 1, "centre": [80, 91.5]})
address.put("volume_display", "all,100,60,0,0,1,1,1")
"""
OWN = "your own file"
LABELLED = next(sample.short for sample in samples().values() if sample.anatomy == "hippocampus")
VIEWS = (
    ("compare", {}),
    *(
        ("compare", {"compare_second": "true", "compare_scan": OWN, "compare_part": "Predictions", "plane": plane})
        for plane in ("sagittal", "coronal", "axial")
    ),
    ("compare", {"compare_part": "Gates"}),
    ("compare", {"compare_part": "Channel weights"}),
    ("explore", {"variant": "scSE"}),
    ("intervene", {"variant": "scSE", "intervene_channels": "true", "block": "encoder1"}),
    ("volume", {"variant": "scSE"}),
    *(
        ("understand", {"understand": part})
        for part in ("By structure", "Attention and error", "Gate health", "Training history", "Learn")
    ),
    ("understand", {"understand": "Learn", "understand_lesson": "The paper and ours"}),
    ("understand", {"understand": "Learn", "understand_lesson": "Relatives"}),
    ("understand", {"understand": "Attention and error", "variant": "sSE", "scan": LABELLED}),
    ("understand", {"understand": "Can the map be believed?", "anatomy": "brain", "scan": "ICBM 2009a"}),
    ("compare", {"anatomy": "brain", "compare_architectures": ["U-Net", "SMP Unet"], "variants": ["scSE"]}),
    ("intervene", {"anatomy": "brain", "architecture": "SMP Unet", "variant": "scSE"}),
    ("models", {}),
    ("cohort", {}),
)
BINDS, PUTS = r'key=("\w+"|[A-Z_]+),\s*bind="query-params"', r"\baddress\.put\(([^,]+),"
"""Where the source names the key of a widget of the address, if it is a constant, and of what else is put there."""


@pytest.fixture(scope="module")
def bound(results: Path) -> set[str]:  # noqa: F811
    """The keys of all widgets, on all pages, whose value the address holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(results))
        apps = [*(opened(name, address) for name, address in VIEWS), opened_after_a_run(patch)]
    return {key for app in apps for key in bound_keys(app)}


def opened(name: str, address: dict[str, str | list[str]]) -> AppTest:
    app = AppTest.from_string(PAGE.format(name=name), default_timeout=120)
    app.query_params.update({"anatomy": "hippocampus", "scan": OWN, **address})
    app.run()
    volumes = nib.Nifti1Image(np.random.default_rng(0).random((30, 40, 30, 2)).astype(np.float32), np.eye(4))
    scans = [scan_uploader for scan_uploader in app.file_uploader if scan_uploader.key != "network_files"]
    for uploader in scans if app.selectbox(key="scan").value == OWN else ():
        uploader.upload("two-volumes.nii", volumes.to_bytes())
    app.run()
    assert not app.exception
    return app


def opened_after_a_run(patch: pytest.MonkeyPatch) -> AppTest:
    """Volume once all slices are done."""
    jobs = Jobs(Store(10**9), Pages())
    patch.setattr(volume_cached, "jobs", lambda: jobs)
    app = opened("volume", {})
    app.button(key="volume_start").click().run()
    for job in jobs._store.values():
        job.thread.join()
    app.run()
    assert not app.exception
    return app


def named(pattern: str) -> set[str]:
    """The keys that the source of the pages names at a pattern."""
    found = set()
    for path in UI.rglob("*.py"):
        names = re.findall(pattern, path.read_text(encoding="utf-8"))
        module = ".".join(["scse_viz.ui", *path.relative_to(UI).with_suffix("").parts])
        found |= {eval(name, vars(import_module(module))) for name in names}
    return found


def test_the_keys_of_the_address_are_those_that_pages_bind_or_put(bound: set[str]) -> None:
    put = named(PUTS) | {field.name for field in fields(PanelDisplay)}
    assert bound | put == set(KEYS)
    assert bound & put == set()


def test_every_widget_whose_key_the_source_names_is_drawn_in_these_views(bound: set[str]) -> None:
    assert named(BINDS) - bound == set()


@pytest.mark.parametrize("key", [field.name for field in fields(PanelDisplay)])
def test_a_damaged_value_of_the_display_is_lost_and_its_default_replaces_it(key: str) -> None:
    assert read_display({key: "nonsense"}) == (PanelDisplay(), [key])


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("explore", "opacity", "101"),
        ("explore", "point", "9999,0"),
        ("volume", "volume_display", "4d,100,60,0,0,1,1,1"),
        ("intervene", "intervene", "encoder9:off"),
    ],
)
def test_a_damaged_value_that_belongs_to_no_widget_is_named_in_words(name: str, key: str, value: str) -> None:
    said = f"This link has values that cannot be used; defaults replace them: {key} ({KEYS[key].holds})."
    assert said in [caption.value for caption in opened(name, {key: value}).caption]


def test_a_value_is_put_into_the_address_unless_it_is_the_default() -> None:
    app = AppTest.from_string(PUT, default_timeout=120)
    app.query_params.update({"zoom": "2", "volume_display": "3d,100,60,0,0,1,1,1"})
    app.run()
    assert not app.exception
    assert app.query_params == {"opacity": "40", "centre": "80,91.5"}
