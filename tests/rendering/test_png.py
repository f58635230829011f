"""Coloured pictures hold the colours of their scale, pixel by pixel."""

import io

import numpy as np
from PIL import Image

from scse_viz.rendering.colours import colour_scale
from scse_viz.rendering.png import bars_png, coloured_png, gradient, robust_span


def test_every_pixel_has_the_colour_of_its_value():
    values = np.array([[0.0, 1.0, 2.0], [-5.0, 0.5, 9.0]])
    picture = np.asarray(Image.open(io.BytesIO(coloured_png(values, (0, 2), "viridis"))).convert("RGB"))
    numbers = [[0, 128, 255], [0, 64, 255]]
    assert picture.tolist() == colour_scale("viridis")[numbers].tolist()


def test_a_gradient_runs_from_one_end_of_its_scale_to_the_other():
    assert gradient("gray", 3) == "linear-gradient(to right, #000000, #808080, #ffffff)"


def test_a_bar_is_as_high_as_its_weight_and_nothing_is_drawn_above_it():
    picture = np.asarray(Image.open(io.BytesIO(bars_png(np.array([0, 0.5, 1]), 4, "#0072b2"))))
    assert picture.shape == (4, 9, 4)
    heights = (picture[..., 3] == 255).sum(axis=0)
    assert heights.tolist() == [0, 0, 0, 2, 2, 0, 4, 4, 0]
    assert picture[3, 3].tolist() == [0, 0x72, 0xB2, 255]
    assert picture[0, 3, 3] == 0


def test_one_wild_pixel_does_not_darken_the_others():
    maps = np.ones((20, 50))
    maps[0, 0] = 1000
    assert robust_span(maps) == (0, 1)


def test_a_scale_reaches_below_zero_only_where_values_do_and_is_never_empty():
    assert robust_span(np.linspace(-1, 1, 201)) == (-0.99, 0.99)
    assert robust_span(np.full((3, 3), 5.0)) == (0, 5)
    assert robust_span(np.zeros((3, 3))) == (0, 1)
