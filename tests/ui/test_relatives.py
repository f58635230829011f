"""The relatives on the pages: the toggle in two groups, and where the pixels of a non-local network look."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from scse_viz import report, zoo
from scse_viz.blocks import RELATIVES, variant_gates
from scse_viz.intervention import Change, Invert, Mean
from scse_viz.models import BLOCK_NAMES
from scse_viz.ui.intervene.plan import Manner, Setting, change_of
from scse_viz.ui.shell import cached, export
from scse_viz.zoo.titles import variant_title
from tests.ui.shown import messages

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.{page} import page
sidebar.begin()
page.page()
"""
PAPER = ["none", "cSE", "sSE", "scSE"]


@pytest.fixture(scope="session")
def networks():
    """A small network of every relative for the hippocampus, with fresh weights."""
    like = zoo.read_card("hippocampus-unet-scse")
    models, cards = {}, {}
    for variant in RELATIVES:
        name = f"hippocampus-unet-{variant}"
        cards[name] = replace(like, name=name, variant=variant, widths=(8, 8, 8, 8, 8), sha256=variant)
        models[name] = cards[name].network(seed=0).eval()
        for key, value in models[name].named_parameters():
            if key.endswith(".scale"):
                torch.nn.init.constant_(value, 0.5)
            if key.endswith("query.weight"):
                value.data.mul_(30)  # fresh ones look at all pixels nearly alike
    return models, cards


@pytest.fixture(autouse=True)
def offered(networks, monkeypatch):
    """The app offers these networks beside those of the paper."""
    models, cards = networks
    shipped = {name: card for name, card in zoo.cards().items() if card.variant not in RELATIVES}
    load = zoo.load
    monkeypatch.setattr(cached, "cards", lambda: {**shipped, **cards})
    monkeypatch.setattr(zoo, "load", lambda name: models[name] if name in models else load(name))


def opened(page: str, **address: str | list[str]) -> AppTest:
    app = AppTest.from_string(PAGE.format(page=page), default_timeout=120)
    app.query_params.update({"anatomy": "hippocampus", "plane": "sagittal", "sagittal": "17", **address})
    app.run()
    assert not app.exception
    assert not app.error
    return app


def chosen(app: AppTest, key: str) -> list[str] | str | None:
    return app.button_group(key=key).value


def cells(app: AppTest, block: str) -> list[dict]:
    """The panels of a block, as they were sent to the browser."""
    return next(row["cells"] for row in messages(app)[-1]["rows"] if row["title"] == block)


def test_a_relative_takes_the_place_of_a_variant_and_the_reverse():
    app = opened("explore")
    assert (chosen(app, "variant"), chosen(app, "relative")) == ("scSE", None)
    app.button_group(key="relative").set_value("ECA").run()
    assert (chosen(app, "variant"), chosen(app, "relative")) == (None, "ECA")
    assert any("hippocampus-unet-eca" in element.value for element in app.caption)
    app.button_group(key="variant").set_value("none").run()
    assert (chosen(app, "variant"), chosen(app, "relative")) == ("none", None)
    assert not app.exception


def test_a_link_restores_a_relative_and_an_anatomy_without_it_shows_none():
    app = opened("explore", relative="SOCA")
    assert (chosen(app, "variant"), chosen(app, "relative")) == (None, "SOCA")
    app.selectbox(key="anatomy").set_value("brain").run()
    assert not app.exception
    assert chosen(app, "variant") == "scSE"
    assert "relative" not in {group.key for group in app.button_group}


def test_compare_groups_the_paper_and_its_relatives_and_draws_both():
    app = opened("compare", variants=["none", "scSE"], relatives=["PE", "AG on skips"])
    assert (chosen(app, "variants"), chosen(app, "relatives")) == (["none", "scSE"], ["PE", "AG on skips"])
    assert [cell["kind"] for cell in cells(app, "encoder1")] == ["activation", "gate", "gate", "gate"]
    assert [cell["kind"] for cell in cells(app, "decoder1")] == ["activation", "gate", "gate", "activation"]


def test_a_first_visit_compares_the_four_of_the_paper():
    app = opened("compare")
    assert (chosen(app, "variants"), chosen(app, "relatives")) == (PAPER, [])
    offered = app.button_group(key="relatives").options
    assert list(offered) == [variant_title(variant) for variant in RELATIVES]


def test_a_picked_pixel_of_a_non_local_network_is_followed_to_where_it_looks():
    app = opened("compare", variants=["none"], relatives=["non-local"])
    before = cells(app, "encoder2")[1]
    assert before["kind"] == "attention"
    assert "how much each pixel is looked at" in before["alt"]
    app = opened("compare", variants=["none"], relatives=["non-local"], point="20,25")
    after = cells(app, "encoder2")[1]
    assert "where row 20, column 25 looks" in after["alt"]
    assert after["picture"] != before["picture"]
    app.button(key="panels_forget").click().run()
    assert not app.exception
    assert cells(app, "encoder2")[1]["picture"] == before["picture"]


def test_explore_draws_where_the_pixel_looks_beside_how_much_pixels_are_looked_at():
    app = opened("explore", relative="non-local", block="encoder2", point="20,25")
    looks, received = cells(app, "encoder2")[:2]
    assert (looks["kind"], received["kind"]) == ("attention", "attention")
    assert "where row 20, column 25 looks" in looks["alt"]
    other = opened("explore", relative="non-local", block="encoder2", point="30,12")
    assert cells(other, "encoder2")[0]["picture"] != looks["picture"]
    assert cells(other, "encoder2")[1]["picture"] == received["picture"]


