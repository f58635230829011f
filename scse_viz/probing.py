"""Find gates by what they do: tensors in [0, 1] that a pass multiplies onto features.

A gate comes out of a sigmoid, a hard sigmoid, a softmax or a tanh, be it a module, a function or a method. On its way
it may be reshaped, scaled, enlarged or joined with another gate; it ends in a product with features that it broadcasts
against. `Watch` sees the operations themselves, so names and layouts of modules do not matter.

An activation is no gate: a tensor times its own sigmoid (SiLU, and GELU or Mish written out), or one part of a tensor
times the sigmoid of another (GLU).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

from scse_viz.operations import (
    CARRIERS,
    CLIPS,
    FOLLOWED,
    FORMS,
    JOINS,
    MAKERS,
    PARTS,
    POINTWISE,
    PRODUCTS,
    SIGNS,
    aten,
    carried_shape,
    kind_of,
    limits,
    narrowed,
    number_in,
    scaled,
    tensors,
)

Handler = Callable[[int, Tensor], Tensor]
"""(number of the gate, gate) -> the gate to use."""
ProductHandler = Callable[[Sequence[int], Tensor, Callable[[], Tensor]], Tensor]
"""(numbers of its gates, features, the product) -> what to use as the product."""


@dataclass(frozen=True)
class Gate:
    """A gate as it was applied.

    `number` counts the operations of a pass that could be gates; `maker` is the path of the module that ran this one.
    `kind` is "channel", "spatial", "full" (an entry for every feature) or "mixed"; `form` says what it comes out of.
    `shape` and `features`, that of what it multiplies, include the batch; the shape is 1 where the gate is constant.
    """

    number: int
    kind: str
    form: str
    maker: str
    shape: tuple[int, ...]
    features: tuple[int, ...]


@dataclass(eq=False)
class Recalibration:
    """The gates that one run of a module multiplies onto one tensor, in `products` products.

    `whole`: that tensor is the module's input, and its output has the same shape.
    """

    features: int
    whole: bool
    gates: list[Gate] = field(default_factory=list)
    products: int = 0


@dataclass(eq=False)
class Call:
    """One run of a module: its path, the number of the tensor that enters it, and what it recalibrates."""

    path: str
    entered: int | None = None
    recalibrations: list[Recalibration] = field(default_factory=list)


@dataclass(frozen=True)
class _Source:
    """A tensor's origin in an operation that may be a gate; `root` is the number of the tensor that went in."""

    number: int
    form: str
    maker: str
    shape: tuple[int, ...]
    root: int


