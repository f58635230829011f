"""Pictures hold the very numbers they were made from."""

import numpy as np
import pytest

from scse_viz.rendering.panels import (
    block_panel,
    changed_panel,
    difference_panel,
    disagreement_panel,
    flat_words,
    intensity_range,
    label_panel,
    middle_of_head,
    outvoted_panel,
)
from tests.named_gates import typed
from tests.packed import numbers


@pytest.fixture
def gates() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "encoder1/spatial_gate": rng.random((32, 48), dtype=np.float32),
        "encoder1/channel_gate": np.array([0.25, 0.75], dtype=np.float32),
        "encoder2/spatial_gate": rng.random((16, 24), dtype=np.float32),
        "decoder1/channel_gate": np.array([0.5], dtype=np.float32),
        "decoder2/activation": np.full((16, 24), 0.123, dtype=np.float32),
    }


def test_a_constant_image_has_one_intensity():
    assert intensity_range(np.full((2, 2, 2), 7.0)) == (7, 7)


def test_a_gate_keeps_more_digits_than_a_picture_of_0_to_1_has():
    narrow = np.linspace(0.1, 0.2, 256, dtype=np.float32).reshape(16, 16)
    panel = block_panel(typed({"encoder1/spatial_gate": narrow})["encoder1"], title="sSE")
    low, high = panel.span
    assert (low, high) == (pytest.approx(0.1), pytest.approx(0.2))
    assert low + (high - low) * numbers(panel.picture) / 255 == pytest.approx(narrow, abs=0.0002)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (1.0, 1.0, "1.00 at every pixel: the gate passes everything"),
        (0.98, 1.0, "flat, 0.98 to 1.00: the gate passes nearly everything"),
        (0.001, 0.001, "0.00 at every pixel: the gate blocks everything"),
        (0.43, 0.43, "0.43 at every pixel: the gate scales all alike"),
        (0.42, 0.45, "flat, 0.42 to 0.45: the gate scales all nearly alike"),
        (0.40, 0.45, None),
    ],
)
def test_a_flat_gate_says_what_it_does(low, high, words):
    assert flat_words(np.linspace(low, high, 1600, dtype=np.float32).reshape(40, 40)) == words


def test_a_few_pixels_do_not_make_a_gate_less_flat_but_are_named():
    gate = np.full((40, 40), 1.0, dtype=np.float32)
    gate[0, :8] = 0.9
    assert flat_words(gate) == "flat, 0.90 to 1.00: the gate passes nearly everything"
    gate[1] = 0.9
    assert flat_words(gate) is None


def test_a_flat_gate_has_the_value_and_the_words():
    narrow = {"encoder1/spatial_gate": np.full((16, 16), 0.5, dtype=np.float32)}
    panel = block_panel(typed(narrow)["encoder1"], title="sSE")
    assert panel.kind == "gate"
    assert panel.span == (0.5, 0.5)
    assert panel.flat == "0.50 at every pixel: the gate scales all alike"
    assert panel.flat in panel.alt


def test_a_map_of_half_the_rows_has_pixels_of_twice_the_size(gates):
    assert block_panel(typed(gates, (1.0, 0.5))["encoder1"], title="scSE").map_mm == (1.0, 0.5)
    assert block_panel(typed(gates, (1.0, 0.5))["encoder2"], title="scSE").map_mm == (2.0, 1.0)


def test_a_block_without_a_spatial_gate_says_so_and_keeps_its_channel_weights(gates):
    panel = block_panel(typed(gates)["decoder1"], title="cSE")
    assert panel.kind == "none"
    assert panel.picture is None
    assert panel.note == "no spatial gate"
    assert panel.channels == (0.5,)


def test_a_block_without_channel_weights_says_so(gates):
    assert block_panel(typed(gates)["encoder2"], title="sSE").note == "no channel weights"


def test_an_activation_is_on_a_scale_of_its_own_that_holds_its_maximum(gates):
    panel = block_panel(typed(gates)["decoder2"], title="none")
    assert panel.kind == "activation"
    assert panel.span == (0, pytest.approx(0.13))
    assert "arbitrary units" in panel.alt


def test_the_alternative_text_of_a_gate_states_its_mean(gates):
    mean = gates["encoder1/spatial_gate"].mean()
    assert f"mean {mean:.2f}" in block_panel(typed(gates)["encoder1"], title="scSE").alt


def test_labels_keep_their_numbers_and_their_areas_are_in_square_centimetres():
    labels = np.zeros((10, 20), dtype=np.uint8)
    labels[:5, :10] = 2
    panel = label_panel(labels, ["background", "cortex", "thalamus"], 4.0, title="scSE")
    assert (numbers(panel.picture) == labels).all()
    assert panel.areas == {2: 2.0}
    assert "thalamus 2.0 cm²" in panel.alt


def test_the_middle_of_the_head_is_where_it_is_bright():
    voxels = np.zeros((10, 10, 30), dtype=np.float32)
    voxels[:, :, 20:25] = 100
    assert middle_of_head(voxels, 2) == 22
    assert middle_of_head(np.zeros((3, 5, 7)), 1) == 2


def test_a_difference_is_drawn_from_minus_one_to_one_whatever_its_own_range():
    panel = difference_panel(np.array([[-1.0, 0.0], [0.2, 1.0]]), (2, 2), title="scSE minus sSE")
    assert numbers(panel.picture).tolist() == [[0, 128], [153, 255]]
    assert (panel.kind, panel.span, panel.map_mm) == ("difference", (-1, 1), (2, 2))
    assert "mean difference +0.05, from -1.00 to +1.00" in panel.alt


def test_disagreement_reads_how_many_differ():
    panel = disagreement_panel(np.array([[0, 0, 1, 3]]), 4, pixel_area=2000)
    drawn = numbers(panel.picture)[0]
    assert [panel.readings[number] for number in drawn] == ["all agree", "all agree", "1 of 4 differ", "3 of 4 differ"]
    assert drawn.max() == 255
    assert panel.caption == "40.0 cm² disputed"


@pytest.mark.parametrize("networks", range(2, 9))
def test_every_number_of_the_map_of_disagreement_can_be_read(networks):
    panel = disagreement_panel(np.arange(networks)[None], networks, pixel_area=1)
    assert [panel.readings[number] for number in numbers(panel.picture)[0]] == [
        "all agree",
        *(f"{count} of {networks} differ" for count in range(1, networks)),
    ]


def test_one_network_has_none_to_differ_from():
    panel = disagreement_panel(np.zeros((2, 2), int), 1, pixel_area=1)
    assert numbers(panel.picture).max() == 0
    assert panel.caption == "one network only"


def test_who_is_outvoted_is_drawn_in_full_and_measured():
    panel = outvoted_panel(np.array([[True, False, True]]), pixel_area=50, title="sSE")
    assert numbers(panel.picture).tolist() == [[255, 0, 255]]
    assert panel.readings == {0: "as the majority", 255: "differs from the majority"}
    assert panel.caption == "1.0 cm² in the minority"
    assert panel.alt == "sSE: differs from most networks on 1.0 cm²"


def test_changed_pixels_are_drawn_in_full_counted_and_measured():
    panel = changed_panel(np.array([[True, False], [False, True]]), pixel_area=50)
    assert numbers(panel.picture).tolist() == [[255, 0], [0, 255]]
    assert panel.alt == "Changed pixels: 2 of 4, 1.0 cm²"
    assert panel.caption == "2 pixels changed"
