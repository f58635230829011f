"""Which modules run in a pass, and which gates each run multiplies onto features."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from scse_viz.recording.operations import MAKERS, tensors


@dataclass(frozen=True)
class AppliedGate:
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
class Rescaling:
    """The gates that one run of a module multiplies onto one tensor, in `products` products.

    `whole`: that tensor is the module's input, and its output has the same shape.
    """

    features: int
    whole: bool
    gates: list[AppliedGate] = field(default_factory=list)
    products: int = 0


@dataclass(eq=False)
class Call:
    """One run of a module: its path, the number of the tensor that enters it, and what it rescales."""

    path: str
    entered: int | None = None
    rescalings: list[Rescaling] = field(default_factory=list)


class Calls:
    """The runs of the modules of a network in one pass, told by hooks on a twin.

    `gated` lists the runs that applied gates, in order. `runs` counts those of every module followed, `makers` are the
    layers of torch among these. `shapes` has the modules that returned features, in order, and `activations` the mean
    magnitude over channels (B, h, w) of what they returned before the first gate.

    `number` tells tensors apart; `returned` is told the path of a module and what it returned.
    """

    def __init__(self, number: Callable[[Tensor], int], returned: Callable[[str, Tensor], None]) -> None:
        self.gated: list[Call] = []
        self.runs: Counter[str] = Counter()
        self.makers: set[str] = set()
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.activations: dict[str, Tensor] = {}
        self._stack = [Call("")]
        self._number = number
        self._returned = returned

    @property
    def path(self) -> str:
        """The path of the module that runs now."""
        return self._stack[-1].path

    def follow(self, model: nn.Module) -> None:
        """Register the hooks on a twin.

        Layers of torch apply no gates: they are skipped, except those that make gates.
        """
        for path, module in model.named_modules():
            kind = type(module)
            of_torch = kind.__module__.startswith("torch.nn.")
            if of_torch and kind.__name__ in MAKERS:
                self.makers.add(path)
            if not of_torch or not path or kind.__name__ in MAKERS:
                module.register_forward_pre_hook(partial(self._enter, path), with_kwargs=True)
                module.register_forward_hook(self._leave)

    def rescaled(self, gate: AppliedGate, entered: int) -> Rescaling:
        """Keep a gate with the others that the same run of a module multiplies onto the same tensor."""
        call = self._stack[-1]
        if not call.rescalings:
            self.gated.append(call)
        for rescaling in call.rescalings:
            if rescaling.features == entered and gate.kind not in {other.kind for other in rescaling.gates}:
                break
        else:
            rescaling = Rescaling(entered, whole=entered == call.entered)
            call.rescalings.append(rescaling)
        rescaling.gates.append(gate)
        return rescaling

    def _enter(self, path: str, module: nn.Module, args: tuple, kwargs: dict[str, Any]) -> None:
        first = next(tensors((*args, *kwargs.values())), None)
        self._stack.append(Call(path, None if first is None else self._number(first)))

    def _leave(self, module: nn.Module, inputs: Any, output: Any) -> None:
        call = self._stack.pop()
        self.runs[call.path] += 1
        shape: tuple[int, ...] | None = None
        if isinstance(output, Tensor) and output.is_floating_point():
            self._returned(call.path, output)
            shape = tuple(output.shape) if output.ndim >= 4 else None
        if shape is not None:
            self.shapes[call.path] = shape
            if not self.gated:  # all that a network without gates has to show
                self.activations[call.path] = torch.linalg.vector_norm(output, ord=1, dim=1) / shape[1]
        for rescaling in call.rescalings:
            rescaling.whole &= len(call.rescalings) == 1 and rescaling.gates[0].features == shape
