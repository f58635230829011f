"""The figures of one block show the numbers they were given."""

import numpy as np

from scse_viz.figures.gates import (
    activation_histogram,
    class_bars,
    factors_by_block,
    gate_histogram,
    gates_at_pixel,
    multiples_at_pixel,
)

BLOCKS = ("encoder1", "bottleneck", "decoder1")
MAPS = {block: np.linspace(0, 1, 101).reshape(1, 101) * size for block, size in zip(BLOCKS, (1, 0.5, 0.2), strict=True)}


def test_a_histogram_counts_every_element_once_in_percent():
    spatial, channel = gate_histogram({"spatial": np.array([[0.01, 0.01], [0.51, 1.0]]), "channel": np.zeros(3)}).data
    assert (spatial.y[0], spatial.y[20], spatial.y[-1]) == (50, 25, 25)
    assert sum(spatial.y) == 100
    assert channel.y[0] == 100


def test_the_scale_of_gates_is_fixed_and_saturation_is_marked():
    figure = gate_histogram({"spatial": np.full((2, 2), 0.5)})
    assert figure.layout.xaxis.range == (0, 1)
    marked = [(shape.x0, shape.x1) for shape in figure.layout.shapes]
    assert marked[:2] == [(0, 0.05), (0.95, 1)]


def test_activations_have_a_scale_of_their_own():
    figure = activation_histogram(np.array([[0.0, 2.0], [4.0, 4.0]]), 4)
    assert (figure.data[0].y[0], figure.data[0].y[-1]) == (25, 50)
    assert "a.u." in figure.layout.xaxis.title.text


def test_the_most_probable_class_is_at_the_top():
    bars = class_bars({"cortex": 0.2, "white": 0.7, "back": 0.1}, dict.fromkeys(("cortex", "white", "back"), "#ff0000"))
    assert bars.data[0].y[-1] == "white"  # Plotly draws from the bottom
    assert bars.data[0].text[-1] == "0.700"


def test_a_profile_runs_through_the_blocks_in_their_order():
    here = {"decoder1": 0.1, "encoder1": 0.9, "bottleneck": 0.5}
    weights = {block: np.array([0.2, 0.4]) for block in BLOCKS}
    lines = {line.name: line for line in gates_at_pixel(here, MAPS, weights, BLOCKS).data}
    assert list(lines["spatial gate here"].y) == [0.9, 0.5, 0.1]
    np.testing.assert_allclose(lines["mean of the map"].y, [0.5, 0.25, 0.1])
    np.testing.assert_allclose(lines["mean channel weight"].y, 0.3)
    band = lines["middle 90 % of the map"]
    np.testing.assert_allclose(band.y, [0.95, 0.475, 0.19, 0.01, 0.025, 0.05])


def test_a_profile_has_only_what_the_variant_has():
    assert [line.name for line in gates_at_pixel({}, {}, {b: np.ones(2) for b in BLOCKS}, BLOCKS).data] == [
        "mean channel weight"
    ]


def test_attention_and_activations_are_told_in_multiples_of_their_maps_mean():
    figure = multiples_at_pixel({block: MAPS[block].mean() * 2 for block in BLOCKS}, MAPS, quantity="attention")
    np.testing.assert_allclose(figure.data[1].y, 2)
    assert figure.layout.yaxis.title.text == "attention / mean of the map"


def test_factors_are_drawn_from_zero_to_two_with_a_line_at_one():
    figure = factors_by_block(
        {"cSE": {"encoder1": 0.5}, "scSE": {"encoder1": 1.9}}, colours={"cSE": "#111", "scSE": "#222"}
    )
    assert [list(trace.y) for trace in figure.data] == [[0.5], [1.9]]
    assert figure.layout.yaxis.range == (0, 2)
    assert figure.layout.shapes[0].y0 == 1
