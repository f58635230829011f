"""The checkpoint: the whole state of a training in one file, replaced at once.

The batch of a step depends on its number alone, so weights, optimizers, rates and measurements are the whole state.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from scse_viz.training import TrainingError
from scse_viz.training.engine.learner import Learner


class CheckpointError(TrainingError):
    """A checkpoint of another training."""


def save(path: Path, facts: Mapping[str, Any], precision: str, learners: Mapping[str, Learner]) -> None:
    """Write the state beside the last checkpoint, then replace that one: an interruption in between loses nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    networks = {name: learner.state() for name, learner in learners.items()}
    beside = path.with_suffix(".partial")
    torch.save({"facts": as_json(facts), "precision": precision, "networks": networks}, beside)
    beside.replace(path)


def resume(path: Path, facts: Mapping[str, Any], precision: str | None, learners: Mapping[str, Learner]) -> str | None:
    """Restore the learners from the checkpoint, if there is one; the precision of the training so far.

    Raises CheckpointError where a fact differs, or the precision where one is given: the final weights would depend on
    where the training was stopped.
    """
    if not path.exists():
        return precision
    state = read(path)
    known, wanted = dict(state["facts"]), as_json(facts)
    if precision is not None:
        known, wanted = known | {"precision": state["precision"]}, wanted | {"precision": precision}
    for name in sorted({*known, *wanted}):
        before, now = known.get(name), wanted.get(name)
        if before != now:
            both = f" ({before}, now {now})" if len(f"{before}{now}") < 80 else ""
            raise CheckpointError(
                f"{path.parent.name}/{path.name}: holds a training with another {name}{both}; repeat its options to "
                "resume it, or choose another folder or name"
            )
    for name, learner in learners.items():
        learner.restore(state["networks"][name])
    return str(state["precision"])


def read(path: Path) -> dict[str, Any]:
    """The state in a checkpoint, on the processor."""
    return dict(torch.load(path, weights_only=True, map_location="cpu"))


def as_json(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON keeps them, tuples as lists, so that those of a file compare with those of a run."""
    return dict(json.loads(json.dumps(facts)))
