"""The figures of the tests of maps: what stands in their cells and lines."""

import numpy as np

from scse_viz.figures.belief import FAILED, PASSED, maps_beside, removal_curves, survival_curve, verdict_table

SHARES = (0.0, 0.5, 1.0)
FALLING, RISING = np.array([1.0, 0.2, 0.0]), np.array([0.0, 0.9, 1.0])


def test_cells_are_passed_failed_or_blank_and_carry_their_texts():
    passed = {"encoder1, map": {"inside": True, "deletion": False}, "encoder1, weights": {"inside": None}}
    texts = {"encoder1, map": {"inside": "0.20 (0.10)", "deletion": "0.5"}, "encoder1, weights": {}}
    [heat] = verdict_table(passed, texts, columns=["inside", "deletion"]).data
    assert list(heat.z[0]) == [1, 0]
    assert np.isnan(np.array(heat.z[1], dtype=float)).all()
    assert list(heat.text[0]) == ["0.20 (0.10)", "0.5"]
    assert (heat.colorscale[0][1], heat.colorscale[-1][1]) == (FAILED, PASSED)


def test_the_band_spans_the_random_orders_and_their_mean_is_a_line():
    random = [(FALLING, RISING), (FALLING / 2, RISING / 2)]
    figure = removal_curves(SHARES, (FALLING, RISING), random, {"edges": (RISING, FALLING)})
    lines = [trace for trace in figure.data if trace.name]
    assert [trace.name for trace in lines] == ["random order", "edges", "the gate's map"] * 2
    assert list(lines[0].y) == [0.75, 0.15000000000000002, 0]
    assert [trace.showlegend for trace in lines] == [True] * 3 + [False] * 3
    band = next(trace for trace in figure.data if trace.fill)
    assert list(band.y) == [1, 0.2, 0, 0, 0.1, 0.5]


def test_survival_is_drawn_over_depths_with_chance_as_a_line():
    figure = survival_curve(["classifier", "encoder1"], {"map": np.array([1.0, 0.1])}, 0.05)
    assert list(figure.data[0].x) == ["classifier", "encoder1"]
    assert figure.layout.shapes[0].y0 == 0.05


def test_every_map_has_the_outline_of_the_structure():
    image = np.zeros((4, 5))
    figure = maps_beside(image, {"gate": image, "cam": image}, image > 0, aspect=2.0)
    assert [type(trace).__name__ for trace in figure.data] == ["Heatmap", "Contour"] * 3
    assert {figure.layout[f"yaxis{n}"].scaleratio for n in ("", 2, 3)} == {2.0}


def test_the_convention_is_written_into_the_figure_so_that_a_saved_one_says_it():
    image = np.zeros((4, 5))
    named = maps_beside(image, {}, image > 0, convention="radiological: right is drawn left")
    assert "radiological: right is drawn left" in [text.text for text in named.layout.annotations]
    assert [text.text for text in maps_beside(image, {}, image > 0).layout.annotations] == ["slice"]
