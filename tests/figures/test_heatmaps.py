"""Tables in colour: the numbers are those given, and can be read on their cells."""

import numpy as np
import pytest

from scse_viz.figures.heatmaps import DARK, LIGHT, number_table
from scse_viz.rendering.colours import GATE_SCALES, colour_scale

VALUES = np.array([[0.0, 0.456], [np.nan, 1.0]])


def traces(values=VALUES, span=(0, 1), colours="viridis", **options):
    return number_table(values, columns=["a", "b"], rows=["c", "d"], span=span, colours=colours, **options)


def test_every_number_is_in_its_cell_and_a_blank_has_none():
    heat, numbers = traces()
    texts = dict(zip(zip(numbers.y, numbers.x, strict=True), numbers.text, strict=True))
    assert texts == {("c", "a"): "0.00", ("c", "b"): "0.46", ("d", "b"): "1.00"}
    assert (heat.zmin, heat.zmax) == (0, 1)


def test_differences_have_a_sign_and_zero_has_none():
    _, numbers = traces(np.array([[-0.25, 0.1], [-0.001, 0.0]]), (-0.5, 0.5), "blue-red", signed=True)
    assert list(numbers.text) == ["−0.25", "+0.10", "0.00", "0.00"]


@pytest.mark.parametrize("colours", [*GATE_SCALES, "blue-red"])
def test_numbers_have_a_contrast_of_at_least_4_5_to_1_on_every_colour(colours):
    values = np.linspace(0, 1, 200).reshape(2, 100)
    _, numbers = number_table(
        values, columns=[str(n) for n in range(100)], rows=["a", "b"], span=(0, 1), colours=colours
    )
    table = colour_scale(colours)
    for value, ink in zip(values.ravel(), numbers.textfont.color, strict=True):
        cell = luminance(table[round(255 * value)])
        text = luminance(np.zeros(3) if ink == DARK else np.array([255, 255, 255]))
        assert ink in (DARK, LIGHT)
        assert (max(cell, text) + 0.05) / (min(cell, text) + 0.05) >= 4.5


def luminance(colour):
    shares = colour / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
