"""Every page on networks of 3 and of 12 blocks that are not called as ours: none assumes which blocks there are."""

from dataclasses import replace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from scse_viz import zoo
from scse_viz.inference.jobs import Jobs
from scse_viz.inference.turns import Pages
from scse_viz.memory import Store
from scse_viz.stages import short_names
from scse_viz.ui.shell import cached, export
from scse_viz.ui.volume import cached as volume_cached
from scse_viz.zoo import Card
from scse_viz.zoo.structures import BRAIN
from tests.cards import TINY
from tests.stacks import SCALES, Stack, block_table
from tests.ui.shown import figures, messages, noise, opened_on

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.{page} import page
sidebar.begin()
page.page()
"""
VARIANTS = ("cse", "sse", "scse")


@pytest.fixture(params=SCALES)
def blocks(request, monkeypatch) -> list[str]:
    """The names of the blocks of the networks that the pages find."""
    table = block_table(request.param)
    cards = {
        variant: replace(
            TINY, name=variant, variant=variant, anatomy="brain", structures=BRAIN, sha256=f"{variant} {len(table)}"
        )
        for variant in VARIANTS
    }
    models = {variant: Stack(table, variant, classes=len(BRAIN)).eval() for variant in VARIANTS}
    monkeypatch.setattr(Card, "block_table", table)
    monkeypatch.setattr(cached, "cards", lambda: cards)
    monkeypatch.setattr(zoo, "load", models.__getitem__)
    st.cache_data.clear()
    return [block.name for block in table]


@pytest.fixture
def exported(monkeypatch) -> list[export.ExportContents]:
    """What pages offer to export."""
    kept: list[export.ExportContents] = []
    monkeypatch.setattr(export, "offer", lambda view, contents: kept.append(contents))
    return kept


def opened(page: str, **address: str | list[str]) -> AppTest:
    return opened_on(noise(21, 26, 5), PAGE.format(page=page), **address)


def test_explore_draws_every_block_and_opens_the_last(blocks, exported):
    app = opened("explore", variant="scSE", block=blocks[-1])
    network, panels = messages(app)
    assert [row["title"] for row in network["rows"]] == ["prediction", *blocks]
    assert network["selected"] == blocks[-1]
    assert panels["columns"][0]["title"] == f"{blocks[-1]}: spatial gate"
    assert app.number_input(key="explore_channel").max == 4 + len(blocks) - 1 - 1
    assert exported[-1].tables["profile"].index.tolist() == blocks


def test_a_block_of_another_network_in_the_address_is_replaced(blocks, exported):
    app = opened("explore", variant="scSE", block="bottleneck")
    assert app.selectbox(key="block").value == blocks[2 if len(blocks) == 12 else 1]  # the first at 1/2, or the second


def test_compare_has_a_row_for_every_block(blocks, exported):
    app = opened("compare")
    assert [row["title"] for row in messages(app)[0]["rows"]] == ["prediction", "disagreement", *blocks]
    app = opened("compare", compare_part="Gates")
    assert exported[-1].tables["mean spatial gate"].index.tolist() == blocks
    app = opened("compare", compare_part="Channel weights", channels=blocks[-1])
    assert len(figures(app)["channel_bars"]["data"]) == 2  # cSE and scSE


def test_intervene_reads_a_plan_against_the_blocks_of_the_network(blocks, exported):
    app = opened("intervene", variant="scSE", intervene=f"{blocks[0]}:off,{blocks[-1]}:invert,encoder1:off")
    assert app.query_params["intervene"] == f"{blocks[0]}:off,{blocks[-1]}:invert"
    assert app.selectbox(key=f"intervene_{blocks[-1]}").value == "invert"
    app.toggle(key="intervene_sweep").set_value(True).run()
    assert not app.exception
    assert sorted(exported[-1].tables["effect of each block"].index) == sorted(blocks)


def test_intervene_changes_a_gate_inside_a_structure(blocks, exported):
    app = opened("intervene", variant="scSE")
    middle = blocks[1]
    app.selectbox(key=f"intervene_{middle}").set_value("open").run()
    assert not app.exception
    assert f"after/{middle}/spatial_gate" in exported[-1].arrays


def test_volume_runs_every_block_through_a_plane(blocks, exported, monkeypatch):
    jobs = Jobs(Store(1 << 30), Pages())
    monkeypatch.setattr(volume_cached, "jobs", lambda: jobs)
    app = opened("volume", variant="scSE", block=blocks[-1])
    app.button(key="volume_start").click().run()
    assert not app.exception
    jobs.find(app.session_state["view"].scan, cached.cards()["scse"], "axial").thread.join()
    app.run()
    assert not app.exception
    assert figures(app)["volume_heat_map"]["data"][0]["y"] == blocks
    assert {f"{block}/spatial_gate" for block in blocks} <= set(exported[-1].arrays)
    jobs.close()


def test_understand_averages_gates_of_every_block(blocks, exported):
    app = opened("understand", variant="scSE")
    assert figures(app)["understand_gates"]["data"][0]["x"] == list(short_names(blocks).values())
    opened("understand", variant="scSE", understand="Attention and error", block=blocks[-1])
    assert exported[-1].code


def test_learn_explains_a_block_of_the_network(blocks, exported):
    app = opened("understand", variant="scSE", understand="Learn", block=blocks[-1])
    assert blocks[-1] in "\n".join(element.value for element in app.caption)
