"""Gates and error as figures."""

import numpy as np
import pytest

from scse_viz.analysis.errors import BINS
from scse_viz.figures.errors import RIGHT_COLOUR, WRONG_COLOUR, entropy_table, error_by_block, error_histogram

MEANS = {"encoder1": np.array([0.2, 0.6]), "decoder1": np.array([0.9, np.nan])}


def test_right_and_wrong_stand_at_their_means_and_auc_grows_from_a_half():
    figure = error_by_block(MEANS, {"encoder1": 0.8, "decoder1": np.nan})
    right, wrong = (
        next(trace for trace in figure.data if trace.name == f"prediction {kind}") for kind in ("right", "wrong")
    )
    assert list(right.y) == [0.2, 0.9]
    assert wrong.y[0] == 0.6
    bars = figure.data[-1]
    assert bars.base == 0.5
    assert bars.y[0] == pytest.approx(0.3)
    assert list(bars.text) == ["0.80", ""]
    assert bars.marker.color[0] == WRONG_COLOUR
    assert figure.layout.yaxis.range == figure.layout.yaxis2.range == (0, 1)


def test_a_gate_that_is_lower_where_the_prediction_is_wrong_is_drawn_downwards():
    bars = error_by_block({"encoder1": np.array([0.6, 0.2])}, {"encoder1": 0.1}).data[-1]
    assert bars.y[0] == pytest.approx(-0.4)
    assert bars.marker.color[0] == RIGHT_COLOUR


def test_histograms_are_shares_of_each_kind_so_that_few_errors_can_be_seen():
    histograms = np.zeros((2, BINS))
    histograms[0, 0], histograms[0, 255], histograms[1, 128] = 900, 100, 3
    right, wrong = error_histogram(histograms, block="encoder1").data
    assert right.y[0] == pytest.approx(0.9)
    assert np.sum(right.y[:-1]) == pytest.approx(1)
    assert max(wrong.y) == 1
    assert (right.x[0], right.x[-1]) == (0, 1)
    assert "900" not in right.name
    assert "1,000 pixels" in right.name


def test_a_kind_without_pixels_is_not_drawn_as_zero():
    _, wrong = error_histogram(np.stack([np.ones(BINS), np.zeros(BINS)]), block="encoder1").data
    assert np.isnan(wrong.y).all()


def test_the_table_of_entropy_has_a_row_a_block_and_the_correlation_beside_it():
    means = {"encoder1": np.linspace(0, 1, 10), "decoder1": np.full(10, 0.5)}
    figure = entropy_table(means, np.linspace(0, 0.9, 10), {"encoder1": 0.7, "decoder1": np.nan})
    heat, _, bars = figure.data
    assert heat.z.shape == (2, 10)
    assert heat.x[0].endswith("<0.01")
    assert heat.x[9] == "10<br>0.90"
    assert list(bars.text) == ["+0.70", ""]
    assert list(bars.y) == ["encoder1", "decoder1"]
