"""The page Models: every card is there with its figures, and opens in Explore."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from scse_viz import zoo
from scse_viz.ui.models.page import dice_by_sample, overview

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.models import page as models
sidebar.begin()
models.page()
"""


def opened() -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=120).run()
    assert not app.exception
    return app


def test_every_network_is_in_the_table():
    table = opened().dataframe[0].value
    assert table["network"].tolist() == list(zoo.cards())


def test_what_a_block_adds_is_counted_against_the_plain_network():
    table = overview(list(zoo.cards().values())).set_index("network")
    plain, both = (zoo.read_card(f"brain-unet-{variant}").parameters for variant in ("none", "scse"))
    assert table.loc["brain-unet-none", "added"] == 0
    assert table.loc["brain-unet-scse", "added"] == pytest.approx(100 * (both - plain) / plain)


def test_dice_of_a_card_is_the_mean_over_its_planes():
    card = zoo.read_card("brain-unet-sse")
    by_plane = json.loads(json.dumps(card.figures))["dice"]["colin27"]
    expected = sum(scores["thalamus"] for scores in by_plane.values()) / len(by_plane)
    assert dice_by_sample(card).loc["thalamus", "colin27"] == pytest.approx(expected, abs=5e-4)


def test_every_card_of_the_anatomy_has_a_button_to_open_it():
    app = opened()
    shown = {button.key.removeprefix("open_") for button in app.button}
    assert shown == {name for name, card in zoo.cards().items() if card.anatomy == app.selectbox(key="anatomy").value}
