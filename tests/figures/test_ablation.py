"""Effects are drawn as they are given: sorted, on scales that are said, channels known by their number."""

import numpy as np
import pytest

from scse_viz.figures.ablation import (
    ChannelEffects,
    block_bars,
    channel_scatter,
    channel_scatters,
    knock_out_bars,
    signed,
)

EFFECTS = {"encoder1": 0.2, "encoder2": 0.05, "bottleneck": 0.3, "decoder2": -0.1, "decoder1": 0.25}
ONE = ChannelEffects(np.array([0.9, 0.1, 0.5]), np.array([0.3, 0.0, 0.2]), rho=1.0)


def test_the_block_with_the_largest_effect_comes_first():
    figure = block_bars(EFFECTS, measure="share (0 to 1)")
    order = figure.layout.yaxis.categoryarray
    assert list(order) == ["decoder2", "encoder2", "encoder1", "decoder1", "bottleneck"]  # from the bottom up
    assert {y: x for bar in figure.data for x, y in zip(bar.x, bar.y, strict=True)} == EFFECTS
    assert figure.layout.xaxis.title.text == "share (0 to 1)"
    assert [bar.name for bar in figure.data] == ["encoder", "bottleneck", "decoder"]
    assert len({bar.marker.color for bar in figure.data}) == 3


def test_a_block_without_a_number_comes_last():
    figure = block_bars({**EFFECTS, "encoder2": np.nan}, measure="Dice lost")
    assert figure.layout.yaxis.categoryarray[0] == "encoder2"


def test_every_point_is_its_channel():
    figure = channel_scatter(ONE, x_title="weight (0 to 1)", measure="share", left_out=(1,))
    (points,) = figure.data
    assert list(points.x) == [0.9, 0.1, 0.5]
    assert list(points.y) == [0.3, 0.0, 0.2]
    assert list(points.customdata) == [0, 1, 2]
    assert points.marker.symbol[1] != points.marker.symbol[0] == points.marker.symbol[2]
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("weight (0 to 1)", "share")


@pytest.mark.parametrize("span", [(0, 1), None])
def test_blocks_are_drawn_on_one_scale_each_with_its_correlation(span):
    other = ChannelEffects(np.array([0.2, 3.0]), np.array([0.1, 0.1]), rho=np.nan)
    figure = channel_scatters({"encoder1": ONE, "encoder2": other}, x_title="x", measure="y", span=span)
    titles = [note.text for note in figure.layout.annotations][:2]
    assert titles == ["encoder1: ρ +1.00", "encoder2: ρ –"]
    ranges = {axis.range for axis in figure.select_xaxes()}
    assert len(ranges) == 1
    low, high = ranges.pop()
    assert low <= 0
    assert high >= (1 if span else 3)


def test_bars_are_channels_and_those_left_out_differ_in_more_than_colour():
    (bars,) = knock_out_bars(
        np.array([0.2, 0.9, 0.5]), title="weight (0 to 1)", left_out=(2,), by_value=True, span=(0, 1)
    ).data
    assert list(bars.customdata) == [1, 2, 0]
    assert list(bars.y) == [0.9, 0.5, 0.2]
    assert list(bars.marker.pattern.shape) == ["", "/", ""]
    assert bars.marker.color[1] != bars.marker.color[0] == bars.marker.color[2]


def test_weights_have_the_whole_range_and_magnitudes_start_at_zero():
    weights = knock_out_bars(np.array([0.2]), title="weight (0 to 1)", left_out=(), by_value=False, span=(0, 1))
    assert weights.layout.yaxis.range == (0, 1)
    magnitudes = knock_out_bars(np.array([7.0]), title="mean |v| (a.u.)", left_out=(), by_value=False, span=None)
    assert magnitudes.layout.yaxis.range is None
    assert magnitudes.layout.yaxis.rangemode == "tozero"


def test_correlations_have_a_sign():
    assert [signed(rho) for rho in (0.456, -0.2, np.nan)] == ["+0.46", "−0.20", "–"]


def test_effects_that_are_never_negative_have_one_logarithmic_scale_and_zero_its_lower_edge():
    small = ChannelEffects(np.array([0.1, 0.2]), np.array([0.004, 0.0]), rho=np.nan)
    figure = channel_scatters({"encoder1": ONE, "encoder2": small}, x_title="x", measure="y", span=(0, 1))
    assert {axis.type for axis in figure.select_yaxes()} == {"log"}
    assert figure.data[1].y[0] == 0.004
    assert 0 < figure.data[1].y[1] < 0.001
    assert list(figure.data[1].text) == ["0.004", "0"]
    low, high = figure.layout.yaxis.range
    assert 10**low < figure.data[1].y[1]
    assert 10**high > 0.3


def test_effects_that_may_be_negative_have_one_linear_scale():
    gained = ChannelEffects(np.array([0.1, 0.2]), np.array([-0.2, 0.5]), rho=np.nan)
    figure = channel_scatters({"encoder1": ONE, "encoder2": gained}, x_title="x", measure="y", span=(0, 1))
    low, high = figure.layout.yaxis.range
    assert figure.layout.yaxis.type is None
    assert low < -0.2 < 0.5 < high
