"""What is kept while a network trains is what its gates were."""

from pathlib import Path

import numpy as np
import torch

from scse_viz.attention import record
from scse_viz.models import build
from scse_viz.training.engine.history import History, snapshot_steps, validate
from scse_viz.training.engine.losses import NO_CLASS
from scse_viz.zoo.history import read_history


def test_snapshots_are_spread_evenly_in_the_logarithm_of_the_steps() -> None:
    steps = snapshot_steps(10_000)
    assert steps[0] == 0
    assert steps[-1] == 10_000
    ratios = np.diff(np.log(steps[8:]))
    assert ratios.max() < 1.1 * ratios.min()


def test_a_saved_file_holds_the_gates_as_bytes(tmp_path: Path) -> None:
    model = build("unet", "scse", classes=3, widths=(4, 4, 4, 4, 4), seed=0)
    references = torch.rand(2, 1, 128, 112, generator=torch.Generator().manual_seed(0))
    batch = (references[:, :, :32, :32], torch.randint(3, (2, 32, 32), generator=torch.Generator().manual_seed(1)))
    history = History()
    history.keep(0, model, [batch], references)
    history.keep(5, model, [batch], references)
    history.save(tmp_path / "kept.npz", references, ["a", "b", "c"])
    kept = np.load(tmp_path / "kept.npz")
    expected = record(model, references).blocks["decoder2"]
    assert expected.channel_gate is not None
    assert expected.spatial_gate is not None
    assert kept["steps"].tolist() == [0, 5]
    assert kept["decoder2/channel_gate"].shape == (2, 2, 4)
    assert np.abs(kept["decoder2/channel_gate"][1] / 255 - expected.channel_gate.numpy()).max() <= 0.5 / 255 + 1e-6
    assert np.abs(kept["decoder2/spatial_gate"][0] / 255 - expected.spatial_gate.numpy()).max() <= 0.5 / 255 + 1e-6
    assert max(kept["encoder1/spatial_gate"].shape[-2:]) <= 96


def test_activations_and_attention_in_place_of_gates_are_kept_and_read_back(tmp_path: Path) -> None:
    references = torch.rand(2, 1, 80, 64, generator=torch.Generator().manual_seed(0))
    for variant in ("pe", "nonlocal", "ag"):
        model, history = build("unet", variant, classes=3, widths=(4, 4, 4, 4, 4), seed=0), History()
        history.keep(0, model, [(references, torch.zeros(2, 80, 64, dtype=torch.long))], references)
        history.save(tmp_path / "kept.npz", references, ["a", "b", "c"])
        expected = record(model, references).blocks["encoder1"]
        gates = read_history(tmp_path / "kept.npz").gates_at(0, 1)["encoder1"]
        maps = {
            "pe": lambda block: block.full_gate.mean(dim=1),
            "nonlocal": lambda block: block.attention.received(),
            "ag": lambda block: block.spatial_gate,
        }
        wanted = maps[variant](expected)[1].numpy()
        assert gates.map is not None
        assert np.abs(gates.map - wanted).max() <= 0.5 / 255 * max(1, wanted.max()) * 1.01


class Threshold(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([0.5 - x, x - 0.5], dim=1)


def test_validation_leaves_the_network_in_training_and_counts_dice_over_all_batches() -> None:
    model = Threshold().train()
    image = torch.tensor([0.0, 1.0, 1.0, 0.0]).view(1, 1, 2, 2)
    reference = torch.tensor([0, 1, 0, 0]).view(1, 2, 2)
    _, dice = validate(model, [(image, reference), (image, 1 - reference)])
    assert model.training
    torch.testing.assert_close(dice, torch.tensor([4 / 8, 4 / 8]))


def test_validation_leaves_out_pixels_without_a_class() -> None:
    image = torch.tensor([0.0, 1.0, 1.0, 0.0]).view(1, 1, 2, 2)
    target = torch.tensor([0, 1, NO_CLASS, NO_CLASS]).view(1, 2, 2)
    _, dice = validate(Threshold(), [(image, target)])
    assert dice.tolist() == [1, 1]


def test_a_later_phase_continues_where_the_first_ended() -> None:
    def kept(steps: list[int], value: int) -> History:
        rows = [torch.full((1,), value, dtype=torch.uint8)] * len(steps)
        return History(steps, [0.5] * len(steps), [[1.0]] * len(steps), {"encoder1/channel_gate": rows}, [float(value)])

    both = kept([0, 1, 100], 7).followed_by(kept([0, 4, 8], 9))
    assert both.steps == [0, 1, 100, 104, 108]
    assert [int(row) for row in both.gates["encoder1/channel_gate"]] == [7, 7, 7, 9, 9]
    assert len(both.validation_loss) == len(both.dice) == 5
    assert both.losses == [7.0, 9.0]


def test_of_a_later_phase_the_snapshots_right_at_its_start_are_left_out_but_never_its_last() -> None:
    def kept(*steps: int) -> History:
        rows = [torch.full((1,), step, dtype=torch.uint8) for step in steps]
        return History(list(steps), [float(step) for step in steps], [[1.0]] * len(steps), {"a/channel_gate": rows}, [])

    both = kept(0, 1, 200).followed_by(kept(0, 1, 4, 5, 60))
    assert both.steps == [0, 1, 200, 205, 260]
    assert both.validation_loss == [0, 1, 200, 5, 60]
    assert [int(row) for row in both.gates["a/channel_gate"]] == [0, 1, 200, 5, 60]
    assert kept(0, 200).followed_by(kept(0, 1, 3)).steps == [0, 200, 203]
