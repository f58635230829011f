"""Drafts: what a file reveals about its network, and what only its user knows, as one value to complete."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from scse_viz.zoo.cards import WeightsError
from scse_viz.zoo.foreign import smp
from scse_viz.zoo.foreign.decoders import HEAD, MARKS, Shapes, architecture_of, decoder_arguments
from scse_viz.zoo.foreign.encoders import encoders_like
from scse_viz.zoo.foreign.files import Checkpoint
from scse_viz.zoo.foreign.fit import Fit, fit, shapes_of
from scse_viz.zoo.preprocessing import HEADS, Preprocessing, Window
from scse_viz.zoo.structures import Structure, numbered

HEAD_OF_ACTIVATION = {
    "sigmoid": "sigmoid",
    **dict.fromkeys(("softmax", "softmax2d", "logsoftmax", "argmax2d"), "softmax"),
}
ASKED = {
    "decoder_interpolation": "how the decoder enlarges its features",
    "encoder_output_stride": "how far the encoder shrinks the image",
    "decoder_atrous_rates": "the rates of the atrous convolutions",
}
"""Arguments that leave no trace in names and shapes: the class's own default holds unless the user says otherwise."""
SAY_WHICH = "say which encoder it is, as resnet34 or tu-NAME"
UNTIL_ONE = Window(maximum=1.0)


@dataclass(frozen=True)
class Draft:
    """A network as far as its file describes it; `dataclasses.replace` adds what the user says.

    `architecture` is a class of segmentation_models_pytorch and `arguments` are its own; of a network that a user's
    function made they say where it comes from. `questions` are the fields that the file leaves open, each with a
    sentence; they hold defaults. `notes` say what was left out.
    """

    name: str
    architecture: str
    arguments: Mapping[str, Any]
    preprocessing: Preprocessing
    head: str
    structures: tuple[Structure, ...]
    questions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def outputs(self) -> int:
        """The number of outputs per pixel."""
        return len(self.structures) - (self.head == "sigmoid")


def draft_of(checkpoint: Checkpoint, *, architecture: str | None = None, encoder: str | None = None) -> Draft:
    """The draft of a network from the names and shapes of a checkpoint's weights and the config beside them.

    `architecture` and `encoder` are the user's word where names reveal nothing or mislead. Raises WeightsError for
    weights of an unknown network.
    """
    config = dict(checkpoint.config or {})
    if architecture is None and encoder is None and "_model_class" in config:
        name = smp.checked_class(config["_model_class"])
        arguments = smp.checked_arguments(name, config)
        asked: dict[str, str] = {}
    else:
        name, arguments = _inferred(checkpoint, architecture, encoder)
        asked = {key: why for key, why in ASKED.items() if key in _options_of(name) and key not in arguments}
    return _completed(checkpoint, name, arguments, asked)


def guessed_head(outputs: int) -> str:
    """What this number of outputs means unless the user says otherwise."""
    return HEADS[1] if outputs == 1 else HEADS[0]


def class_count(outputs: int, head: str) -> int:
    """The number of classes of a network with this number of outputs, background included."""
    return outputs + (head == "sigmoid")


def model_of(draft: Draft, *, meta: bool = False) -> Any:
    """The network of a draft, with random weights."""
    name = smp.checked_class(draft.architecture)
    return smp.built(name, smp.checked_arguments(name, draft.arguments), meta=meta)


def segmentation_weights(checkpoint: Checkpoint) -> dict[str, Any]:
    """The weights that segment: without a head that classifies whole images."""
    return {key: value for key, value in checkpoint.state.items() if not key.startswith("classification_head.")}


