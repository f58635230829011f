"""A user's answers about a network, on a command line or in a form, entered into its draft."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scse_viz.zoo.cards import WeightsError
from scse_viz.zoo.foreign import smp
from scse_viz.zoo.foreign.drafts import Draft, class_count, draft_of
from scse_viz.zoo.foreign.factories import from_factory
from scse_viz.zoo.foreign.files import read_checkpoint
from scse_viz.zoo.foreign.opening import OpenedNetwork, described, open_network
from scse_viz.zoo.preprocessing import HEADS, Preprocessing, Window
from scse_viz.zoo.structures import numbered, read_structures

REQUESTS = "SCSE_VIZ_NETWORKS"
"""The environment variable by which `scse-viz app` tells the app of a user's own networks: a JSON list of requests."""


@dataclass(frozen=True)
class Answers:
    """A user's answers about a network; None and empty keep what its file says, or the default.

    `classes` are names and colours, typed or as JSON (`structures.read_structures`); `statistics` says whether the mean
    and deviation of the encoder's pretraining follow the `scaling`; `size` is the side of a fixed input, to which
    slices are resized, or of the tiles into which they are cut (`tiles`); `channels` names the channels that are scans
    of their own, none of them where one scan fills all; `arguments` are other ones of the class, by name.
    """

    head: str | None = None
    classes: str = ""
    scaling: str | None = None
    statistics: bool | None = None
    pixel_mm: float | None = None
    size: int | None = None
    tiles: bool = False
    channels: tuple[str, ...] | None = None
    arguments: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Request:
    """A network that a user names on a command line.

    Either `model`, a folder, .zip or file of weights, or `network`, a function FILE.py:FUNCTION, with its `weights`.
    `architecture` and `encoder` are for weights whose names do not reveal them.
    """

    model: str | None = None
    network: str | None = None
    weights: str | None = None
    architecture: str | None = None
    encoder: str | None = None
    answers: Answers = Answers()


def requests() -> tuple[Request, ...]:
    """The requests of the environment variable REQUESTS."""
    asked = json.loads(os.environ.get(REQUESTS, "[]"))
    return tuple(Request(**{**request, "answers": _answers(request.get("answers", {}))}) for request in asked)


def opened(request: Request) -> OpenedNetwork:
    """The network of a request, and its card. Raises WeightsError for one that cannot be opened."""
    if request.network is not None:
        model, draft, sha256 = from_factory(request.network, Path(request.weights) if request.weights else None)
        return described(model, completed(draft, request.answers), sha256)
    path = Path(str(request.model))
    if not path.exists():
        raise WeightsError(f"{path}: no such folder or file")
    checkpoint = read_checkpoint(path)
    if checkpoint.card is not None:
        return open_network(checkpoint)
    draft = draft_of(checkpoint, architecture=request.architecture, encoder=request.encoder)
    return open_network(checkpoint, completed(draft, request.answers))


def completed(draft: Draft, answers: Answers) -> Draft:
    """A draft completed by the user's answers. Raises WeightsError for answers that fit no network."""
    head = answers.head or draft.head
    count = class_count(draft.outputs, head)
    try:
        if head not in HEADS:
            raise ValueError(f"head {head!r} is not one of {', '.join(HEADS)}")
        structures = draft.structures if head == draft.head else numbered(count)
        if answers.classes:
            structures = read_structures(answers.classes, count)
        preprocessing = _preprocessing(draft, answers)
    except ValueError as error:
        raise WeightsError(f"{draft.name}: {error}") from error
    arguments = {**draft.arguments, **dict(answers.arguments)}
    if answers.arguments:
        arguments = smp.checked_arguments(smp.checked_class(draft.architecture), arguments)
    return replace(draft, head=head, structures=structures, preprocessing=preprocessing, arguments=arguments)


def _answers(facts: Mapping[str, Any]) -> Answers:
    arguments = tuple((name, value) for name, value in facts.get("arguments", ()))
    channels = None if facts.get("channels") is None else tuple(facts["channels"])
    return Answers(**{**facts, "channels": channels, "arguments": arguments})


def _preprocessing(draft: Draft, answers: Answers) -> Preprocessing:
    preprocessing = draft.preprocessing
    changes: dict[str, Any] = {}
    if answers.scaling is not None:
        changes |= {"scaling": answers.scaling, "window": Window(maximum=preprocessing.window.maximum)}
    if answers.statistics is not None:
        mean, std = statistics(draft) if answers.statistics else ((), ())
        changes |= {"mean": mean, "std": std}
    if answers.pixel_mm is not None:
        changes["pixel_mm"] = answers.pixel_mm
    if answers.size is not None:
        changes |= {"size": (answers.size, answers.size), "fit": "tile" if answers.tiles else "resize"}
    if answers.channels is not None:
        changes["channels"] = answers.channels
    return replace(preprocessing, **changes)


def statistics(draft: Draft) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of the pretraining of a draft's encoder, one per channel; the mean of the three unless there
    are three channels."""
    mean, std = smp.statistics_of(str(draft.arguments.get("encoder_name", "resnet34")))
    channels = draft.preprocessing.in_channels
    if channels == len(mean):
        return mean, std
    return (sum(mean) / len(mean),) * channels, (sum(std) / len(std),) * channels
