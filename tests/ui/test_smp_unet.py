"""Every page on the shipped Unet of segmentation_models_pytorch: SE in its encoder, scSE and a dead block."""

from streamlit.testing.v1 import AppTest

from tests.ui.shown import messages

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.{page} import page
sidebar.begin()
page.page()
"""
DEAD = "decoder.blocks.3.attention1.attention"


def opened(page: str, **address: str | list[str]) -> AppTest:
    app = AppTest.from_string(PAGE.format(page=page), default_timeout=120)
    app.query_params.update({"architecture": "SMP Unet", **address})
    app.run()
    assert not app.exception
    assert not app.error
    return app


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.caption, *app.markdown, *app.info, *app.warning))


def test_explore_draws_encoder_and_decoder_and_marks_the_dead_block():
    app = opened("explore", variant="scSE", block=DEAD)
    rows = {row["title"]: row for row in messages(app)[0]["rows"]}
    assert rows[DEAD]["detail"] == "never runs"
    assert len([title for title in rows if title.startswith("encoder.")]) == 6
    assert "This block never runs: no pass through the network reaches it" in said(app)


def test_compare_aligns_its_variants_by_name():
    app = opened("compare", compare_architectures=["SMP Unet"])
    titles = [column["title"] for column in messages(app)[0]["columns"]]
    assert titles == ["none", "scSE"]
    assert "Blocks are aligned by name" in said(app)


def test_history_shows_both_variants_and_says_which_block_never_runs():
    app = opened("understand", variant="scSE", understand="Training history")
    page = next(part.proto.body for part in app.get("html") if "history" in part.proto.body)
    assert "<b>none</b>" in page
    assert "<b>scSE</b>" in page
    assert page.count("(never runs)") == 1
    assert "decoder.3.attention1 (never runs)" in page


def test_lessons_are_of_our_own_blocks():
    app = opened("understand", variant="scSE", understand="Learn", understand_lesson="scSE")
    assert "is of another library; shown is brain-" in said(app)


def test_models_names_its_encoder():
    app = opened("models")
    assert any("encoder tu-regnety_002, widths 200, 80, 40, 16" in element.value for element in app.caption)
