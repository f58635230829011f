"""The heat map of blocks by slices."""

import numpy as np

from scse_viz.figures.by_slice import Quantity, block_slices

BLOCKS = ("encoder1", "bottleneck", "decoder1")


def table():
    values = np.linspace(0, 1, 12).reshape(3, 4)
    values[:, 2] = np.nan
    return values


def drawn(*quantity):
    values = {"spatial gates (sSE)": table(), "channel gates (cSE)": table() / 2}
    return block_slices(values, BLOCKS, *quantity or [Quantity("mean gate")], plane="axial", current=3)


def test_blocks_are_rows_slices_are_columns_and_the_scale_is_that_of_gates():
    figure = drawn()
    heat = [trace for trace in figure.data if trace.type == "heatmap"]
    assert [list(trace.y) for trace in heat] == [list(BLOCKS)] * 2
    np.testing.assert_allclose(heat[0].z, table(), atol=1e-5)
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    assert figure.layout.coloraxis.colorbar.title.text == "mean gate"
    assert figure.layout.xaxis2.title.text == "axial slice (index of the voxel)"
    assert figure.layout.yaxis.autorange == "reversed"
    assert [note.text for note in figure.layout.annotations] == ["spatial gates (sSE)", "channel gates (cSE)"]


def test_every_cell_that_is_done_can_be_clicked_and_no_other():
    points = drawn().data[1]
    assert sorted(set(points.x)) == [0, 1, 3]
    assert len(points.x) == 9
    assert list(points.y[:3]) == ["encoder1"] * 3
    assert points.marker.opacity == 0


def test_the_slice_that_is_shown_is_marked_in_each_heat_map():
    lines = drawn().layout.shapes
    assert [(line.x0, line.x1) for line in lines] == [(3, 3)] * 2


def test_a_scale_of_another_kind_has_its_own_ends():
    figure = drawn(Quantity("deviation", "blue-red", (-0.1, 0.1)))
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (-0.1, 0.1)
    ends = [figure.layout.coloraxis.colorscale[at][1] for at in (0, -1)]
    assert ends == ["#053061", "#67001f"]
