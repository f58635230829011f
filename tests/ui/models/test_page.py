"""The page Models: every card is there with its figures, and opens in Explore."""

from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from scse_viz import zoo
from scse_viz.ui.models.page import dice_by_sample, overview
from tests.cards import TINY

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.models import page as models
sidebar.begin()
models.page()
"""
PAPER = ("none", "cse", "sse", "scse")


def opened() -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=120).run()
    assert not app.exception
    return app


def test_every_network_is_in_the_table():
    table = opened().dataframe[0].value
    assert table["network"].tolist() == list(zoo.cards())


def test_what_a_block_adds_is_counted_against_the_plain_network():
    plain = replace(TINY, name="plain", variant="none", parameters=200)
    other = replace(TINY, name="other", architecture="sdnet", parameters=300)
    costs = {"both": (3_300_000, (48, 64)), "plain": (3_000_000, (48, 64)), "other": (5_000_000, (256, 256))}
    table = overview([replace(TINY, name="both", parameters=250), plain, other], costs).set_index("network")
    assert table["added"].tolist() == pytest.approx([25, 0, np.nan], nan_ok=True)
    assert table["more"].tolist() == pytest.approx([10, 0, np.nan], nan_ok=True)
    assert table["multiply-adds"].tolist() == [3.3, 3, 5]
    assert table["pixels"].tolist() == ["48 × 64", "48 × 64", "256 × 256"]


def test_dice_of_a_card_is_the_mean_over_its_planes():
    by_plane = {
        "axial": {"thalamus": 0.9, "cortex": 0.5},
        "coronal": {"thalamus": 0.6, "cortex": 0.5},
        "sagittal": {"thalamus": 0.3, "cortex": 0.2},
    }
    card = replace(
        TINY, figures={"dice": {"colin27": by_plane, "synthetic": {"axial": {"thalamus": 0.75}}, "none": {}}}
    )
    table = dice_by_sample(card)
    assert table.index.name == "structure"
    assert list(table.columns) == ["colin27", "synthetic"]
    assert table.loc["thalamus"].tolist() == [0.6, 0.75]
    assert table.loc["cortex", "colin27"] == 0.4
    assert dice_by_sample(replace(TINY, figures=None)).empty


def test_every_network_of_the_anatomy_has_a_button_to_open_it():
    app = opened()
    paper = [f"brain-{name}-{variant}" for name in ("unet", "sdnet", "densenet") for variant in PAPER]
    assert opening(app) == [*paper, "brain-smp-unet-none", "brain-smp-unet-scse"]
    app.selectbox(key="anatomy").set_value("malc").run()
    assert not app.exception
    assert opening(app) == [f"malc-unet-{variant}" for variant in PAPER]


def opening(app: AppTest) -> list[str]:
    """The networks whose buttons are shown, in their order."""
    return [button.key.removeprefix("open_") for button in app.button if button.key.startswith("open_")]
