"""The functions for notebooks draw what a network did, and the example notebook runs."""

from pathlib import Path

import nbclient
import nbformat
import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch

import scse_viz
from scse_viz import zoo
from scse_viz.attention import record
from tests.foreign import unet
from tests.tiny_networks import network

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return torch.rand(1, 1, 64, 96, generator=torch.Generator().manual_seed(0))


def titles(figure) -> list[str]:
    return [note.text for note in figure.layout.annotations]


def test_explore_draws_the_gates_that_a_pass_records(x):
    model = unet()
    figure = scse_viz.explore(model, x)
    recording = record(model.eval(), x.expand(-1, 3, -1, -1))
    drawn = [trace.z for trace in figure.data if trace.coloraxis == "coloraxis"]
    gates = [block.spatial_gate[0].numpy() for block in recording.blocks.values() if block.ran]
    assert len(drawn) == len(gates) == 9
    for one, other in zip(drawn, gates, strict=True):
        np.testing.assert_array_equal(one, other)
    assert figure.layout.coloraxis.cmin == 0
    assert figure.layout.coloraxis.cmax == 1
    assert figure.layout.title.text == "Unet: 10 blocks; never run: decoder.4.attention1"


def test_a_map_covers_the_image_that_it_is_of(x):
    figure = scse_viz.explore(unet(), x, blocks=["decoder.blocks.1.attention2.attention"])
    (gate,) = (trace for trace in figure.data if trace.coloraxis == "coloraxis")
    assert gate.z.shape == (8, 12)
    assert (gate.y0, gate.dy, gate.x0, gate.dx) == (3.5, 8, 3.5, 8)


def test_channel_gates_are_bars_and_many_blocks_are_folded_into_stages(x):
    figure = scse_viz.explore(unet("efficientnet-b0"), x)
    assert "the last block of each of 10 stages" in figure.layout.title.text
    assert len(titles(figure)) == 2 + 10
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [len(bar.y) for bar in bars] == [32, 144, 240, 672, 1152]
    assert all((np.diff(bar.y) <= 0).all() for bar in bars)


def test_a_network_without_gates_has_its_activations_and_says_so(x):
    figure = scse_viz.explore(zoo.load("brain-unet-none"), x[0, 0].numpy())
    assert "no gates: mean |activation| of its stages" in figure.layout.title.text
    assert "coloraxis" not in figure.layout.to_plotly_json()
    assert len(titles(figure)) == 2 + 9


def test_compare_aligns_by_name_or_by_resolution_and_says_which(x):
    ours = {variant: zoo.load(f"brain-unet-{variant}") for variant in ("cse", "scse")}
    figure = scse_viz.compare(ours, x)
    assert figure.layout.title.text == "Blocks aligned by name"
    assert len(titles(figure)) == 2 * (1 + 9)
    figure = scse_viz.compare({"ours": ours["scse"], "theirs": unet()}, x)
    assert figure.layout.title.text.startswith("Blocks aligned by resolution, 4 of 15 rows")
    assert "decoder 1/8, 2<br>mean gate" in " ".join(titles(figure))
    figure = scse_viz.compare(ours, x, align="resolution")
    assert figure.layout.title.text == "Blocks aligned by resolution"


def test_a_single_output_is_a_prediction_too(x):
    model = smp.Unet("resnet18", encoder_weights=None, classes=1)
    labels = next(
        trace for trace in scse_viz.explore(model, x).data if trace.hovertemplate == "class %{z}<extra></extra>"
    )
    assert set(np.unique(labels.z[~np.isnan(labels.z)])) <= {1.0}


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda model: scse_viz.explore(model, np.zeros(5)), r"image has shape \(5,\); \(H, W\)"),
        (lambda model: scse_viz.explore(model, np.zeros((64, 64)), blocks=["a"]), "block 'a' is unknown"),
        (lambda model: scse_viz.compare({}, np.zeros((64, 64))), "no networks to compare"),
        (lambda model: scse_viz.compare({"a": model}, np.zeros((64, 64)), align="size"), "align 'size' is not one of"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(unet())


def test_the_example_notebook_runs(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # figures would be megabytes
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    figures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if "application/vnd.plotly.v1+json" in output.get("data", {})
    ]
    assert len(figures) == 5


def test_a_non_local_block_shows_how_much_each_pixel_is_looked_at(x):
    model = network("nonlocal").eval()
    figure = scse_viz.explore(model, x, blocks=["encoder2"])
    shares = record(model, x).blocks["encoder2"].attention.received()[0].numpy()
    drawn = figure.data[-1]
    np.testing.assert_array_equal(drawn.z, shares)
    assert drawn.zmax == shares.max() > 1
    assert titles(figure)[-1] == f"encoder2<br>looked at up to × {shares.max():.1f}"
