"""Figures of agreement show the numbers they were given, on ranges that do not depend on them."""

import re

import numpy as np
import pytest

from scse_viz.figures.agreement import CORRELATION, SHARE, gate_profile, matrices, matrix

NAN = np.nan
VALUES = np.array([[1.0, 0.25, NAN], [0.25, 1.0, -0.5], [NAN, -0.5, 1.0]])

NAMES = ["sSE · one", "scSE · one", "sSE · two"]


def strip_tags(cell: str) -> str:
    return re.sub("<[^>]*>", "", cell)


@pytest.mark.parametrize("span", [SHARE, CORRELATION])
def test_a_matrix_has_its_numbers_on_the_whole_range(span):
    figure = matrix(VALUES, NAMES, measure="rho", span=span)
    _, pairs = figure.data
    np.testing.assert_array_equal(pairs.z, np.where(np.eye(3, dtype=bool), NAN, VALUES))
    assert [[strip_tags(cell) for cell in row] for row in pairs.text] == [
        ["1.00", "0.25", ""], ["0.25", "1.00", "-0.50"], ["", "-0.50", "1.00"],
    ]  # fmt: skip
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmax, axis.colorbar.title.text) == (*span, "rho")


def test_a_number_is_black_on_a_light_cell_and_white_on_a_dark_one():
    """Cividis goes from dark blue to yellow; no correlation is white, and both its ends are dark."""

    def colours(values: list[float], span: tuple[float, float]) -> list[str]:
        pairs = matrix(np.array([values]), [""], measure="rho", span=span).data[1]
        return [re.search("#(000|fff)", cell)[0] for cell in pairs.text[0]]

    assert colours([0.0, 0.2, 0.7, 1.0], SHARE) == ["#fff", "#fff", "#000", "#000"]
    assert colours([-1.0, 0.0, 1.0], CORRELATION) == ["#fff", "#000", "#fff"]


def test_the_diagonal_is_gray_and_has_no_number():
    diagonal, _ = matrix(VALUES, NAMES, measure="rho", span=CORRELATION).data
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
    blocks = {f"block{number}": VALUES / (number + 1) for number in range(count)}
    figure = matrices(blocks, NAMES, measure="rho", span=CORRELATION)
    pairs = figure.data[1::2]
    assert [each.z[0, 1] for each in pairs] == [0.25 / (number + 1) for number in range(count)]
    assert {each.coloraxis for each in figure.data[1::2]} == {"coloraxis"}
    assert len({(each.xaxis, each.yaxis) for each in pairs}) == count
    assert [note.text for note in figure.layout.annotations][:count] == list(blocks)


def test_a_profile_is_a_line_a_network_on_the_scale_of_gates():
    figure = gate_profile(
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
