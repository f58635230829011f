"""First weights of the encoder of an smp-unet: from a file, or, where the user says so, from a hub."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from segmentation_models_pytorch.encoders import get_encoder
from timm.models import adapt_input_conv
from torch import Tensor, nn

from scse_viz.models.smp_unet import SMPUnet
from scse_viz.training.own.classes import DataError
from scse_viz.zoo import Card, WeightsError
from scse_viz.zoo.foreign import read_checkpoint
from scse_viz.zoo.foreign.fit import COUNTERS, fit

RGB = 3
HUB = "imagenet"
"""The word for weights that the library fetches from a hub; anything else is a file."""


@dataclass(frozen=True, eq=False)
class EncoderWeights:
    """Weights by the names of an encoder; `source` says where they are from."""

    state: Mapping[str, Tensor]
    source: str


def encoder_weights(card: Card, wanted: str | Path) -> EncoderWeights:
    """The weights for the encoder of an smp-unet: HUB, or a file of the encoder, of a network of timm, or of a whole
    network of segmentation_models_pytorch.

    What the encoder lacks, as a classifier, is left out; a first layer of three channels is summed or repeated to the
    network's. Raises DataError where they cannot be had or do not fit.
    """
    if wanted == HUB:
        return EncoderWeights(_fetched(card), HUB)
    path = Path(wanted)
    if not path.exists():
        raise DataError(f"--encoder-weights {path}: no such file; give one of weights, {HUB}, or none")
    try:
        checkpoint = read_checkpoint(path)
    except WeightsError as error:
        raise DataError(f"--encoder-weights {error}") from error
    encoder = _network(card).encoder
    state = _as_named(checkpoint.state, list(encoder.state_dict()))
    state = {key: _adapted(tensor, encoder.state_dict()[key]) for key, tensor in state.items()}
    difference = fit(state, encoder)
    if difference.differences:
        raise DataError(f"--encoder-weights {path.name}: does not fit {card.encoder}; {difference.sentence}")
    return EncoderWeights(state, f"{path.name} (sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]})")


def start_from(model: nn.Module, weights: EncoderWeights) -> None:
    """Give an encoder its first weights, in place."""
    encoder = model.get_submodule("encoder")
    counters = {key: value for key, value in encoder.state_dict().items() if key.endswith(COUNTERS)}
    encoder.load_state_dict({**counters, **weights.state})


def _network(card: Card) -> SMPUnet:
    model = card.network(seed=0)
    if not isinstance(model, SMPUnet):
        raise DataError(f"--encoder-weights: {card.architecture} has no encoder of another library; leave it out")
    return model


def _fetched(card: Card) -> Mapping[str, Tensor]:
    try:
        fetched = get_encoder(card.encoder, in_channels=card.in_channels, depth=len(card.widths), weights=HUB)
    except Exception as error:  # whatever the hub's client raises where there are no such weights, or no network
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"--encoder-weights {HUB}: cannot be fetched for {card.encoder} ({said[:200]}); give a file, or none"
        ) from error
    return dict(fetched.state_dict())


def _as_named(state: Mapping[str, Tensor], wanted: list[str]) -> dict[str, Tensor]:
    """The tensors of a file under the names of an encoder: they may be a whole network's, or timm's own."""
    named = [
        {key: state[given] for key in wanted if (given := name(key)) in state}
        for name in (lambda key: f"encoder.{key}", lambda key: key, lambda key: key.removeprefix("model."))
    ]
    return max(named, key=len)


def _adapted(tensor: Tensor, wanted: Tensor) -> Tensor:
    """A first convolution of colour images for as many channels as the network takes."""
    channels = wanted.shape[1] if wanted.ndim == 4 else RGB
    first = tensor.ndim == 4 and tensor.shape[1] == RGB != channels and tensor.shape[2:] == wanted.shape[2:]
    return adapt_input_conv(channels, tensor) if first else tensor
