"""The device that a network runs on, and what goes there with it."""

import os
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass, replace
from itertools import chain
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

AUTO = "auto"
VARIABLE = "SCSE_VIZ_DEVICE"
"""The environment variable that says on which device the app runs its networks."""


class DeviceError(ValueError):
    """A device that this machine lacks; the message is a sentence for users."""


def device_named(name: str = AUTO) -> torch.device:
    """The device of a name as torch has them (cpu, cuda, cuda:1, mps), or auto: a CUDA device where there is one.

    Raises DeviceError for a name that is unknown, and for a device that torch does not find.
    """
    if name == AUTO:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type == "meta":
        raise DeviceError(f"{name}: no device of torch; choose auto, cpu, cuda, or a number of these as cuda:1")
    try:
        return torch.empty(0, device=device).device  # with its number
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise DeviceError(
            f"{name}: torch finds no such device; choose cpu or auto, or install torch for your graphics card"
        ) from error


def device_of_app(environment: Mapping[str, str] = os.environ) -> torch.device:
    """What SCSE_VIZ_DEVICE says, else auto. Raises DeviceError."""
    return device_named(environment.get(VARIABLE, "").strip() or AUTO)


def in_words(device: torch.device) -> str:
    """A device as a page names it: the processor, or cuda:0 and the name of its card."""
    if device.type == "cpu":
        return "the processor"
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)


Network = TypeVar("Network", bound=nn.Module)


def on_device(model: Network, device: str | torch.device = AUTO) -> Network:
    """The network on a device: itself where it is there, else a copy. Raises DeviceError."""
    target = device_named(device) if isinstance(device, str) else device
    return model if device_of(model) == target else deepcopy(model).to(target)


def device_of(model: nn.Module) -> torch.device:
    """The device of a network's weights; the processor for a network without any."""
    tensor: Tensor | None = next(chain(model.parameters(), model.buffers()), None)
    return torch.device("cpu") if tensor is None else tensor.device


def beside(x: Tensor, model: nn.Module) -> Tensor:
    """A tensor on the device of a network."""
    return x.to(device_of(model))


def on_processor(value: Any) -> Any:
    """A tensor, or the tensors of a named tuple or a dataclass, in the processor's memory; anything else as it is."""
    if isinstance(value, Tensor):
        return value.cpu()
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(on_processor, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: on_processor(getattr(value, field.name)) for field in fields(value)})
    return value
