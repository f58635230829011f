"""Find gates by what they do: tensors in [0, 1] that a pass multiplies onto features.

A gate comes out of a sigmoid, a hard sigmoid, a softmax or a tanh, be it a module, a function or a method. On its way
it may be reshaped, scaled, enlarged or joined with another gate; it ends in a product with features that it broadcasts
against. `Watch` sees the operations themselves, so names and layouts of modules do not matter.

An activation is no gate: a tensor times its own sigmoid (SiLU, and GELU or Mish written out), or one part of a tensor
times the sigmoid of another (GLU).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from scse_viz.recording.calls import AppliedGate, Calls, Rescaling
from scse_viz.recording.operations import (
    CARRIERS,
    CLIPS,
    FOLLOWED,
    FORMS,
    JOINS,
    PARTS,
    POINTWISE,
    PRODUCTS,
    SIGNS,
    VIEWS,
    ByTensor,
    TorchDispatchMode,
    aten,
    broadcasts,
    carried_shape,
    kind_of,
    limits,
    narrowed,
    number_in,
    place_in_memory,
    scaled,
    tensors,
)

Handler = Callable[[int, Tensor], Tensor]
"""(number of the gate, gate) -> the gate to use."""
ProductHandler = Callable[[Sequence[int], Tensor, Callable[[], Tensor]], Tensor]
"""(numbers of its gates, features, the product) -> what to use as the product."""


@dataclass(frozen=True)
class _Source:
    """A tensor's origin in an operation that may be a gate; `root` is the number of the tensor that went in.

    `made` is the place of the output in memory, None once an operation other than a view has passed it on.
    """

    number: int
    form: str
    maker: str
    shape: tuple[int, ...]
    root: int
    made: tuple | None


class Watch(TorchDispatchMode):
    """Follows gates through the operations of one pass, in the thread that enters it.

    `at_gate` is told every gate as it is applied, narrowed to one entry along the axes where it is constant, and
    returns the gate to use; `at_product` returns what to use as the product. After `follow_modules`, `calls` tells
    which modules ran and applied gates, and `whole_outputs` the path of the module, for every gate that is exactly
    what a module returned. `made` is the number of operations so far that could be gates; once `over` is set, the pass
    goes on unwatched.
    """

    def __init__(self, at_gate: Handler | None = None, at_product: ProductHandler | None = None) -> None:
        super().__init__()
        self.calls = Calls(self._number, self._returned)
        self.whole_outputs: dict[int, str] = {}
        self._at_gate = at_gate
        self._at_product = at_product
        self.made = 0
        self.over = False
        self._seen: set[int] = set()
        self._makers: dict[int, str] = {}  # number of a gate -> path of the module that returned it
        self._tags: ByTensor[list[_Source]] = ByTensor()
        self._numbers: ByTensor[int] = ByTensor()
        self._learned: ByTensor[bool] = ByTensor()  # views of parameters
        self._roots: dict[int, int] = {}  # number of f(x), entry by entry -> that of x
        self._wholes: dict[int, int] = {}  # number of a part -> that of the tensor that it is part of
        self._last_number = 0

    def follow_modules(self, model: nn.Module) -> None:
        """Register hooks on a twin that tell which module runs."""
        self.calls.follow(model)

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if self.over:
            return func(*args, **kwargs)
        if func in FORMS or (func in CLIPS and limits(args) in ((0, 1), (0, 6))):
            return self._source(func, args, kwargs)
        if func not in FOLLOWED:
            return func(*args, **kwargs)
        tagged = [tags for value in tensors(args) if (tags := self._tags.get(value))] if self.made else []
        if (
            len(tagged) == 1
            and func in PRODUCTS
            and all(isinstance(operand, Tensor) and operand.ndim for operand in args)
        ):
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
        if func in VIEWS and self._is_learned(args[0]):
            self._learned[out] = True
        if tagged:
            self._carry(func, args, tagged, out)
        return out

    def _source(self, func: Any, args: tuple, kwargs: dict) -> Tensor:
        root = self._root(args[0])
        out = func(*args, **kwargs)
        form = FORMS.get(func) or ("clip" if limits(args) == (0, 6) else "clip to 0..1")
        if form == "softmax" and args[1] == 1 and out.ndim > 2:
            form = "softmax over branches"
        made = place_in_memory(out)
        self._tags[out] = [_Source(self.made, form, self.calls.path, tuple(out.shape), root, made)]
        self.made += 1
        return out

    def _carry(self, func: Any, args: tuple, tagged: list[list[_Source]], out: Any) -> None:
        """Tag what comes out of an operation on gates."""
        if func in CARRIERS:
            sources = [source if func in VIEWS else replace(source, made=None) for tags in tagged for source in tags]
            for value in tensors(out if isinstance(out, list | tuple) else (out,)):
                self._tags[value] = [
                    replace(source, shape=carried_shape(func, source.shape, value)) for source in sources
                ]
        elif func in SIGNS and (number := number_in(args)) is not None:
            sign = SIGNS[func]
            self._tags[out] = [
                replace(source, form=scaled(source.form, sign, number), made=None) for source in tagged[0]
            ]

    def _product(self, func: Any, args: tuple) -> Tensor:
        """Run a product with a tensor that comes from gates."""
        gate, features = args[:2] if self._tags.get(args[0]) else args[1::-1]
        tags = self._tags.get(gate) or []
        if self._is_learned(features):
            out = func(*args)
            self._tags[out] = [
                replace(
                    source, form=f"learned × {source.form}", shape=carried_shape(func, source.shape, out), made=None
                )
                for source in tags
            ]
            return out
        sources = [source for source in tags if self._gates(source, gate, features)]
        if not sources:
            return func(*args)
        entered, shape = self._number(features), tuple(features.shape)
        for rescaling in {self._note(source, entered, shape) for source in sources}:
            if rescaling is not None:
                rescaling.products += 1
        args = self._used(func, args) if len(tags) == 1 else args
        if self._at_product is None:
            return func(*args)
        out = self._at_product([source.number for source in sources], features, lambda: func(*args))
        return args[0].copy_(out) if func is aten.mul_.Tensor and out is not args[0] else out

    def _used(self, func: Any, args: tuple) -> tuple:
        """The operands of a product or a join, gates among them replaced as the handler says."""
        used = list(args)
        for at, value in enumerate(args):
            tags = self._tags.get(value) if isinstance(value, Tensor) else None
            if tags is None or len(tags) != 1:
                continue
            number, gate = tags[0].number, narrowed(value, tags[0].shape)
            if number in self._makers and tags[0].made == place_in_memory(gate):
                self.whole_outputs[number] = self._makers[number]
            changed = gate if self._at_gate is None else self._at_gate(number, gate)
            if changed is not gate:
                in_place = at == 0 and func.overloadpacket.__name__.endswith("_")
                used[at] = value.copy_(changed.expand_as(value)) if in_place else changed
        return tuple(used)

    def _gates(self, source: _Source, gate: Tensor, features: Tensor) -> bool:
        """Whether a product of a tensor from a source with features rescales them."""
        if features.ndim < 4 or not features.is_floating_point() or source.form == "clip":
            return False
        if not broadcasts(gate.shape, features.shape) or kind_of(source.shape, tuple(features.shape)) is None:
            return False
        root, number = source.root, self._root(features)
        siblings = root in self._wholes and self._wholes[root] == self._wholes.get(number)
        return root != number and not siblings

    def _note(self, source: _Source, entered: int, features: tuple[int, ...]) -> Rescaling | None:
        """Keep a gate that has not been seen before."""
        if source.number in self._seen:
            return None
        self._seen.add(source.number)
        kind = kind_of(source.shape, features) or "mixed"
        gate = AppliedGate(source.number, kind, source.form, source.maker, source.shape, features)
        return self.calls.rescaled(gate, entered)

    def _returned(self, path: str, output: Tensor) -> None:
        """Note which module returns a gate: the innermost that does."""
        tags = self._tags.get(output)
        if tags and len(tags) == 1 and tags[0].made is not None and tags[0].made == place_in_memory(output):
            self._makers.setdefault(tags[0].number, path)

    def _is_learned(self, value: Any) -> bool:
        return isinstance(value, nn.Parameter) or bool(isinstance(value, Tensor) and self._learned.get(value))

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
