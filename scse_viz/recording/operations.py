"""The operations that make, carry, join and apply gates, and what each does to a gate's shape and name.

These are the names that torch's dispatcher uses, below functions, methods and modules. What is private to torch about
them is used here alone: the mode that sees every operation, for which torch documents no other path, the count of
changes to a tensor, and operations that begin with an underscore.
"""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar
from weakref import ref

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode as TorchDispatchMode

aten = torch.ops.aten
ATTENTION_ON_CPU = aten._scaled_dot_product_flash_attention_for_cpu
"""Attention on the processor, which torch's own counter of operations leaves out."""
FORMS: dict[Any, str] = {
    aten.sigmoid.default: "sigmoid",
    aten.sigmoid_.default: "sigmoid",
    aten.hardsigmoid.default: "hard sigmoid",
    aten.hardsigmoid_.default: "hard sigmoid",
    aten._softmax.default: "softmax",
    aten.tanh.default: "tanh",
    aten.tanh_.default: "tanh",
}
"""Operations whose output may be a gate, and what a gate from them is called."""
CLIPS = frozenset({aten.hardtanh.default, aten.hardtanh_.default, aten.clamp.default, aten.clamp_.default})
"""With limits 0 and 6 or 0 and 1, a hard sigmoid written out: relu6(x + 3) / 6, or a clip to [0, 1]."""
PARTS = frozenset({aten.split.Tensor, aten.split_with_sizes.default, aten.slice.Tensor, aten.unbind.int})
SPREADS = frozenset(
    {
        *(aten.expand.default, aten.clone.default, aten._to_copy.default, aten.repeat.default, aten.alias.default),
        *(aten.detach.default, aten.upsample_nearest2d.default, aten.upsample_bilinear2d.default),
        *(aten.upsample_nearest3d.default, aten.upsample_trilinear3d.default, aten.upsample_bicubic2d.default),
    }
)
"""Operations that copy or enlarge a gate; an axis along which it was constant stays so."""
VIEWS = frozenset(
    {
        *(aten.view.default, aten._unsafe_view.default, aten._reshape_alias.default, aten.select.int),
        *(aten.unsqueeze.default, aten.squeeze.default, aten.squeeze.dim, aten.squeeze.dims, aten.slice.Tensor),
        *(aten.permute.default, aten.transpose.int, aten.t.default, aten.expand.default, aten.alias.default),
        aten.detach.default,
    }
)
"""Operations that show the same memory in another shape."""
CARRIERS = frozenset({*PARTS, *SPREADS, *VIEWS, aten.cat.default, aten.stack.default})
"""Operations that change how a gate lies in memory or in space, but not its values."""
PRODUCTS = frozenset({aten.mul.Tensor, aten.mul_.Tensor})
SIGNS: dict[Any, str] = {
    **dict.fromkeys((aten.mul.Tensor, aten.mul_.Tensor, aten.mul.Scalar), "×"),
    **dict.fromkeys((aten.div.Tensor, aten.div_.Tensor, aten.div.Scalar), "/"),
    **dict.fromkeys((aten.add.Tensor, aten.add_.Tensor, aten.add.Scalar), "+"),
    aten.rsub.Scalar: "-",
}
"""Operations with a number, by which a gate is scaled, shifted, or subtracted from it."""
JOINS = frozenset(
    {*(aten.add.Tensor, aten.add_.Tensor, aten.add.out, aten.maximum.default), *PRODUCTS, aten.minimum.default}
)
POINTWISE = frozenset({*SIGNS, aten.pow.Tensor_Scalar, aten.softplus.default, aten.exp.default, aten.log1p.default})
FOLLOWED = CARRIERS | JOINS | POINTWISE

MAKERS = frozenset({"Sigmoid", "Hardsigmoid", "Softmax", "Softmax2d", "Tanh", "ReLU6", "Hardtanh"})
"""Layers of torch that make gates."""


