"""The address and the widgets of all pages know each other."""

import nibabel as nib
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scse_viz.scans.samples import samples
from scse_viz.ui.shell.address import WIDGETS
from tests.ui.shown import bound_keys

PAGE = """
from scse_viz.ui.shell import navigation, sidebar
sidebar.begin()
navigation._module("{name}").page()
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
    ("models", {}),
)
RUN = ("volume_number",)
"""Widgets that are drawn when a run of the volume has results; they are opened in tests/ui/volume."""
RELATIVE = ("relative", "relatives")
"""Widgets that are drawn where the anatomy has networks of relatives; they are opened in tests/ui/test_relatives.py."""

FOREIGN = ("compare_align", "intervene_stage")
"""Widgets that are drawn for networks of other libraries; they are opened in tests/ui/test_foreign_networks.py."""
COHORT = tuple(key for key in WIDGETS if key.startswith("cohort"))
"""Widgets that are drawn for results of a cohort; tests/ui/cohort compares them with the page."""


@pytest.fixture(scope="module")
def bound() -> set[str]:
    """The keys of all widgets, on all pages, whose value the address holds."""
    return {key for name, address in VIEWS for key in bound_keys(opened(name, address))}


def opened(name: str, address: dict[str, str]) -> AppTest:
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


def test_the_address_declares_every_widget_that_is_bound_to_it(bound: set[str]) -> None:
    assert bound - set(WIDGETS) == set()


def test_every_declared_widget_is_drawn_somewhere(bound: set[str]) -> None:
    assert set(WIDGETS) - bound - {*RELATIVE, *FOREIGN, *COHORT} == set(RUN)
