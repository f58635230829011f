"""Networks of segmentation_models_pytorch: the classes that are known, checked arguments, and building them.

The library takes seconds to import, so it is imported where it is used.
"""

import inspect
import math
import warnings
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from scse_viz.zoo.cards import WeightsError

LARGEST_NUMBER = 8192
LONGEST_LIST = 8
FORCED: Mapping[str, None] = {"encoder_weights": None, "activation": None, "aux_params": None}
"""No hub is contacted, the output stays logits, and there is no head that classifies whole images."""
OF_ENCODERS = ("drop_rate", "drop_path_rate", "dynamic_img_size", "img_size", "patch_size", "window_size")
"""Arguments for timm's encoders; others, `checkpoint_path` among them, are refused."""
OLD_NAMES = {
    "decoder_use_batchnorm": "decoder_use_norm",
    "psp_use_batchnorm": "decoder_use_norm",
    "upscale_mode": "decoder_interpolation",
}
NORMS = ("batchnorm", "identity", "layernorm", "instancenorm")


def known_classes() -> dict[str, type[nn.Module]]:
    """The architectures of the installed library, by the name of their class."""
    import segmentation_models_pytorch as smp

    return {architecture.__name__: architecture for architecture in smp.MODEL_ARCHITECTURES_MAPPING.values()}


def known_encoders() -> tuple[str, ...]:
    """SMP's own encoders; those of timm, `tu-NAME`, are in addition."""
    from segmentation_models_pytorch.encoders import encoders

    return tuple(encoders)


def checked_class(name: object) -> str:
    """The name of an architecture, in whatever case; raises WeightsError for an unknown one."""
    known = {spelled.lower(): spelled for spelled in known_classes()}
    checked = known.get(str(name).lower())
    if checked is None:
        raise WeightsError(
            f"architecture {str(name)[:60]!r} is none of segmentation_models_pytorch; choose one of "
            f"{', '.join(known.values())}"
        )
    return checked


def checked_encoder(name: object) -> str:
    """The name of an encoder; raises WeightsError for one that neither SMP nor timm has on this machine."""
    from scse_viz.models.smp_unet import is_encoder

    said = str(name)
    if is_encoder(said):
        return said
    some = ", ".join(known_encoders()[:4])
    raise WeightsError(
        f"encoder {said[:60]!r} is unknown; choose one of segmentation_models_pytorch ({some}, …), or a model of timm "
        "as tu-NAME"
    )


def checked_arguments(architecture: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a class, as a file or a form gives them, without FORCED and names that begin with `_`.

    Raises WeightsError for one that the class lacks, and for values that no network has.
    """
    names = inspect.signature(known_classes()[architecture].__init__).parameters
    arguments = {}
    for key, value in given.items():
        name = OLD_NAMES.get(key, key)
        if key.startswith("_") or name in FORCED:
            continue
        if name not in names and name not in OF_ENCODERS:
            raise WeightsError(f"{architecture}: its config has {key[:60]!r}, which cannot be used here; remove it")
        arguments[name] = _checked_value(architecture, name, value)
    arguments["encoder_name"] = checked_encoder(arguments.get("encoder_name", names["encoder_name"].default))
    if isinstance(arguments.get("decoder_use_norm"), bool):
        arguments["decoder_use_norm"] = "batchnorm" if arguments["decoder_use_norm"] else "identity"
    if arguments.get("decoder_use_norm") == "inplace":
        arguments["decoder_use_norm"] = "batchnorm"  # the same numbers, in less memory
    return arguments


def built(architecture: str, arguments: Mapping[str, Any], *, meta: bool = False) -> nn.Module:
    """A network with random weights, in evaluation mode; on the meta device it takes no memory.

    Raises WeightsError with the library's own reason where it cannot be built.
    """
    device = torch.device("meta") if meta else nullcontext()
    numbers = NumbersOnCpu() if meta else nullcontext()
    try:
        with warnings.catch_warnings(), torch.random.fork_rng(devices=[]), device, numbers:
            warnings.simplefilter("ignore")  # of old names of encoders
            return known_classes()[architecture](**arguments, **FORCED).eval()
    except (KeyError, ValueError, TypeError, RuntimeError, NotImplementedError, AssertionError, IndexError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{architecture} cannot be built with these arguments: {said[:200]}") from error


def multiple_of(model: nn.Module, arguments: Mapping[str, Any]) -> int:
    """What rows and columns of the input must be a multiple of, so that every stage has whole pixels."""
    stride = int(getattr(model.encoder, "output_stride", 32))
    strides = getattr(model.encoder, "output_strides", None)
    if strides is not None:  # of a vision transformer
        return math.lcm(*strides)
    return max(stride, 2 ** int(arguments.get("encoder_depth", 5)))


def statistics_of(encoder: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation, RGB in 0 to 1, that an encoder's pretrained weights were trained with.

    As in segmentation_models_pytorch 0.3, which still listed them; of timm's own encoders, from timm.
    """
    if encoder.startswith("tu-"):
        import timm

        config = timm.get_pretrained_cfg(encoder[3:])
        return (tuple(config.mean), tuple(config.std)) if config is not None else (IMAGENET_MEAN, IMAGENET_STD)
    if encoder.startswith(("inception", "xception")):
        return (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
    if encoder.startswith("dpn"):
        return (124 / 255, 117 / 255, 104 / 255), (1 / (0.0167 * 255),) * 3
    return IMAGENET_MEAN, IMAGENET_STD


IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class NumbersOnCpu(TorchFunctionMode):
    """On the meta device, `linspace` has no values; encoders read their rates of dropped paths from one."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.linspace:
            kwargs["device"] = "cpu"
        return func(*args, **kwargs)


def _checked_value(architecture: str, name: str, value: object) -> Any:
    """A number, a word, or a short list of numbers."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and 0 <= value <= LARGEST_NUMBER:
        return value
    if isinstance(value, str) and len(value) <= 100:
        return value
    numbers = value if isinstance(value, (list, tuple)) and len(value) <= LONGEST_LIST else ("none",)
    if all(isinstance(number, int) and 0 <= number <= LARGEST_NUMBER for number in numbers):
        return tuple(numbers)
    if name == "decoder_use_norm" and isinstance(value, Mapping) and value.get("type") in NORMS:
        return {key: value[key] for key in ("type", "eps", "affine") if key in value}
    raise WeightsError(
        f"{architecture}: {name} is {str(value)[:60]}; numbers are 0 to {LARGEST_NUMBER:,}, and lists have at most "
        f"{LONGEST_LIST} of them"
    )