Value = TypeVar("Value")


class ByTensor(Generic[Value]):
    """Values by the identity of tensors, which it does not keep alive. torch's WeakTensorKeyDictionary is slower."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[ref, Value]] = {}

    def __setitem__(self, tensor: Tensor, value: Value) -> None:
        self._entries[id(tensor)] = ref(tensor), value

    def get(self, tensor: Tensor) -> Value | None:
        """The value of a tensor; another tensor may have the id of one that is gone."""
        entry = self._entries.get(id(tensor))
        return entry[1] if entry is not None and entry[0]() is tensor else None


def tensors(values: Any) -> Iterator[Tensor]:
    """The tensors among operands, including those in lists."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from tensors(value)


def limits(args: tuple) -> tuple[Any, ...]:
    """The limits of a clip."""
    return tuple(args[1:3])


def number_in(args: tuple) -> float | None:
    """The number among the two operands of an operation, which torch may have wrapped in a tensor."""
    for value in args[:2]:
        if not isinstance(value, Tensor) or not value.ndim:
            return float(value)
    return None


def scaled(form: str, sign: str, number: float) -> str:
    """What a gate is called after an operation with a number: sigmoid, ×, 2 -> 2 × sigmoid."""
    if form == "clip" and ((sign == "/" and number == 6) or (sign == "×" and abs(6 * number - 1) < 1e-3)):
        return "hard sigmoid"
    if number == (0 if sign == "+" else 1) and sign != "-":
        return form
    return f"{form} / {number:g}" if sign == "/" else f"{number:g} {sign} {form}"


def carried_shape(func: Any, shape: tuple[int, ...], out: Tensor) -> tuple[int, ...]:
    """The shape of a gate after an operation that carried it, with 1 for every axis along which it is constant."""
    if func in SPREADS and len(shape) == out.ndim:
        return tuple(
            1 if side == 1 and at else new for at, (side, new) in enumerate(zip(shape, out.shape, strict=True))
        )
    strides = zip(out.shape, out.stride(), strict=True)
    return tuple(1 if at and not stride else side for at, (side, stride) in enumerate(strides))


def broadcasts(gate: tuple[int, ...], features: tuple[int, ...]) -> bool:
    """Whether a product of tensors of two shapes has the second shape; torch's own function is slow."""
    pairs = zip(reversed(gate), reversed(features), strict=False)
    return len(gate) <= len(features) and all(side in (1, other) for side, other in pairs)


def place_in_memory(value: Tensor) -> tuple | None:
    """What tells whether two tensors show the same numbers: address, state, and the axes that have several entries.

    None where torch does not count changes, which it leaves out in inference mode.
    """
    if value.is_inference():
        return None
    axes = tuple(axis for axis in zip(value.shape, value.stride(), strict=True) if axis[0] > 1)
    return value.data_ptr(), value._version, axes


def narrowed(gate: Tensor, shape: tuple[int, ...]) -> Tensor:
    """One entry of a gate along every axis where its shape says that it is constant."""
    for axis, side in enumerate(shape):
        if side == 1 and gate.shape[axis] > 1:
            gate = gate.narrow(axis, 0, 1)
    return gate


def kind_of(shape: tuple[int, ...], features: tuple[int, ...]) -> str | None:
    """What a gate tells apart: "channel", "spatial", "full", "mixed" (rows, say), or None for a gate of an image.

    The last two axes are space. Before them, features of 3-D networks have a third, and those of several branches an
    axis of branches, which counts as channels.
    """
    shape = (1,) * (len(features) - len(shape)) + shape
    if all(side == 1 for side in shape[-2:]) and any(side > 1 for side in shape[1:-2]):
        return "channel"
    if shape[1] == 1 and shape[2:] == features[2:]:
        return "spatial"
    if all(side == 1 for side in shape[1:]):
        return "channel" if features[1] == 1 else None
    return "full" if shape[1:] == features[1:] else "mixed"