class Watch(TorchDispatchMode):
    """Follows gates through the operations of one pass, in the thread that enters it.

    `at_gate` is told every gate as it is applied, narrowed to one entry along the axes where it is constant, and
    returns the gate to use; `at_product` returns what to use as the product. After `follow_modules`, `calls` lists the
    runs of modules that applied gates, `ran` the modules that ran, `shapes` those that returned features, in order,
    and `activations` the mean magnitude over channels (B, h, w) of what they returned before the first gate.
    """

    def __init__(self, at_gate: Handler | None = None, at_product: ProductHandler | None = None) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.ran: set[str] = set()
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.activations: dict[str, Tensor] = {}
        self._stack = [Call("")]
        self._at_gate = at_gate
        self._at_product = at_product
        self._sources = 0
        self._seen: set[int] = set()
        self._tags: WeakIdKeyDictionary = WeakIdKeyDictionary()  # tensor -> its sources
        self._numbers: WeakIdKeyDictionary = WeakIdKeyDictionary()  # tensor -> number
        self._roots: dict[int, int] = {}  # number of f(x), entry by entry -> that of x
        self._wholes: dict[int, int] = {}  # number of a part -> that of the tensor that it is part of
        self._last_number = 0

    def follow_modules(self, model: nn.Module) -> None:
        """Register hooks on a twin that tell which module runs.

        Layers of torch apply no gates: they are passed over, but for those that make them.
        """
        for path, module in model.named_modules():
            kind = type(module)
            if not kind.__module__.startswith("torch.nn.") or not path or kind.__name__ in MAKERS:
                module.register_forward_pre_hook(partial(self._enter, path), with_kwargs=True)
                module.register_forward_hook(self._leave)

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if func in FORMS or (func in CLIPS and limits(args) in ((0, 1), (0, 6))):
            return self._source(func, args, kwargs)
        if func not in FOLLOWED:
            return func(*args, **kwargs)
        tagged = [tags for value in tensors(args) if (tags := self._tags.get(value))] if self._sources else []
        if len(tagged) == 1 and func in PRODUCTS and all(isinstance(one, Tensor) and one.ndim for one in args):
            return self._product(func, args)
        if len(tagged) == 2 and func in JOINS:
            out = func(*self._used(func, args), **kwargs)
            self._tags[out] = [source for tags in tagged for source in tags]
            return out
        out = func(*args, **kwargs)
        if func in POINTWISE and isinstance(out, Tensor):
            self._remember_root(args, out)
        if func in PARTS:
            self._remember_parts(args[0], out)
        if tagged:
            self._carry(func, args, tagged, out)
        return out

    def _source(self, func: Any, args: tuple, kwargs: dict) -> Tensor:
        root = self._root(args[0])
        out = func(*args, **kwargs)
        form = FORMS.get(func) or ("clip" if limits(args) == (0, 6) else "clip to 0..1")
        if form == "softmax" and args[1] == 1 and out.ndim > 2:
            form = "softmax over branches"
        self._tags[out] = [_Source(self._sources, form, self._stack[-1].path, tuple(out.shape), root)]
        self._sources += 1
        return out

    def _carry(self, func: Any, args: tuple, tagged: list[list[_Source]], out: Any) -> None:
        """Tag what comes out of an operation on gates."""
        if func in CARRIERS:
            for value in tensors(out if isinstance(out, list | tuple) else (out,)):
                self._tags[value] = [
                    replace(source, shape=carried_shape(func, source.shape, value))
                    for tags in tagged
                    for source in tags
                ]
        elif func in SIGNS and (number := number_in(args)) is not None:
            self._tags[out] = [replace(source, form=scaled(source.form, SIGNS[func], number)) for source in tagged[0]]

    def _product(self, func: Any, args: tuple) -> Tensor:
        """Run a product with a tensor that comes from gates."""
        gate, features = args[:2] if args[0] in self._tags else args[1::-1]
        sources = [source for source in self._tags[gate] if self._gates(source, gate, features)]
        if not sources:
            return func(*args)
        entered, shape = self._number(features), tuple(features.shape)
        for found in {self._note(source, entered, shape) for source in sources}:
            if found is not None:
                found.products += 1
        args = self._used(func, args) if len(self._tags[gate]) == 1 else args
        if self._at_product is None:
            return func(*args)
        out = self._at_product([source.number for source in sources], features, lambda: func(*args))
        return args[0].copy_(out) if func is aten.mul_.Tensor and out is not args[0] else out

    def _used(self, func: Any, args: tuple) -> tuple:
        """The operands of a product or a join, gates among them replaced as the handler says."""
        if self._at_gate is None:
            return args
        used = list(args)
        for at, value in enumerate(args):
            tags = self._tags.get(value) if isinstance(value, Tensor) else None
            if tags is None or len(tags) != 1:
                continue
            gate = narrowed(value, tags[0].shape)
            changed = self._at_gate(tags[0].number, gate)
            if changed is not gate:
                in_place = at == 0 and func._schema.name.endswith("_")
                used[at] = value.copy_(changed.expand_as(value)) if in_place else changed
        return tuple(used)

    def _gates(self, source: _Source, gate: Tensor, features: Tensor) -> bool:
        """Whether a product of a tensor from a source with features recalibrates them."""
        if features.ndim < 4 or not features.is_floating_point() or source.form == "clip":
            return False
        if (
            torch.broadcast_shapes(gate.shape, features.shape) != features.shape
            or kind_of(source.shape, tuple(features.shape)) is None
        ):
            return False
        root, number = source.root, self._root(features)
        siblings = root in self._wholes and self._wholes[root] == self._wholes.get(number)
        return root != number and not siblings

    def _note(self, source: _Source, entered: int, features: tuple[int, ...]) -> Recalibration | None:
        """Keep a gate with the others that the same run of a module multiplies onto the same tensor."""
        if source.number in self._seen:
            return None
        call = self._stack[-1]
        self._seen.add(source.number)
        if not call.recalibrations:
            self.calls.append(call)
        kind = kind_of(source.shape, features) or "mixed"
        gate = Gate(source.number, kind, source.form, source.maker, source.shape, features)
        for found in call.recalibrations:
            if found.features == entered and kind not in {other.kind for other in found.gates}:
                break
        else:
            found = Recalibration(entered, whole=entered == call.entered)
            call.recalibrations.append(found)
        found.gates.append(gate)
        return found

    def _number(self, value: Tensor) -> int:
        number = self._numbers.get(value)
        if number is None:
            self._last_number = number = self._last_number + 1
            self._numbers[value] = number
        return number

    def _root(self, value: Tensor) -> int:
        number = self._number(value)
        return self._roots.get(number, number)

    def _remember_root(self, args: tuple, out: Tensor) -> None:
        roots = {self._root(value) for value in args if isinstance(value, Tensor) and value.ndim}
        if len(roots) == 1 and out is not args[0]:
            self._roots[self._number(out)] = roots.pop()

    def _remember_parts(self, whole: Tensor, out: Any) -> None:
        number = self._number(whole)
        for part in tensors(out if isinstance(out, list | tuple) else (out,)):
            if part is not whole:
                self._wholes[self._number(part)] = number

    def _enter(self, path: str, module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
        first = next(tensors((*args, *kwargs.values())), None)
        self._stack.append(Call(path, None if first is None else self._number(first)))

    def _leave(self, module: nn.Module, inputs: Any, output: Any) -> None:
        call = self._stack.pop()
        self.ran.add(call.path)
        shape = (
            tuple(output.shape)
            if isinstance(output, Tensor) and output.is_floating_point() and output.ndim >= 4
            else None
        )
        if shape is not None:
            self.shapes[call.path] = shape
            if not self.calls:  # all that a network without gates has to show
                self.activations[call.path] = output.abs().mean(dim=1)
        for found in call.recalibrations:
            found.whole &= len(call.recalibrations) == 1 and found.gates[0].features == shape