@pytest.mark.parametrize("page", ["explore", "intervene", "understand", "volume"])
@pytest.mark.parametrize("variant", [*RELATIVES])
def test_every_page_shows_every_relative(page, variant):
    app = opened(page, relative=variant_title(variant))
    assert chosen(app, "relative") == variant_title(variant)
    said = " ".join(part.value for kind in (app.markdown, app.caption) for part in kind).encode()
    drawn = b" ".join(part.proto.bytes for part in app.get("bidi_component"))
    assert f"hippocampus-unet-{variant}".encode() in said + drawn


def test_a_non_local_block_is_switched_off_averaged_or_scaled_and_no_more():
    app = opened("intervene", relative="non-local", intervene="encoder2:off,encoder3:mean,decoder1:invert")
    strip = app.selectbox(key="intervene_encoder2")
    assert strip.options == ["as it is", "off", "mean", "strength"]
    assert "it adds nothing" in strip.help
    assert "encoder2 off" in "\n".join(element.value for element in app.markdown)


def test_what_an_action_means_for_every_relative():
    manner = Manner()
    assert change_of(Setting("off"), manner, ["attention"]) == Change(strength=0)
    assert change_of(Setting("mean"), manner, ["attention"]) == Change(attention=Mean())
    assert change_of(Setting("shuffle"), manner, ["attention"]) == Change()
    assert change_of(Setting("strength", 0.5), manner, ["attention"]) == Change(strength=0.5)
    assert change_of(Setting("invert"), manner, ["full_gate"]) == Change(full_gate=Invert())
    assert change_of(Setting("off"), manner, ["full_gate"]) == Change(strength=0)


@pytest.mark.parametrize("variant", RELATIVES)
def test_every_relative_has_a_lesson_with_the_numbers_of_a_network(variant):
    title = variant_title(variant)
    app = opened("understand", understand="Learn", understand_lesson="Relatives", understand_relatives=title)
    text = "\n".join(element.value for element in app.markdown)
    for part in ("Squeezed:", "Excited:", "Unlike its neighbour:", "parameters and"):
        assert part in text
    assert any(f"of hippocampus-unet-{variant} on" in element.value for element in app.caption)
    assert f'class="here" aria-current="true">{title}' in "\n".join(element.proto.body for element in app.get("html"))


def test_a_relative_without_a_trained_network_is_told_without_numbers():
    app = opened("understand", anatomy="brain", understand="Learn", understand_lesson="Relatives")
    assert "no trained network of this architecture has" in app.info[0].value.lower()
    assert "fresh weights would say nothing" in app.info[0].value
    assert not any("Live:" in element.value for element in app.caption)


@pytest.mark.parametrize("variant", RELATIVES)
def test_export_and_report_of_every_relative(variant, monkeypatch):
    kept = []
    monkeypatch.setattr(export, "offer", lambda view, contents: kept.append((view, contents)))
    opened("explore", relative=variant_title(variant), block="encoder2")
    (view, contents) = kept[-1]
    with np.load(io.BytesIO(report.npz(contents.arrays))) as arrays:
        kinds = {name.partition("/")[2] for name in arrays.files if name.startswith("encoder2/")}
    assert kinds >= {f"{gate}" for gate in variant_gates(variant)}
    page = export.build_report(view, contents, "code").decode()
    assert f"hippocampus-unet-{variant}" in page
    assert page.count("data:image/png;base64,") >= (2 if variant in ("eca", "soca") else 3)
    maps = zipfile.ZipFile(io.BytesIO(export.nifti(view, contents.maps))).namelist() if contents.maps else []
    assert any("encoder2" in name for name in maps) == (variant not in ("eca", "soca"))


@pytest.mark.parametrize(
    ("relative", "title", "lines", "blocks"),
    [
        ("AG on skips", "gate (0 to 1)", "spatial gate here", ["encoder1", "encoder2", "encoder3", "encoder4"]),
        ("PE", "gate (0 to 1)", "spatial gate here", [*BLOCK_NAMES]),
        ("non-local", "attention / mean of the map", "attention here", [*BLOCK_NAMES]),
    ],
)
def test_the_profile_of_a_pixel_is_of_one_quantity(relative, title, lines, blocks):
    app = opened("explore", relative=relative)
    profile = next(chart for chart in app.get("plotly_chart") if chart.proto.id.endswith("explore_profile"))
    spec = json.loads(profile.proto.spec)
    assert spec["layout"]["yaxis"]["title"]["text"] == title
    assert next(line["x"] for line in spec["data"] if line.get("name") == lines) == blocks
    without = [caption.value for caption in app.caption if "Without a gate" in caption.value]
    assert bool(without) == (relative == "AG on skips")


def test_a_full_gate_is_not_said_to_scale_all_channels_alike():
    app = opened("explore", relative="PE", block="encoder2")
    assert any("weighs every pixel of every channel by itself" in caption.value for caption in app.caption)
    for message, row in ((0, 2), (1, 0)):  # the drawn network, and the block below it
        cell = messages(app)[message]["rows"][row]["cells"][0]
        assert cell["alt"].startswith("PE, encoder2: full gate, mean over channels, mean 0.47, 0.47 to 0.47")
        assert cell["flat"] is None


def test_gates_are_compared_where_any_two_networks_have_them():
    app = opened("compare", variants=["scSE"], relatives=["PE", "AG on skips"], compare_part="Gates")
    assert app.button_group(key="compare_block").options == ["mean of blocks", *BLOCK_NAMES]
    app.button_group(key="compare_block").set_value("decoder1").run()
    assert not app.exception
    chart = next(chart for chart in app.get("plotly_chart") if chart.proto.id.endswith("compare_likeness_0"))
    [heat_map, *_] = json.loads(chart.proto.spec)["data"]
    assert heat_map["y"] == ["scSE", "PE", "AG on skips"]
