"""Understand, gate health: a verdict on every gate of a network on the scan of the sidebar."""

import numpy as np
from streamlit.testing.v1 import AppTest

from scse_viz.scans.samples import samples

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.understand import page
sidebar.begin()
page.page()
"""
LABELLED = next(sample for sample in samples().values() if sample.anatomy == "hippocampus")


def opened(**address: str) -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=120)
    app.query_params.update({"understand": "Gate health", "anatomy": "hippocampus", "scan": LABELLED.short, **address})
    app.run()
    assert not app.exception
    return app


def test_every_gate_has_a_row_with_its_verdict_and_the_dice_that_it_is_worth():
    table = opened(variant="scSE").dataframe[0].value
    assert table.index.get_level_values("gate").value_counts().to_dict() == {"channel gate": 9, "spatial gate": 9}
    assert set(table["verdict"]) <= {"no effect", "constant", "fixed", "saturated", "active"}
    assert np.isfinite(table["Dice lost without it"]).all()
    assert table["pixels changed without it"].between(0, 1).all()


def test_the_drawn_network_names_the_convention():
    for convention, side in (("neurological", "left"), ("radiological", "right")):
        app = opened(variant="sSE", plane="coronal", convention=convention)
        assert f"{convention}: {side} is drawn left" in [caption.value for caption in app.caption]


def test_a_variant_has_rows_for_the_gates_that_it_has_and_none_says_so():
    assert set(opened(variant="cSE").dataframe[0].value.index.get_level_values("gate")) == {"channel gate"}
    assert "has no gates" in opened(variant="none").info[0].value
