"""Gates by structure as figures: what is drawn is what was measured, on fixed scales with units."""

import numpy as np
import pytest

from scse_viz.analysis.structures import Profile
from scse_viz.figures.structures import gate_table, profile_bars

PROFILE = Profile(
    present=(np.array([0.8, 0.2, 0.5]), np.array([0.1, 0.1, 0.0])),
    absent=(np.array([0.6, 0.5, 0.5]), np.array([0.1, 0.2, 0.0])),
    slices=(4, 4),
)


def test_gates_have_the_scale_of_gates_and_differences_one_about_zero():
    means = np.array([[0.2, 0.9]])
    heat = gate_table(means, ["thalamus"], ["encoder1", "decoder1"]).data[0]
    assert (heat.zmin, heat.zmax) == (0, 1)
    assert heat.z.tolist() == means.tolist()
    relative = gate_table(means - 0.5, ["thalamus"], ["encoder1", "decoder1"], relative=True).data[0]
    assert relative.zmin == -relative.zmax


def test_the_axes_of_the_table_are_named_and_its_first_structure_is_on_top():
    figure = gate_table(np.zeros((2, 1)), ["thalamus", "caudate"], ["encoder1"])
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("block", "structure (predicted)")
    assert figure.layout.yaxis.autorange == "reversed"


def test_channels_are_sorted_by_difference_and_keep_their_numbers():
    figure = profile_bars(PROFILE, structure="thalamus", block="encoder1")
    present, absent, difference = figure.data
    assert difference.y.tolist() == pytest.approx([-0.3, 0, 0.2])
    assert difference.customdata.tolist() == [1, 2, 0]
    assert present.y.tolist() == [0.2, 0.5, 0.8]
    assert absent.y.tolist() == [0.5, 0.5, 0.6]
    assert difference.error_y.array.tolist() == pytest.approx([np.sqrt(0.05 / 4), 0, np.sqrt(0.02 / 4)])


def test_unsorted_channels_stand_by_number():
    figure = profile_bars(PROFILE, structure="thalamus", block="encoder1", by_difference=False)
    assert figure.data[2].customdata.tolist() == [0, 1, 2]
    assert figure.layout.xaxis2.title.text == "channel"


def test_one_slice_of_a_kind_has_no_whiskers_and_the_numbers_of_slices_are_named():
    alone = Profile(PROFILE.present, (PROFILE.absent[0], np.full(3, np.nan)), (4, 1))
    figure = profile_bars(alone, structure="thalamus", block="encoder1")
    assert figure.data[1].error_y.array.tolist() == [0, 0, 0]
    assert [trace.name for trace in figure.data[:2]] == ["with thalamus (4 slices)", "without (1 slice)"]
