"""Passes that change one block each, resumed where the change takes effect.

Until the first changed gate is made, a changed pass computes what the unchanged one has computed. So the unchanged pass
keeps what modules return, and in a changed pass every module that had ended by then returns the same at once. That is
done only where it is certain: the module runs once a pass, nothing has overwritten what it returned, and neither it nor
its parts have hooks or keep anything of a pass on themselves.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from scse_viz.attention import Inputs, Tap, find_sites
from scse_viz.intervention import Change, change_block, check_block, intervene
from scse_viz.recording.operations import place_in_memory
from scse_viz.recording.probing import Watch
from scse_viz.recording.sites import Site
from scse_viz.recording.twins import evaluated_twin, is_hooked

MOST_BYTES = 512 * 2**20
"""Memory for what modules return; beyond it they run again."""


@dataclass(frozen=True, eq=False)
class _Returned:
    """What a run of a module returned, and where that lay in memory when it ended.

    `ended` counts the starts and ends of modules until then, `made` the operations that could be gates.
    """

    path: str
    value: Any
    stored: tuple[Any, ...]
    ended: int
    made: int

    def intact(self) -> bool:
        """Whether nothing has been written to it since."""
        return self.stored == _stored(self.value)


@dataclass(frozen=True)
class _Onset:
    """When a change takes effect: at an event of the unchanged pass, or when operations of some numbers run."""

    event: int = 0
    numbers: frozenset[int] = frozenset()

    def follows(self, returned: _Returned) -> bool:
        """Whether a module had ended by then."""
        return returned.ended <= self.event and all(returned.made <= number for number in self.numbers)


def sweep_changes(
    model: nn.Module, x: Inputs, changes: Iterable[tuple[str, Change]], *, sites: Mapping[str, Site] | None = None
) -> Iterator[Any]:
    """Make each of some changes (block, change) alone: yields the outputs of `intervene`, in less time.

    Takes one more pass, without changes, and memory for what modules return in it. Raises as `intervene`.
    """
    sites = find_sites(model, x) if sites is None else sites
    unchanged: _UnchangedPass | None = None
    for name, change in changes:
        check_block(name, sites)
        unchanged = unchanged or _UnchangedPass(evaluated_twin(model), x, sites)
        output, made = unchanged.resumed(name, change)
        yield output if made else intervene(model, x, {name: change}, sites=sites).output


class _UnchangedPass:
    """A pass of a twin without changes: what its modules return, of which changed passes make use.

    While it runs, only what a change of some gate can need is kept: nothing of the parts of a module without gates.
    """

    def __init__(self, runner: nn.Module, x: Inputs, sites: Mapping[str, Site]) -> None:
        self._runner, self._arguments, self._sites = runner, x if isinstance(x, tuple) else (x,), sites
        sources = [source for site in sites.values() for source in (*site.gates.values(), site.products or site.block)]
        self._followed = {source for source in sources if isinstance(source, str)}
        self._watch = Watch(self._applied)
        self._applications: Counter[int] = Counter()  # of a gate, by its number
        self._began: dict[str, int] = {}  # path -> the event at which a module with a gate first began
        self._runs: Counter[str] = Counter()
        self._kept: list[_Returned] = []
        self._events = self._made = 0
        self._needed = 0  # how many of those kept had ended before the last gate
        modules = {path: module for path, module in runner.named_modules() if path}
        states = {path: _state(module) for path, module in modules.items()}
        self._forwards = {path: module.forward for path, module in modules.items()}
        for path, module in modules.items():
            module.forward = partial(self._run, path)
        with torch.no_grad(), self._watch if any(isinstance(source, tuple) for source in sources) else nullcontext():
            runner(*self._arguments)
        unsafe = [
            path for path, module in modules.items() if is_hooked(module) or not _same(_state(module), states[path])
        ]
        self._kept = [returned for returned in self._kept if self._is_safe(returned.path, unsafe)]
        for path, module in modules.items():
            module.forward = self._forwards[path]
        del self._watch  # which refers to this object: features should not wait for the garbage collector

    def resumed(self, name: str, change: Change) -> tuple[Any, bool]:
        """The output of a pass with a block changed, and whether the change was made wherever it belongs."""
        site, tap = self._sites[name], Tap()
        onset = self._onset(site, change)
        left = Counter({number: self._applications[number] for number in onset.numbers})

        def at_gate(number: int, gate: Tensor) -> Tensor:
            left[number] -= 1
            watch.over = not tap.products and not any(count > 0 for count in left.values())
            return tap.gate(number, gate)

        watch = Watch(at_gate, tap.product)
        hooks = change_block(self._runner, tap, name, site, change)
        used = [returned for returned in self._kept if onset.follows(returned)]
        for returned in used:
            again = partial(_again, watch, returned, self._forwards[returned.path])
            self._runner.get_submodule(returned.path).forward = again
        with torch.no_grad(), watch if onset.numbers else nullcontext():
            output = self._runner(*self._arguments)
        for returned in used:
            self._runner.get_submodule(returned.path).forward = self._forwards[returned.path]
        for hook in hooks:
            hook.remove()
        return output, not any(left.values())

    def _onset(self, site: Site, change: Change) -> _Onset:
        sources = [source for kind, source in site.gates.items() if getattr(change, kind) is not None]
        if change.strength != 1 or change.without:
            sources.append(site.products or site.block)
        events = [self._began.get(source, 0) for source in sources if isinstance(source, str)]
        numbers = [number for source in sources if isinstance(source, tuple) for number in source]
        return _Onset(min(events, default=self._events), frozenset(numbers))

    def _is_safe(self, path: str, unsafe: list[str]) -> bool:
        return self._runs[path] == 1 and not any(f"{other}.".startswith(f"{path}.") for other in unsafe)

    def _applied(self, number: int, gate: Tensor) -> Tensor:
        self._applications[number] += 1
        return gate

    def _run(self, path: str, *args: Any, **kwargs: Any) -> Any:
        """Run a module of the unchanged pass, and keep what it returns."""
        first = len(self._kept)
        self._event()
        if path in self._followed:
            self._began.setdefault(path, self._events)
            self._needed = first
        value = self._forwards[path](*args, **kwargs)
        self._event()
        self._runs[path] += 1
        del self._kept[max(first, self._needed) :]  # parts after which no gate follows in this module
        stored = _stored(value)
        if stored and None not in stored and self._bytes(value) <= MOST_BYTES:
            self._kept.append(_Returned(path, value, stored, self._events, self._watch.made))
        return value

    def _event(self) -> None:
        """Count the start or end of a module."""
        self._events += 1
        if self._watch.made > self._made:
            self._made, self._needed = self._watch.made, len(self._kept)

    def _bytes(self, value: Any) -> int:
        """Memory of all that is kept, and of one value more."""
        held = [tensor for returned in self._kept for tensor in _tensors(returned.value)]
        storages = [tensor.untyped_storage() for tensor in (*held, *_tensors(value))]
        return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def _again(watch: Watch, returned: _Returned, forward: Any, *args: Any, **kwargs: Any) -> Any:
    """What a module returned, or what it returns now if that has been overwritten."""
    if not returned.intact():
        return forward(*args, **kwargs)
    watch.made = returned.made
    return returned.value.copy() if isinstance(returned.value, list | dict) else returned.value


def _stored(value: Any) -> tuple[Any, ...]:
    return tuple(place_in_memory(tensor) for tensor in _tensors(value))


def _tensors(value: Any) -> list[Tensor]:
    """The tensors in a value: itself, or those in its lists, tuples and dicts; none where it holds anything else."""
    if isinstance(value, Tensor):
        return [value]
    parts = list(value.values() if isinstance(value, dict) else value) if isinstance(value, list | tuple | dict) else []
    return parts if all(isinstance(part, Tensor) for part in parts) else []


def _state(module: nn.Module) -> list[Any]:
    """All that a module keeps, one level deep in its containers."""
    state: list[Any] = []
    for name, value in vars(module).items():
        if name != "forward":
            inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | set) else ()
            state += [name, value, *inside]
    return state


def _same(first: list[Any], second: list[Any]) -> bool:
    return len(first) == len(second) and all(one is other for one, other in zip(first, second, strict=True))