def renamed(state: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """Weights under the names of the installed library, which knows those of its older versions.

    `model` is on the meta device, and receives the weights without a copy.
    """
    weights = dict(state)
    with suppress(RuntimeError):  # `fit` names what does not fit
        model.load_state_dict(weights, assign=True)
    return weights


def _completed(checkpoint: Checkpoint, name: str, arguments: dict[str, Any], asked: dict[str, str]) -> Draft:
    config = checkpoint.config or {}
    options = {**_options_of(name), **arguments}
    outputs, channels = int(options["classes"]), int(options["in_channels"])
    activation = str(config.get("activation"))
    head = HEAD_OF_ACTIVATION.get(activation, guessed_head(outputs))
    if outputs == 1:
        head = HEADS[1]
    elif activation not in HEAD_OF_ACTIVATION:
        asked["head"] = f"whether its {outputs} outputs exclude one another"
    asked["scaling"] = "how intensities were scaled when it was trained"
    asked["pixel_mm"] = "the pixel size that it was trained on"
    try:
        structures = numbered(class_count(outputs, head))
        model = smp.built(name, arguments, meta=True)
        preprocessing = _preprocessing(str(options["encoder_name"]), channels, smp.multiple_of(model, options), config)
    except ValueError as error:
        raise WeightsError(f"{checkpoint.name}: {error}") from error
    notes = [*checkpoint.notes]
    if any(key.startswith("classification_head.") for key in checkpoint.state):
        notes.append("Its head that classifies whole images is left out.")
    return Draft(checkpoint.name, name, arguments, preprocessing, head, structures, asked, tuple(notes))


def _preprocessing(encoder: str, channels: int, multiple: int, config: Mapping[str, Any]) -> Preprocessing:
    """Three channels mean an encoder that began with colour images, unless the config says it did not."""
    if channels == 3 and config.get("encoder_weights", "unknown") is not None:
        mean, std = smp.statistics_of(encoder)
        return Preprocessing(channels, window=UNTIL_ONE, mean=mean, std=std, multiple=multiple)
    names = tuple(f"channel {number}" for number in range(1, channels + 1)) if channels not in (1, 3) else ()
    return Preprocessing(channels, names, window=UNTIL_ONE, multiple=multiple)


def _inferred(checkpoint: Checkpoint, architecture: str | None, encoder: str | None) -> tuple[str, dict[str, Any]]:
    state = segmentation_weights(checkpoint)
    shapes = shapes_of(state)
    class_name = smp.checked_class(architecture) if architecture else architecture_of(shapes)
    if class_name is None:
        raise WeightsError(
            f"{checkpoint.name}: its weights ({', '.join(list(shapes)[:3])}, …) are of no architecture of "
            f"segmentation_models_pytorch ({', '.join(MARKS)}); open a network of another library with "
            "`scse-viz app --network my_code.py:make_network --weights FILE`"
        )
    try:
        candidates = decoder_arguments(class_name, shapes)
    except (KeyError, IndexError) as error:
        lacks = error.args[0] if error.args else HEAD
        raise WeightsError(
            f"{checkpoint.name}: looks like {class_name}, but lacks {lacks}; save all of its weights"
        ) from error
    best: tuple[Fit, dict[str, Any]] | None = None
    for arguments in _with_encoders(class_name, candidates, shapes, encoder):
        try:
            model = smp.built(class_name, smp.checked_arguments(class_name, arguments), meta=True)
        except WeightsError:
            continue
        difference = fit(renamed(state, model), model)
        if not difference.differences:
            return class_name, arguments
        if best is None or difference.differences < best[0].differences:
            best = difference, arguments
    if best is None:
        raise WeightsError(
            f"{checkpoint.name}: a {class_name} whose encoder is none of segmentation_models_pytorch and none of the "
            f"usual ones of timm; {SAY_WHICH}"
        )
    nearest = f"{class_name} with encoder {best[1]['encoder_name']}"
    raise WeightsError(f"{checkpoint.name}: the nearest network is {nearest}, but {best[0].sentence}")


def _with_encoders(
    architecture: str, candidates: list[dict[str, Any]], shapes: Shapes, encoder: str | None
) -> Iterator[dict[str, Any]]:
    """Arguments with every encoder that fits the shapes, or with the one that the user names."""
    for arguments in candidates:
        depth = arguments["encoder_depth"]
        if encoder is not None:
            channels = next((given for _, given in encoders_like(shapes, architecture, depth)), _first_channels(shapes))
            yield {"encoder_name": smp.checked_encoder(encoder), "in_channels": channels, **arguments}
            continue
        for name, channels in encoders_like(shapes, architecture, depth):
            yield {"encoder_name": name, "in_channels": channels, **arguments}


def _first_channels(shapes: Shapes) -> int:
    """The channels that the first convolution of the encoder takes."""
    return next((s[1] for name, s in shapes.items() if name.startswith("encoder.") and len(s) == 4), 3)


def _options_of(architecture: str) -> dict[str, Any]:
    """The arguments of a class with their defaults."""
    parameters = inspect.signature(smp.known_classes()[architecture].__init__).parameters
    return {
        name: parameter.default
        for name, parameter in parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
