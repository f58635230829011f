"""Colours are read and written exactly, scales can be read as lightness, and text on them has contrast."""

import numpy as np
import pytest

from scse_viz.blocks import VARIANTS
from scse_viz.rendering.colours import (
    ACTIVATION_SCALE,
    COLOURS,
    DIVERGING_SCALE,
    GATE_SCALES,
    VARIANT_COLOURS,
    black_is_legible,
    colour_scale,
    rgb,
    scale_stops,
    to_hex,
    variant_colours,
)
from scse_viz.rendering.panels import MAP_KINDS

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def test_colours_are_read_and_written_as_they_are():
    assert rgb(["#0072b2", "#ffffff"]).tolist() == [[0, 0x72, 0xB2], [255, 255, 255]]
    assert [to_hex(colour) for colour in rgb(COLOURS)] == list(COLOURS)
    assert to_hex(np.array([0.4, 127.6, 255.0])) == "#0080ff"


def test_a_variant_keeps_its_colour_and_past_the_palette_colours_come_again():
    names = [f"variant{number}" for number in range(len(VARIANT_COLOURS) + 1)]
    assert list(variant_colours(names).values()) == [*VARIANT_COLOURS, VARIANT_COLOURS[0]]


EYES = {
    "all cones": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
"""What is left of linear red, green and blue: Machado, Oliveira, Fernandes, IEEE TVCG 2009, severity 1."""


@pytest.mark.parametrize("matrix", EYES.values(), ids=EYES.keys())
def test_the_colours_of_any_two_variants_stay_apart_for_every_kind_of_eye(matrix):
    shares = rgb(VARIANT_COLOURS) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    seen = oklab((linear @ np.transpose(matrix)).clip(0, 1))
    apart = np.linalg.norm(seen[:, None] - seen, axis=2)[~np.eye(len(seen), dtype=bool)]
    assert len(VARIANT_COLOURS) >= len(VARIANTS)
    assert apart.min() > 0.07  # two neighbours of a rainbow of 14 are about 0.06 apart


def oklab(linear: np.ndarray) -> np.ndarray:
    """Linear red, green and blue (N, 3) -> Oklab, in which equal distances look alike. Ottosson 2020."""
    cones = linear @ np.array([[0.4122, 0.2119, 0.0883], [0.5363, 0.6807, 0.2817], [0.0514, 0.1074, 0.6300]])
    return np.cbrt(cones) @ np.array([[0.2105, 1.9780, 0.0259], [0.7936, -2.4286, 0.7828], [-0.0041, 0.4506, -0.8087]])


@pytest.mark.parametrize("name", [*GATE_SCALES, ACTIVATION_SCALE, MAP_KINDS["share"].scale])
def test_every_colour_scale_grows_lighter_from_end_to_end(name):
    scale = colour_scale(name)
    lightness = scale @ LUMINANCE
    assert scale.shape == (256, 3)
    assert (np.diff(lightness) > -0.5).all()
    assert lightness[-1] - lightness[0] > 140


def test_the_diverging_scale_is_lightest_in_the_middle_and_as_dark_at_both_ends():
    lightness = colour_scale(DIVERGING_SCALE) @ LUMINANCE
    assert 120 <= lightness.argmax() <= 135
    assert (np.diff(lightness[:120]) > 0).all()
    assert (np.diff(lightness[135:]) < 0).all()
    assert abs(lightness[0] - lightness[-1]) < 20


@pytest.mark.parametrize("name", GATE_SCALES)
def test_activations_do_not_look_like_any_gate(name):
    apart = np.linalg.norm(colour_scale(ACTIVATION_SCALE).astype(float) - colour_scale(name), axis=1)
    assert apart[64:].min() > 25, "but for the dark ends, no value has nearly the same colour on both scales"


@pytest.mark.parametrize("name", [*GATE_SCALES, DIVERGING_SCALE])
def test_a_scale_drawn_through_its_stops_is_the_scale(name):
    stops = scale_stops(name)
    positions, colours = [position for position, _ in stops], rgb(colour for _, colour in stops)
    drawn = np.stack([np.interp(np.linspace(0, 1, 256), positions, colours[:, channel]) for channel in range(3)], 1)
    assert np.abs(drawn - colour_scale(name)).max() < 8


def test_text_is_black_on_colours_lighter_than_the_gray_where_both_contrasts_are_equal():
    """sqrt(1.05 x 0.05) - 0.05 = 0.179 is that luminance: a gray of 117.6 of 255."""
    grays = np.repeat(np.array([0, 117, 118, 255], dtype=np.uint8)[:, None], 3, axis=1)
    assert black_is_legible(grays).tolist() == [False, False, True, True]
    assert black_is_legible(rgb(["#0000ff", "#ffff00"])).tolist() == [False, True]
