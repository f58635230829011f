"""Every page on networks of segmentation_models_pytorch as they are: by stages, with dead blocks, and without gates."""

import pytest
from streamlit.testing.v1 import AppTest

from scse_viz import zoo
from scse_viz.inference.jobs import Jobs
from scse_viz.inference.turns import Pages
from scse_viz.memory import Store
from scse_viz.ui.shell import cached, export
from scse_viz.ui.volume import cached as volume_cached
from scse_viz.zoo.structures import Structure
from tests.foreign import card_of, loader, unet
from tests.ui.shown import figures, messages, noise, opened_on

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.{page} import page
sidebar.begin()
page.page()
"""
DEAD = "decoder.blocks.4.attention1.attention"
LAST = "decoder.blocks.3.attention2.attention"
MIXED, SCSE, PLAIN, TWO = "smp-efficientnet", "smp-scse", "smp-plain", "smp-two"
"""SE in the encoder and scSE in the decoder; scSE in the decoder; no gates; scSE, and two classes only."""
HIPPOCAMPUS = (Structure(0, "nothing", "#000000"), Structure(1, "hippocampus", "#00ff00"))


@pytest.fixture(scope="session")
def networks():
    models = {MIXED: unet("efficientnet-b0"), SCSE: unet("resnet18"), PLAIN: unet("resnet18", None)}
    cards = {name: card_of(model, name) for name, model in models.items()}
    models[TWO] = unet("resnet18", classes=2)
    return models, {**cards, TWO: card_of(models[TWO], TWO, HIPPOCAMPUS)}


@pytest.fixture(autouse=True)
def offered(networks, monkeypatch):
    """The app offers these networks beside the shipped ones."""
    models, cards = networks
    shipped = zoo.cards()
    monkeypatch.setattr(cached, "cards", lambda: {**shipped, **cards})
    monkeypatch.setattr(zoo, "load", loader(models, zoo.load))


@pytest.fixture
def exported(monkeypatch) -> list[export.ExportContents]:
    """What pages offer to export."""
    kept: list[export.ExportContents] = []
    monkeypatch.setattr(export, "offer", lambda view, contents: kept.append(contents))
    return kept


def opened(page: str, **address: str | list[str]) -> AppTest:
    return opened_on(noise(60, 50, 3), PAGE.format(page=page), **{"anatomy": "opened", **address})


def texts(app: AppTest) -> str:
    parts = (app.caption, app.markdown, app.info, app.warning, app.subheader)
    return "\n".join(element.value for part in parts for element in part)


def test_explore_groups_the_blocks_of_an_encoder_with_se_and_a_decoder_with_scse_by_stage(exported):
    app = opened("explore", architecture=MIXED)
    network = messages(app)[0]
    assert len(network["rows"]) == 1 + 16 + 10
    assert [len(stage["blocks"]) for stage in network["stages"]] == [1, 2, 2, 6, 5, 2, 2, 2, 2, 2]
    assert [stage["level"] for stage in network["stages"]] == [1, 2, 3, 4, 5, 4, 3, 2, 1, 0]
    assert [stage["side"] for stage in network["stages"]] == ["encoder"] * 5 + ["decoder"] * 5
    kinds = {row["title"]: row["cells"][0]["kind"] for row in network["rows"]}
    assert kinds["encoder._blocks.3"] == "none"
    assert kinds["decoder.blocks.3.attention2.attention"] == "gate"
    assert all(len(row["cells"][0]["channels"] or ()) <= 64 for row in network["rows"])
    assert app.selectbox(key="block").value == "decoder.blocks.3.attention1.attention"
    assert exported[-1].tables["profile"].index.tolist() == [name for name in kinds if name not in ("prediction", DEAD)]


def test_explore_opens_a_channel_gate_of_the_encoder(exported):
    app = opened("explore", architecture=MIXED, block="encoder._blocks.3")
    assert messages(app)[1]["columns"][1]["title"] == "encoder._blocks.3: channel gate"
    assert "channel gate, out of sigmoid, 144 channels" in texts(app)
    assert {"explore_histogram", "explore_weights", "explore_profile"} <= set(figures(app))
    assert "encoder._blocks.3/channel_gate" in exported[-1].arrays


def test_explore_marks_a_block_that_never_runs(exported):
    app = opened("explore", architecture=SCSE, block=DEAD)
    dead = next(row for row in messages(app)[0]["rows"] if row["title"] == DEAD)
    assert (dead["detail"], dead["cells"][0]["note"]) == ("never runs", "never runs")
    assert "This block never runs: no pass through the network reaches it" in texts(app)
    assert "effect of the block" not in exported[-1].tables


def test_explore_knows_that_the_halves_of_smp_add_up(exported):
    app = opened("explore", architecture=SCSE, block=LAST)
    assert "channel half" in [element.label for element in app.metric]
    assert 0 < exported[-1].tables["effect of the block"].loc["share of the channel half", "value"] < 1


def test_explore_of_a_network_without_gates_shows_plain_activations_and_says_so(exported):
    app = opened("explore", architecture=PLAIN)
    assert {row["cells"][0]["kind"] for row in messages(app)[0]["rows"][1:]} == {"activation"}
    assert "This network has no gates: its stages are shown with their plain activations." in texts(app)


def test_compare_shows_an_opened_network_beside_a_shipped_one_and_aligns_blocks_by_resolution(exported):
    app = opened("compare", anatomy="brain", variants=["scSE"], compare_others=[MIXED])
    (grid,) = messages(app)
    assert [column["title"] for column in grid["columns"]] == ["scSE", MIXED]
    assert "Blocks are aligned by resolution: 7 of 28 rows hold more than one network." in texts(app)
    rows = {row["title"]: row for row in grid["rows"]}
    assert [cell["kind"] for cell in rows["decoder 1/4, 2"]["cells"]] == ["gate", "gate"]
    assert "decoder3\ndecoder.blocks.2.attention2.attention" in rows["decoder 1/4, 2"]["detail"]
    assert "disagreement" in rows
    assert app.query_params["compare_others"] == MIXED


def test_compare_aligns_two_networks_of_one_library_by_name_and_by_resolution_if_asked(exported):
    app = opened("compare", compare_architectures=[SCSE, MIXED], variants=["scSE"])
    assert "Blocks are aligned by name: 10 of 26 rows hold more than one network." in texts(app)
    rows = [row["title"] for row in messages(app)[0]["rows"]]
    assert rows[2:5] == [f"decoder.blocks.{at}.attention" for at in ("0.attention1", "0.attention2", "1.attention1")]
    app.segmented_control(key="compare_align").set_value("resolution").run()
    assert not app.exception
    assert "Blocks are aligned by resolution: 10 of 26 rows hold more than one network." in texts(app)
    app = opened("compare", compare_architectures=[SCSE, MIXED], variants=["scSE"], compare_part="Gates")
    likeness = exported[-1].tables["Correlation of spatial gates"]
    assert likeness.index.nunique() == 9  # of ten blocks of one name, one never runs


def test_compare_of_networks_with_other_classes_compares_what_they_share(exported):
    app = opened("compare", anatomy="brain", variants=["scSE"], compare_others=[TWO], compare_part="Predictions")
    said = "These networks have different classes. Predictions are compared on those of all: hippocampus."
    assert said in texts(app)
    assert app.selectbox(key="compare_structure").options == ["mean of all structures", "hippocampus"]
    app = opened("compare", anatomy="hippocampus", variants=["scSE"], compare_others=[TWO])
    said = "These networks have no class in common: their predictions are drawn, and not compared."
    assert said in texts(app)
    assert "disagreement" not in [row["title"] for row in messages(app)[0]["rows"]]
    assert messages(app)[0]["structures"][-1]["name"] == "hippocampus"


def test_networks_with_more_classes_together_than_a_label_map_holds_are_one_sentence(monkeypatch):
    many = unet("resnet18", classes=150)
    cards = {
        name: card_of(many, name, tuple(Structure(n, f"{name} {n}", "#00ff00") for n in range(150)))
        for name in ("many", "more")
    }
    monkeypatch.setattr(cached, "cards", lambda: cards)
    monkeypatch.setattr(zoo, "load", loader(dict.fromkeys(cards, many), zoo.load))
    app = AppTest.from_string(PAGE.format(page="compare"), default_timeout=120)
    app.query_params.update({"scan": "your own file", "anatomy": "opened", "compare_architectures": ["many", "more"]})
    app.run()
    app.file_uploader(key="scan_file").upload("noise.nii", noise(60, 50, 3))
    app.run()
    assert not app.exception
    assert "have 299 classes together; choose networks with at most 256" in app.error[0].value


@pytest.mark.parametrize("name", [MIXED, PLAIN])
def test_the_report_of_a_network_of_another_library_holds_its_prediction_and_hash(name, networks, monkeypatch):
    reports = []
    monkeypatch.setattr(
        export, "offer", lambda view, contents: reports.append(export.build_report(view, contents, "the code"))
    )
    opened("explore", architecture=name)
    page = reports[-1].decode()
    assert f"{name}: prediction" in page
    assert f"sha256 {networks[1][name].sha256}" in page
    assert page.count("data:image/png;base64,") >= 2
    assert "the code" in page


def test_compare_draws_a_network_without_gates_and_one_with(exported):
    app = opened("compare", compare_architectures=[SCSE, PLAIN], variants=["scSE", "none"], compare_part="Gates")
    assert list(exported[-1].tables["mean spatial gate"].columns) == [SCSE]
    app = opened("compare", compare_architectures=[SCSE, PLAIN], variants=["scSE", "none"])
    kinds = {cell["kind"] for row in messages(app)[0]["rows"] for cell in row["cells"]}
    assert {"labels", "gate", "activation"} <= kinds


def test_intervene_shows_the_gates_of_one_stage_and_changes_encoder_and_decoder(exported):
    app = opened("intervene", architecture=MIXED, intervene="encoder._blocks.3:off")
    strips = [element.key for element in app.selectbox if str(element.key).startswith("intervene_decoder")]
    assert strips == [f"intervene_decoder.blocks.3.attention{number}.attention" for number in (1, 2)]
    app.pills(key="intervene_stage").set_value("encoder 1/4").run()
    assert not app.exception
    assert app.selectbox(key="intervene_encoder._blocks.1").value == "leave"
    app.selectbox(key="intervene_encoder._blocks.1").set_value("invert").run()
    assert not app.exception
    assert app.query_params["intervene"] == "encoder._blocks.1:invert,encoder._blocks.3:off"
    assert "after/encoder._blocks.3/channel_gate" not in exported[-1].arrays  # bypassed, so it has no gate
    assert "after/encoder._blocks.1/channel_gate" in exported[-1].arrays


def test_intervene_sweeps_every_block_that_runs(exported):
    app = opened("intervene", architecture=SCSE, intervene_sweep="true", block=DEAD)
    effects = exported[-1].tables["effect of each block"]
    assert len(effects) == 9
    assert DEAD not in effects.index
    assert "it never runs, so neither its gates nor its channels have an effect" in texts(app).replace("\\", "")


def test_volume_runs_a_plane_through_a_network_that_was_opened(exported, networks, monkeypatch):
    jobs = Jobs(Store(10**9), Pages())
    monkeypatch.setattr(volume_cached, "jobs", lambda: jobs)
    app = opened("volume", architecture=MIXED, block=LAST)
    app.button(key="volume_start").click().run()
    assert not app.exception
    jobs.find(app.session_state["view"].scan, networks[1][MIXED], "axial").thread.join()
    app.run()
    assert not app.exception
    assert f"{LAST}/spatial_gate" in exported[-1].arrays
    assert "encoder._blocks.3/channel_gate" in exported[-1].arrays
    jobs.close()


def test_understand_averages_and_judges_gates_of_blocks_that_have_a_map(exported):
    opened("understand", architecture=MIXED, block=LAST)
    columns = exported[-1].tables["gates by structure"].columns
    assert len(columns) == 9
    assert DEAD not in columns
    app = opened("understand", architecture=MIXED, block="encoder._blocks.3", understand="Attention and error")
    assert not app.exception
    app = opened("understand", architecture=PLAIN)
    assert f"{PLAIN} has no gates" in texts(app)


def test_gate_health_lists_the_gates_that_never_run_first(exported):
    opened("understand", architecture=SCSE, understand="Gate health")
    table = exported[-1].tables["gate health"]
    assert table["verdict"].tolist()[:2] == ["never ran", "never ran"]
    assert {block for block, _ in table.index[:2]} == {DEAD}
    assert len(table) == 2 * 10


@pytest.mark.parametrize("lesson", ["cSE", "scSE", "When it hurts", "The paper and ours"])
def test_lessons_are_of_a_shipped_network_where_the_chosen_one_is_not_ours(lesson, exported):
    app = opened("understand", architecture=SCSE, understand="Learn", understand_lesson=lesson)
    assert ("is of another library; shown is" in texts(app)) == (lesson in ("cSE", "scSE"))


def test_training_history_of_an_opened_network_is_missing_in_one_sentence(exported):
    app = opened("understand", architecture=SCSE, understand="Training history")
    assert "history" in texts(app)
