"""A network's twin: its tree of modules copied and every parameter shared, so hooks on it never touch the original.

torch copies a module with its tensors (`copy.deepcopy`, which also fails at a lock or a tensor with a history) or not
at all, so this file reads and writes attributes of modules itself. It alone uses private names of modules:
`_parameters`, `_modules`, `_buffers`, those of hooks, and the two that torch.compile leaves on a module.
"""

from collections import OrderedDict, defaultdict
from functools import partial
from types import CellType, FunctionType, MethodType
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin


def twin(model: nn.Module) -> nn.Module:
    """The same network with modules of its own, parameters shared and buffers copied: hooks on it stay on it.

    Modules are copied wherever a module keeps them: in its lists, tuples, dicts, bound methods, partials and lambdas
    too. Everything else it keeps is shared, so what a hook has captured, or an object that is no module holds, stays
    the original's. The twin of a module compiled by torch.compile is that of the module it was made from. Raises
    ValueError for a network that has no such copy: TorchScript, or lazy modules before their first pass.
    """
    with torch.no_grad():
        return _Copier().copied(model)


def evaluated_twin(model: nn.Module) -> nn.Module:
    """A `twin` in evaluation mode."""
    return evaluated_twin_and_structure(model)[0]


def evaluated_twin_and_structure(model: nn.Module) -> tuple[nn.Module, tuple]:
    """A `twin` in evaluation mode, and what tells two structures of a network apart.

    Structures are equal where modules, their settings, functions and hooks are the same; the values of tensors may
    differ. Of an object that is no module only the identity counts.
    """
    if not isinstance(model, nn.Module):
        raise ValueError(f"{type(model).__name__} is no torch.nn.Module; give the network itself")
    copier = _Copier()
    with torch.no_grad():
        runner = copier.copied(model)
    try:
        evaluated = runner.eval() if any(part.training for part in runner.modules()) else runner
    except NotImplementedError:
        raise ValueError(
            "the network was made by torch.export, which fixes its mode; give the module it was made from"
        ) from None
    return evaluated, tuple(copier.structure)


def is_hooked(module: nn.Module) -> bool:
    """Whether a module has hooks that run when it does."""
    return bool(module._forward_hooks or module._forward_pre_hooks)


_PLAIN = frozenset({bool, int, float, str, type(None)})
_CONTAINERS = frozenset({list, dict, OrderedDict, defaultdict})
_BARE = frozenset(name for name, value in vars(nn.Module()).items() if isinstance(value, dict | set))
"""The dictionaries that every module owns: parameters, buffers, modules and hooks."""


class _Copier:
    """Makes one twin, in which whatever the original reaches by two paths is one object again."""

    def __init__(self) -> None:
        self.structure: list[Any] = []  # what was copied, in order; no object is held, so that none is kept alive
        self._copies: dict[int, tuple[Any, Any]] = {}  # identity -> original, held to keep its id, and copy

    def copied(self, value: Any) -> Any:
        """What the twin keeps for a value that the original keeps."""
        kind = type(value)
        if kind in _PLAIN or (kind is tuple and _PLAIN.issuperset(map(type, value))):
            self.structure.append(value)
            return value
        self.structure.append(_mark(kind))
        if kind is nn.Parameter:
            return value
        if id(value) in self._copies:
            return self._copies[id(value)][1]
        if isinstance(value, nn.Module):
            return self._module(value)
        if kind in _CONTAINERS:
            return self._container(value)
        if kind in (tuple, set, frozenset):
            return kind([self.copied(item) for item in value])
        if kind is MethodType:
            self.structure.append(_mark(value.__func__))
            return MethodType(value.__func__, self.copied(value.__self__))
        if kind is partial:
            return partial(self.copied(value.func), *self.copied(value.args), **self.copied(value.keywords))
        if not isinstance(value, Tensor):
            self.structure.append(id(value))
        return value

    def _container(self, value: Any) -> Any:
        copied = value.copy()  # in one step, since another thread may be changing it
        self._copies[id(value)] = value, copied
        self.structure.append(len(copied))
        if not isinstance(copied, list):
            self.structure.extend(key if type(key) in _PLAIN else id(key) for key in copied)
        for key, item in enumerate(copied) if isinstance(copied, list) else copied.items():
            copied[key] = self.copied(item)
        return copied

    def _function(self, function: FunctionType) -> FunctionType:
        """A function that a module keeps, with twins of the modules that it has captured: lambda u: self.block(u)."""
        self.structure.append(_mark(function))
        cells = function.__closure__ or ()
        if not any(_holds_module(cell) for cell in cells):
            return function
        cells = tuple(CellType(self.copied(cell.cell_contents)) if _holds_module(cell) else cell for cell in cells)
        copied = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, cells)
        copied.__kwdefaults__ = function.__kwdefaults__
        return copied

    def _module(self, module: nn.Module) -> nn.Module:
        if isinstance(module, torch.jit.ScriptModule):
            raise ValueError("the network is TorchScript, whose parts take no hooks; give the module it was made from")
        if isinstance(module, LazyModuleMixin) and module.has_uninitialized_params():
            raise ValueError(f"{type(module).__name__} has no weights before its first pass; run the network once")
        state = vars(module).copy()
        if "_orig_mod" in state["_modules"]:  # made by torch.compile, and bound to the original
            return self.copied(state["_modules"]["_orig_mod"])
        state.pop("_compiled_call_impl", None)  # set by Module.compile, and bound to the original
        if isinstance(module, nn.DataParallel):
            state["device_ids"] = []  # its replicas would run in other threads, where nothing is recorded
        copied = object.__new__(type(module))
        self._copies[id(module)] = module, copied
        self.structure.append(_mark(type(module).forward))  # which a user may redefine
        state["_parameters"] = state["_parameters"].copy()
        self.structure.extend(name for name, value in state["_parameters"].items() if value is not None)
        if state["_buffers"]:
            state["_buffers"] = {name: self._buffer(buffer) for name, buffer in state["_buffers"].copy().items()}
        for name, value in state.items():
            kind = type(value)
            if kind in _PLAIN:
                self.structure.append(value)
                continue
            if name in _BARE and not value:
                state[name] = value.copy()
            elif name != "_parameters" and name != "_buffers":
                state[name] = self._function(value) if kind is FunctionType else self.copied(value)
        vars(copied).update(state)  # setattr would ask of each whether it is a module or a parameter
        return copied

    def _buffer(self, buffer: Any) -> Any:
        """A copy, since a pass may write to a buffer."""
        if buffer is not None and id(buffer) not in self._copies:
            self._copies[id(buffer)] = buffer, buffer.clone()
        return self.copied(buffer)


def _mark(value: Any) -> Any:
    """Something equal for the same class or function alone, which does not keep it alive."""
    try:
        return ref(value)
    except TypeError:
        return id(value)


def _holds_module(cell: CellType) -> bool:
    try:
        return isinstance(cell.cell_contents, nn.Module)
    except ValueError:  # a variable that has no value yet
        return False
