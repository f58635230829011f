"""Figures of agreement show the numbers they were given, on ranges that do not depend on them."""

import numpy as np
import plotly.graph_objects as go
import pytest

from scse_viz.figures.agreement import CORRELATION, SHARE, gate_means, matrices, matrix

NAN = np.nan
VALUES = np.array([[1.0, 0.25, NAN], [0.25, 1.0, -0.5], [NAN, -0.5, 1.0]])
NAMES = ["sSE · one", "scSE · one", "sSE · two"]


def number(figure: go.Figure, row: int, column: int, first: int = 1) -> tuple[float, str]:
    """The number of a cell and its colour: the one of two heat maps that has it."""
    [drawn] = [heat for heat in figure.data[first : first + 2] if not np.isnan(heat.z[row][column])]
    assert drawn.texttemplate == "%{z:.2f}"
    return drawn.z[row][column], drawn.textfont.color


@pytest.mark.parametrize("span", [SHARE, CORRELATION])
def test_a_matrix_has_its_numbers_on_the_whole_range(span):
    figure = matrix(VALUES, NAMES, measure="rho", span=span)
    dark, light = (trace.z for trace in figure.data[1:])
    np.testing.assert_array_equal(np.where(np.isnan(dark), light, dark), np.where(np.eye(3, dtype=bool), NAN, VALUES))
    assert np.isnan(np.where(np.isnan(dark), NAN, light)).all(), "no cell has two numbers"
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmax, figure.layout.title.text) == (*span, "rho")


def test_a_number_is_black_on_a_light_cell_and_white_on_a_dark_one():
    """Cividis goes from dark blue to yellow; no correlation is white, and both its ends are dark."""

    def colour(value: float, span: tuple[float, float]) -> str:
        shown, colour = number(matrix(np.full((2, 2), value), ["a", "b"], measure="rho", span=span), 0, 1)
        assert shown == value
        return colour

    assert [colour(value, SHARE) for value in (0.0, 0.2, 0.7, 1.0)] == ["#fff", "#fff", "#000", "#000"]
    assert [colour(value, CORRELATION) for value in (-1.0, 0.0, 1.0)] == ["#fff", "#000", "#fff"]


def test_the_diagonal_is_gray_and_has_no_number():
    diagonal, *_ = matrix(VALUES, NAMES, measure="rho", span=CORRELATION).data
    np.testing.assert_array_equal(diagonal.z, np.where(np.eye(3, dtype=bool), 0, NAN))
    assert diagonal.texttemplate is None
    assert not diagonal.showscale


def test_no_correlation_is_the_middle_of_its_colours_and_the_first_network_is_on_top():
    figure = matrix(VALUES, NAMES, measure="rho", span=CORRELATION)
    axis = figure.layout.coloraxis
    assert axis.cmin == -axis.cmax
    assert len(axis.colorscale) % 2 == 1
    assert figure.layout.yaxis.autorange == "reversed"


@pytest.mark.parametrize("count", [1, 5, 9])
def test_every_block_has_a_matrix_of_its_own_on_one_scale(count):
    blocks = {f"block{block}": VALUES / (block + 1) for block in range(count)}
    figure = matrices(blocks, NAMES, measure="rho", span=CORRELATION)
    numbers = [number(figure, 0, 1, first=3 * block + 1)[0] for block in range(count)]
    assert numbers == [0.25 / (block + 1) for block in range(count)]
    assert {trace.coloraxis for at, trace in enumerate(figure.data) if at % 3} == {"coloraxis"}
    assert len({(trace.xaxis, trace.yaxis) for trace in figure.data}) == count
    assert [note.text for note in figure.layout.annotations][:count] == list(blocks)


def test_a_profile_is_a_line_a_network_on_the_scale_of_gates():
    figure = gate_means(
        {"sSE": [0.2, 0.9], "scSE": [0.4, NAN]},
        blocks=["encoder1", "decoder1"],
        quantity="mean sSE gate",
        colours={"sSE": "#0072b2", "scSE": "#e69f00"},
        dashes={"sSE": 0, "scSE": 1},
    )
    assert [list(line.x) for line in figure.data] == [["encoder1", "decoder1"]] * 2
    assert list(figure.data[0].y) == [0.2, 0.9]
    assert figure.data[0].line.dash != figure.data[1].line.dash
    assert figure.layout.yaxis.range == (0, 1)
    assert figure.layout.yaxis.title.text == "mean sSE gate (0 to 1)"
