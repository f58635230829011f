"""A draft and weights -> a network and its card: blocks are those that one pass shows."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from scse_viz.attention import record
from scse_viz.blocks import BlockInfo
from scse_viz.recording.sites import Site, block_table
from scse_viz.zoo.cards import Card, WeightsError, card_of
from scse_viz.zoo.foreign.drafts import Draft, class_count, model_of, renamed, segmentation_weights
from scse_viz.zoo.foreign.files import Checkpoint
from scse_viz.zoo.foreign.fit import COUNTERS, fit
from scse_viz.zoo.foreign.smp import NumbersOnCpu
from scse_viz.zoo.preprocessing import Preprocessing
from scse_viz.zoo.weights import probed_blocks

PLANES = ("axial", "coronal", "sagittal")
OPENED = "opened"
"""The anatomy on the cards of networks that users open."""
PROBE = 8
"""Side of the image of the first pass, in pixels of the coarsest stage."""


@dataclass(frozen=True, eq=False)
class OpenedNetwork:
    """A network that a user opened: the model, in evaluation mode, its card, and notes about it."""

    card: Card
    model: nn.Module
    notes: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of its weights."""
        return sum(tensor.nbytes for tensor in self.model.state_dict().values())


def open_network(checkpoint: Checkpoint, draft: Draft | None = None) -> OpenedNetwork:
    """The network of a checkpoint: one of ours by the card beside it, any other by its completed draft.

    Raises WeightsError for weights that do not fit, with the names of those that do not, and what would make them fit.
    """
    if checkpoint.card is not None:
        return _ours(checkpoint)
    if draft is None:
        raise ValueError("a network of another library needs a draft; see draft_of")
    model = model_of(draft, meta=True)
    state = renamed(segmentation_weights(checkpoint), model)
    difference = fit(state, model)
    if difference.differences:
        raise WeightsError(f"{checkpoint.name}: does not fit {draft.architecture}; {difference.sentence}")
    model = model_of(draft)  # no larger than the file
    return described(_loaded(model, state), draft, checkpoint.sha256)


def described(model: nn.Module, draft: Draft, sha256: str) -> OpenedNetwork:
    """A network as one pass over noise shows it, with its card.

    Its `sha256` is that of the weights and of the draft: results depend on both. Raises WeightsError for a network that
    takes no slices or gives no segmentation.
    """
    model = model.eval().requires_grad_(False)
    preprocessing, output, sites = _probed(model, draft)
    outputs = output.shape[1]
    if class_count(outputs, draft.head) != len(draft.structures):
        raise WeightsError(
            f"{draft.name}: gives {outputs} outputs, which are {class_count(outputs, draft.head)} classes with a "
            f"{draft.head} head; {len(draft.structures)} are named"
        )
    blocks = block_table(sites, _shape_of(preprocessing))
    if not blocks:
        raise WeightsError(f"{draft.name}: has neither gates nor stages that can be drawn")
    card = Card(
        name=draft.name,
        anatomy=OPENED,
        architecture=draft.name,
        variant=_variant(blocks),
        widths=(),
        structures=draft.structures,
        planes=PLANES,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        sha256=hashlib.sha256(repr((sha256, draft, preprocessing)).encode()).hexdigest(),
        in_channels=preprocessing.in_channels,
        channels=preprocessing.channels,
        training={"method": f"{draft.architecture}, {_said(draft.arguments)}"},
        blocks=blocks,
        input=preprocessing,
        head=draft.head,
    )
    return OpenedNetwork(card, model, (*draft.notes, *_silent(blocks)))


def segmentation_in(output: Any) -> Tensor | None:
    """The segmentation (B, outputs, H, W) in what a network returns: itself, the first of several, or under "out"."""
    if isinstance(output, Mapping):
        output = output.get("out", next(iter(output.values()), None))
    if isinstance(output, (tuple, list)) and output:
        output = output[0]
    return output if isinstance(output, Tensor) and output.ndim == 4 else None


def _ours(checkpoint: Checkpoint) -> OpenedNetwork:
    """A network of ours, as `scse-viz train` wrote it."""
    try:
        card = card_of(checkpoint.card or {})
        with torch.device("meta"), NumbersOnCpu():
            model = card.network()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{checkpoint.name}: its card cannot be read: {error}") from error
    difference = fit(checkpoint.state, model)
    if difference.differences:
        raise WeightsError(f"{checkpoint.name}: does not fit its card; {difference.sentence}")
    model = card.network()  # no larger than the file
    card = replace(card, sha256=checkpoint.sha256)
    if card.encoder:  # never as the file says
        card = replace(card, blocks=probed_blocks(model, card.in_channels))
    return OpenedNetwork(card, _loaded(model, checkpoint.state).eval().requires_grad_(False), checkpoint.notes)


def _loaded(model: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """The model with weights that fit it; counters of batch norms may be missing."""
    counters = {key: value for key, value in model.state_dict().items() if key.endswith(COUNTERS)}
    nn.Module.load_state_dict(model, {**counters, **state})
    return model


def _probed(model: nn.Module, draft: Draft) -> tuple[Preprocessing, Tensor, Mapping[str, Site]]:
    """One pass over noise, of a size that the network takes."""
    reasons = []
    for preprocessing in _sizes(model, draft.preprocessing):
        noise = torch.randn(
            (1, preprocessing.in_channels, *_shape_of(preprocessing)), generator=torch.Generator().manual_seed(0)
        )
        try:
            recording = record(model, noise)
        except (RuntimeError, ValueError, AssertionError, IndexError, TypeError, NotImplementedError) as error:
            reasons.append((str(error).strip().splitlines() or [type(error).__name__])[0])
            continue
        output = segmentation_in(recording.output)
        if output is None:
            raise WeightsError(
                f"{draft.name}: returns {_shape_said(recording.output)} for one image; (B, classes, H, W) is needed"
            )
        return preprocessing, output, recording.sites
    channels = draft.preprocessing.in_channels
    raise WeightsError(f"{draft.name}: does not take images (1, {channels}, H, W): {reasons[0][:200]}")


def _sizes(model: nn.Module, preprocessing: Preprocessing) -> list[Preprocessing]:
    """The preprocessing as it is, and with the fixed size that a part of the network asks for."""
    candidates = [preprocessing]
    sizes = (getattr(module, "img_size", None) for module in model.modules())
    fixed = next((size for size in sizes if isinstance(size, tuple) and len(size) == 2), None)
    if preprocessing.size is None and fixed is not None:
        candidates.append(replace(preprocessing, size=(int(fixed[0]), int(fixed[1]))))
    return candidates


def _shape_of(preprocessing: Preprocessing) -> tuple[int, int]:
    return preprocessing.size or (PROBE * preprocessing.multiple,) * 2


def _variant(blocks: Sequence[BlockInfo]) -> str:
    """The variant of ours that has the same kinds of gates."""
    gates = {gate for block in blocks for gate in block.gates}
    kinds = {(False, False): "none", (True, False): "cse", (False, True): "sse", (True, True): "scse"}
    return kinds["channel_gate" in gates, "spatial_gate" in gates]


def _silent(blocks: Sequence[BlockInfo]) -> tuple[str, ...]:
    """What to say of blocks that the pass did not reach."""
    never = [block.name for block in blocks if not block.ran]
    if not never:
        return ()
    return (f"Never used by the network: {', '.join(never[:5])}{' and others' if len(never) > 5 else ''}.",)


def _said(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in arguments.items()) or "as its code makes it"


def _shape_said(output: Any) -> str:
    return f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
