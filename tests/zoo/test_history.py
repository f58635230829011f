"""The files of history: those that came with the networks, and those that cannot be used."""

import numpy as np
import pytest
import torch

from scse_viz.analysis.gates import named_arrays
from scse_viz.attention import record
from scse_viz.training.engine.history import History
from scse_viz.zoo import PRETRAINED, cards
from scse_viz.zoo.history import SUFFIX, HistoryError, read_history
from tests.cards import TINY

SHIPPED = [name for name in cards() if (PRETRAINED / f"{name}{SUFFIX}").is_file()]


def arrays(**others):
    usual = {
        "steps": np.array([0, 10, 100]),
        "validation_loss": np.array([3.0, 2.0, 1.0], dtype=np.float32),
        "dice": np.array([[0.9, 0.1, np.nan], [0.9, 0.2, np.nan], [0.9, 0.3, 0.5]]),
        "losses": np.array([3.0, 2.0, 1.5, 1.0]),
        "classes": np.array(["background", "thalamus", "CSF"]),
        "references": np.zeros((2, 4, 4), dtype=np.uint8),
        "encoder1/spatial_gate": np.full((3, 2, 4, 4), 51, dtype=np.uint8),
        "encoder2/activation": np.full((3, 2, 2, 2), 255, dtype=np.uint8),
        "encoder2/activation_maximum": np.array([1.0, 2.0, 4.0]),
    }
    return {name: array for name, array in {**usual, **others}.items() if array is not None}


def written(folder, **others):
    path = folder / f"small{SUFFIX}"
    np.savez_compressed(path, **arrays(**others))
    return path


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_file_holds_all_blocks_at_every_snapshot(name):
    history = read_history(PRETRAINED / f"{name}{SUFFIX}")
    card = cards()[name]
    assert history.steps[0] == 0
    assert history.steps[-1] == card.training["steps"]
    assert list(history.classes) == [structure.name for structure in card.structures]
    gates = history.gates_at(len(history.steps) - 1, 0)
    assert set(gates) == {block.name for block in card.block_table if block.ran}
    for key, array in named_arrays(gates).items():
        assert array.min() >= 0
        assert array.max() <= 1 or not key.endswith("gate"), "a gate lies in 0 to 1; activations and attention need not"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_network_is_better_at_the_end_than_at_the_beginning(name):
    history = read_history(PRETRAINED / f"{name}{SUFFIX}")
    dice = history.mean_dice()
    assert dice[-1] > dice[0] + 0.3
    assert history.validation_loss[-1] < history.validation_loss[0]


def test_gates_are_from_0_to_1_and_activations_have_their_own_height(tmp_path):
    gates = read_history(written(tmp_path)).gates_at(2, 1)
    assert gates["encoder1"].spatial_gate == pytest.approx(np.full((4, 4), 0.2))
    assert gates["encoder2"].activation == pytest.approx(np.full((2, 2), 4.0))


def test_mean_dice_is_without_background_and_without_what_is_left_out(tmp_path):
    history = read_history(written(tmp_path))
    assert history.mean_dice() == pytest.approx([0.1, 0.2, 0.4])
    assert history.mean_dice(("CSF",)) == pytest.approx([0.1, 0.2, 0.3])


def test_the_training_loss_is_spread_over_all_steps(tmp_path):
    assert read_history(written(tmp_path)).loss_steps.tolist() == [25, 50, 75, 100]


def test_what_training_writes_is_what_is_read(tmp_path):
    model, references = TINY.network(seed=0), torch.rand(2, 1, 32, 48)
    history = History(losses=[2.0, 1.0])
    for step in (0, 5):
        history.keep(step, model, [(references, torch.zeros(2, 32, 48, dtype=torch.long))], references)
    history.save(tmp_path / f"tiny{SUFFIX}", references, [structure.name for structure in TINY.structures])
    read_back = read_history(tmp_path / f"tiny{SUFFIX}")
    assert (read_back.steps.tolist(), read_back.losses.tolist(), read_back.classes) == (
        [0, 5],
        [2, 1],
        ("background", "square"),
    )
    wanted = record(model, references).blocks["encoder2"]
    gates = read_back.gates_at(1, 0)
    assert gates["encoder2"].spatial_gate == pytest.approx(wanted.spatial_gate[0].numpy(), abs=0.5 / 255 + 1e-6)
    assert gates["encoder2"].channel_gate == pytest.approx(wanted.channel_gate[0].numpy(), abs=0.5 / 255 + 1e-6)


@pytest.mark.parametrize(("step", "snapshot"), [(0, 0), (9, 0), (10, 1), (99, 1), (100, 2), (5000, 2)])
def test_a_step_between_two_snapshots_is_shown_as_the_earlier(step, snapshot, tmp_path):
    assert read_history(written(tmp_path)).snapshot_at(step) == snapshot


def test_a_network_without_a_file_is_named(tmp_path):
    with pytest.raises(HistoryError, match=r"mine\.history\.npz is missing: this network has no training history"):
        read_history(tmp_path / f"mine{SUFFIX}")


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ({"steps": None}, "steps"),
        ({"steps": np.array([0, 100, 10])}, "do not rise"),
        ({"dice": np.zeros((3, 2))}, "one Dice for each snapshot and class"),
        ({"validation_loss": np.zeros(2)}, "one loss for each snapshot"),
        ({"references": np.zeros((0, 4, 4))}, "holds no reference slice"),
        ({"encoder1/spatial_gate": np.zeros((3, 1, 4, 4))}, "gates for each snapshot and reference slice"),
        ({"encoder2/activation_maximum": None}, "lack a maximum"),
        ({"encoder1/spatial_gate": None, "encoder2/activation": None}, "holds no gates"),
        ({"classes": np.array([print, len, repr])}, "cannot be loaded when allow_pickle=False"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_its_fault(others, sentence, tmp_path):
    with pytest.raises(HistoryError, match=sentence):
        read_history(written(tmp_path, **others))


def test_a_file_that_is_no_archive_is_refused(tmp_path):
    path = tmp_path / f"text{SUFFIX}"
    path.write_bytes(b"not an archive")
    with pytest.raises(HistoryError, match="cannot be read as a history file"):
        read_history(path)


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(HistoryError, match="cannot be read as a history file"):
        read_history(path)


def test_a_file_damaged_anywhere_is_read_or_refused_in_a_sentence(tmp_path):
    path = tmp_path / f"net{SUFFIX}"
    noise = np.random.default_rng(0).integers(0, 256, (3, 2, 4, 4), dtype=np.uint8)
    np.savez_compressed(path, **arrays(**{"encoder1/spatial_gate": noise}))
    whole, sentences = path.read_bytes(), []
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            read_history(path)
        except HistoryError as error:
            sentences.append(str(error))
    assert len(sentences) > 100
    assert all(sentence.startswith(path.name) for sentence in sentences)
