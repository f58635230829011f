"""A network's twin: its tree of modules copied, every parameter shared, so that a hook here is no hook there."""

from collections import OrderedDict, defaultdict
from functools import partial
from types import MethodType
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy


def twin(model: nn.Module) -> nn.Module:
    """The same network with modules of its own, parameters shared and buffers copied: a hook here is no hook there.

    It is made for passes without gradient, and has none of the hooks on gradients, on loading and on saving. Copied are
    modules wherever a module keeps them, in its lists, tuples, dicts, bound methods and partials too, and whatever else
    it keeps is shared: what a function has captured, or an object that is no module holds, stays the original's. The
    twin of a module compiled by torch.compile is that of the module it was made from. Raises ValueError for a network
    that has no such copy: TorchScript, or lazy modules before their first pass.
    """
    with torch.no_grad():
        return _Copier().copied(model)


def evaluated_twin(model: nn.Module) -> nn.Module:
    """A `twin` that stays in evaluation mode: batch normalisations of a model in that mode lend it their statistics."""
    copier = _Copier(lend=True)
    with torch.no_grad():
        runner: nn.Module = copier.copied(model)
    if copier.training:
        runner = twin(model)
        runner.eval()
    return runner


_BATCH_NORMS = frozenset({nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d})
_ATOMS = frozenset({bool, int, float, str, type(None), nn.Parameter})
_CONTAINERS = frozenset({list, dict, OrderedDict, defaultdict})
_BARE = vars(nn.Module())
_SEEN_TO = frozenset(name for name, value in _BARE.items() if isinstance(value, dict | set))
"""What every module has for itself and shares with none: its parameters, buffers, modules and hooks."""
_SIZES: dict[type, int] = {
    type(layer): len(vars(layer))
    for layer in (
        nn.Conv2d(1, 1, 1, device="meta"),
        nn.ConvTranspose2d(1, 1, 1, device="meta"),
        nn.BatchNorm2d(1, device="meta"),
        nn.Linear(1, 1, device="meta"),
        nn.ReLU(),
    )
}
"""How many attributes torch's commonest layers have: those that every module has, and their settings.

A layer with no more than these, or any other module with no more than every module has, keeps no modules elsewhere; the
rest are searched for them.
"""
_HOOK_FACTS = ("_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks_with_kwargs")
"""What a module knows of its forward hooks by their numbers, which are unique."""
_IDLE_HOOKS = tuple(name for name in _BARE if name.endswith("_hooks") and not name.startswith("_forward"))
"""The hooks that a pass without gradient does not run: on gradients, on loading and on saving."""


class _Copier:
    """Makes one twin of few objects: in cold memory and garbage collections they cost more than they cost to make.

    With `lend`, batch normalisations share their statistics with it; that is for a twin that stays in evaluation mode.
    `training` says whether any module was found in training mode.
    """

    def __init__(self, lend: bool = False) -> None:
        self.training = False
        self._lent = _BATCH_NORMS if lend else frozenset()
        self._done: dict[int, Any] = {}  # by the identity of the original
        self._originals: list[Any] = []  # held, so that no identity is given out again
        self._kinds: set[type] = set()  # of modules that have a twin
        # One for all modules of this twin: where there are no forward hooks, there are no facts on them either.
        none: OrderedDict[int, Any] = OrderedDict()
        self._unused: dict[str, Any] = dict.fromkeys((*_IDLE_HOOKS, *_HOOK_FACTS), none)
        self._unused["_non_persistent_buffers_set"] = set()

    def copied(self, value: Any) -> Any:
        """What the twin keeps for a value that the original keeps."""
        kind = type(value)
        if kind in _ATOMS or (kind is tuple and _ATOMS.issuperset(map(type, value))):
            return value
        if id(value) in self._done:
            return self._done[id(value)]
        if kind in _CONTAINERS:
            copied = value.copy()  # in one step, since another thread may be changing it
            self._note(value, copied)
            for key, item in enumerate(copied) if kind is list else copied.items():
                copied[key] = self.copied(item)
            return copied
        if kind in (tuple, set, frozenset):
            return kind([self.copied(item) for item in value])
        if isinstance(value, nn.Module):
            return self._module(value)
        if kind is MethodType:
            return MethodType(value.__func__, self.copied(value.__self__))
        if kind is partial:
            return partial(self.copied(value.func), *self.copied(value.args), **self.copied(value.keywords))
        return value

    def _module(self, module: nn.Module) -> nn.Module:
        kind = type(module)
        if kind not in self._kinds:
            if isinstance(module, torch.jit.ScriptModule):
                raise ValueError(
                    "the network is TorchScript, whose parts take no hooks; give the module it was made from"
                )
            self._kinds.add(kind)
        state = vars(module).copy()
        children = state["_modules"].copy()
        if "_orig_mod" in children:  # made by torch.compile, and bound to the original
            return self.copied(children["_orig_mod"])
        copied = object.__new__(kind)
        self._note(module, copied)
        parameters = state["_parameters"].copy()
        if parameters and not _ATOMS.issuperset(map(type, parameters.values())):
            if any(is_lazy(parameter) for parameter in parameters.values()):
                raise ValueError(f"{kind.__name__} has no weights before its first pass; run the network once")
            parameters = self.copied(parameters)
        buffers = state["_buffers"].copy()
        for name, buffer in buffers.items() if kind not in self._lent else ():
            if buffer is not None:  # what a pass may write to
                if id(buffer) not in self._done:
                    self._note(buffer, buffer.clone())
                buffers[name] = self._done[id(buffer)]
        for name, child in children.items():
            if child is not None:
                children[name] = self._done[id(child)] if id(child) in self._done else self._module(child)
        before, after = state["_forward_pre_hooks"], state["_forward_hooks"]
        if before or after:
            before, after = self.copied(before), self.copied(after)
            facts = {name: state[name].copy() for name in _HOOK_FACTS}  # after the hooks, as they are registered
            state.update(self._unused)
            state.update(facts)
        else:
            before, after = OrderedDict(), OrderedDict()
            state.update(self._unused)
        if len(state) > _SIZES.get(kind, len(_BARE)):
            state.pop("_compiled_call_impl", None)  # set by Module.compile, and bound to the original
            for name, value in state.items():
                if type(value) not in _ATOMS and name not in _SEEN_TO:
                    state[name] = self.copied(value)
        state["_parameters"] = parameters
        state["_buffers"] = buffers
        state["_modules"] = children
        state["_forward_pre_hooks"] = before
        state["_forward_hooks"] = after
        self.training |= state["training"]
        object.__setattr__(copied, "__dict__", state)  # Module's own would take each for a child or a parameter
        return copied

    def _note(self, original: Any, copied: Any) -> None:
        self._originals.append(original)
        self._done[id(original)] = copied
