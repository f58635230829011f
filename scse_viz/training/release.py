"""Export checkpoints as networks that the app opens: `python -m scse_viz.training.release`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from scse_viz.models import ALL_ARCHITECTURES
from scse_viz.training.brain import recipe as brain
from scse_viz.training.brain.atlas import load_atlas
from scse_viz.training.engine.history import History, validate
from scse_viz.training.engine.losses import Batch
from scse_viz.training.engine.schedule import Phase
from scse_viz.training.hippocampus import recipe as hippocampus
from scse_viz.training.malc import recipe as malc
from scse_viz.training.shipped import NOTES
from scse_viz.zoo import DTYPES, PRETRAINED, Card, save
from scse_viz.zoo.weights import stored_state

Batches = Sequence[Batch]
LARGEST_LOSS = 0.002
"""The largest loss of mean Dice accepted for storing weights in 16 bits."""


@dataclass(frozen=True)
class Training:
    """How the networks of an anatomy are trained, from its recipe; `facts` go onto every card."""

    phases: Sequence[Phase]
    card_of: Callable[[str, str], Card]
    reference_slices: Callable[[Path], Tensor]
    validation: Callable[[Path], Batches]
    facts: Mapping[str, str]


TRAININGS = {
    "brain": Training(
        brain.PHASES,
        brain.card_of,
        brain.reference_slices,
        lambda folder: brain.validation_batches(load_atlas(folder, brain.VALIDATION_HEADS)),
        brain.FACTS,
    ),
    "hippocampus": Training(
        hippocampus.PHASES,
        hippocampus.card_of,
        hippocampus.reference_slices,
        lambda folder: hippocampus.validation_batches(folder, hippocampus.split()["validation"]),
        hippocampus.FACTS,
    ),
    "malc": Training(
        malc.PHASES,
        malc.card_of,
        malc.reference_slices,
        lambda folder: malc.validation_batches(folder, malc.held_out(folder)),
        malc.FACTS,
    ),
}


def export(
    run: Path,
    anatomy: str,
    reference: Path,
    folder: Path = PRETRAINED,
    dtype: str = "float32",
    data: Path | None = None,
) -> list[Card]:
    """Write weights, card and history of every network of an anatomy that finished its training in a run folder.

    With `data`, the folder of the training data, the cards state the loss of validation Dice by storing as `dtype`;
    ValueError where it exceeds LARGEST_LOSS.
    """
    training = TRAININGS[anatomy]
    references = training.reference_slices(reference)
    validation = training.validation(data) if data else None
    cards = []
    for last in sorted(run.glob(f"{anatomy}-*-{training.phases[-1].name}.pt")):
        prefix = last.name.removesuffix(f"{training.phases[-1].name}.pt")
        states = [
            torch.load(run / f"{prefix}{phase.name}.pt", weights_only=True, map_location="cpu")
            for phase in training.phases
        ]
        for name, final in states[-1]["networks"].items():
            if final["step"] < training.phases[-1].schedule.steps:
                continue
            card = training.card_of(*parts_of(name, anatomy))
            card = replace(card, dtype=dtype, training=_facts(training, states, card))
            model = card.network()
            model.load_state_dict(final["model"])
            history = reduce(History.followed_by, (History(**state["networks"][name]["history"]) for state in states))
            if validation:
                card = _with_cost(card, model, history.dice[-1], validation)
            cards.append(save(model, card, folder))
            history.save(folder / f"{name}.history.npz", references, [structure.name for structure in card.structures])
    return cards


def parts_of(name: str, anatomy: str) -> tuple[str, str]:
    """The architecture and the variant in the name of a network: `brain-smp-unet-scse-max` -> smp-unet, scse-max."""
    rest = name.removeprefix(f"{anatomy}-")
    architecture = next(known for known in ALL_ARCHITECTURES if rest.startswith(f"{known}-"))
    return architecture, rest.removeprefix(f"{architecture}-")


def _facts(training: Training, states: Sequence[dict[str, Any]], card: Card) -> dict[str, Any]:
    steps = [phase.schedule.steps for phase in training.phases]
    seen = [phase.schedule.steps * phase.batch for phase in training.phases]
    notes = [NOTES[part] for part in (card.architecture, card.variant) if part in NOTES]
    return {
        **training.facts,
        "seed": states[0]["facts"]["seed"],
        "steps": sum(steps),
        "crops": sum(seen),
        "phases": [
            {"name": phase.name, "crops": crops, "sizes_mm": [list(size) for size in phase.sizes]}
            for phase, crops in zip(training.phases, seen, strict=True)
        ],
        "precision": ", then ".join(dict.fromkeys(state["precision"] for state in states)),
        **({"note": "; ".join(notes)} if notes else {}),
    }


def _with_cost(card: Card, model: nn.Module, trained: Sequence[float], validation: Batches) -> Card:
    """The card with mean Dice over structures before storing, from `trained` (K,), and after."""
    stored = deepcopy(model)
    stored.load_state_dict(stored_state(model, card.dtype))
    before, after = _mean(torch.tensor(trained)), _mean(validate(stored, validation)[1])
    if before - after > LARGEST_LOSS:
        raise ValueError(f"{card.name}: as {card.dtype} Dice falls from {before:.4f} to {after:.4f}; choose float32")
    cost = {"dtype": card.dtype, "validation_dice_float32": round(before, 4), "validation_dice": round(after, 4)}
    return replace(card, training={**(card.training or {}), "stored": cost})


def _mean(dice: Tensor) -> float:
    """Mean over the structures, without background: dice (K,)."""
    return float(dice[1:].nanmean())


def main(argv: list[str] | None = None) -> int:
    """Export every finished network of a run folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of checkpoints")
    parser.add_argument("--anatomy", choices=list(TRAININGS), default="brain")
    parser.add_argument("--reference", type=Path, required=True, help="the scan whose slices the histories refer to")
    parser.add_argument("--data", type=Path, help="folder of the training data, to measure the cost of the stored type")
    parser.add_argument("--out", type=Path, default=PRETRAINED)
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    options = parser.parse_args(argv)
    for card in export(options.run, options.anatomy, options.reference, options.out, options.dtype, options.data):
        print(f"{card.name}: {card.parameters:,} parameters, {card.training and card.training['crops']:,} crops")
    return 0


if __name__ == "__main__":
    sys.exit(main())
