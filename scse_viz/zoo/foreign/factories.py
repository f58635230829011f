"""Networks that a user's own function makes, named on the user's own command line and never in a file or an upload."""

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from scse_viz.zoo.cards import WeightsError
from scse_viz.zoo.foreign.drafts import Draft, class_count, guessed_head
from scse_viz.zoo.foreign.files import read_checkpoint
from scse_viz.zoo.foreign.fit import COUNTERS, fit
from scse_viz.zoo.preprocessing import Preprocessing, Window
from scse_viz.zoo.structures import numbered

EXAMPLE = "my_code.py:make_network"
MULTIPLE = 32
"""Most encoders halve an image five times."""


def from_factory(spec: str, weights: Path | None = None) -> tuple[nn.Module, Draft, str]:
    """Import `FILE.py:FUNCTION` or `package.module:FUNCTION`, call it, and load the weights into what it returns.

    Gives the network, the draft of its card, and the sha256 of its weights. The code runs with all the rights of the
    user who named it. Raises WeightsError where there is no such function, where it returns no network, and for weights
    that do not fit.
    """
    place, _, function = spec.rpartition(":")
    if not place or not function.isidentifier():
        raise WeightsError(f"{spec}: name a file and a function in it, as {EXAMPLE}")
    with _importable(Path(place).parent.resolve() if place.endswith(".py") else Path.cwd()):
        make = getattr(_module(place), function, None)
        if not callable(make):
            raise WeightsError(f"{spec}: {place} has no function {function}")
        model: Any = make()
    if not isinstance(model, nn.Module):
        raise WeightsError(f"{spec}: returns {type(model).__name__}; return a torch.nn.Module")
    sha256 = _load(model, weights) if weights is not None else hashlib.sha256(spec.encode()).hexdigest()
    return model, _draft(model, spec, weights), sha256


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules in a folder can be imported, as when a script there is run."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _module(place: str) -> ModuleType:
    path = Path(place)
    if path.suffix != ".py":
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as error:
            raise WeightsError(f"{place}: no such module ({error}); give a file as {EXAMPLE}") from error
    module_spec = importlib.util.spec_from_file_location(path.stem, path) if path.is_file() else None
    if module_spec is None or module_spec.loader is None:
        raise WeightsError(f"{place}: no such file; give one as {EXAMPLE}")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules.setdefault(path.stem, module)  # dataclasses look there for their module
    module_spec.loader.exec_module(module)
    return module


def _load(model: nn.Module, weights: Path) -> str:
    if not weights.exists():
        raise WeightsError(f"{weights}: no such file of weights")
    checkpoint = read_checkpoint(weights)
    difference = fit(checkpoint.state, model)
    if difference.differences:
        raise WeightsError(f"{weights.name}: does not fit the network; {difference.sentence}")
    counters = {key: value for key, value in model.state_dict().items() if key.endswith(COUNTERS)}
    model.load_state_dict({**counters, **checkpoint.state})
    return checkpoint.sha256


def _draft(model: nn.Module, spec: str, weights: Path | None) -> Draft:
    """Channels are those of the first convolution, outputs those of the last; the user can correct both."""
    convolutions = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d))]
    channels = convolutions[0].in_channels if convolutions else 1
    outputs = _outputs(model, channels) or (convolutions[-1].out_channels if convolutions else 2)
    head = guessed_head(outputs)
    names = tuple(f"channel {number}" for number in range(1, channels + 1)) if channels not in (1, 3) else ()
    try:
        structures = numbered(class_count(outputs, head))
        preprocessing = Preprocessing(channels, names, window=Window(maximum=1.0), multiple=MULTIPLE)
    except ValueError as error:
        raise WeightsError(f"{spec}: {error}") from error
    name = weights.stem if weights is not None else spec.rpartition(":")[2]
    return Draft(name, spec, {}, preprocessing, head, structures)


def _outputs(model: nn.Module, channels: int) -> int | None:
    """The number of outputs of a pass over zeros, or None where the network rejects this size."""
    import torch

    from scse_viz.zoo.foreign.opening import segmentation_in

    was = model.training
    try:
        with torch.no_grad():
            segmentation: Tensor | None = segmentation_in(
                model.eval()(torch.zeros(1, channels, 2 * MULTIPLE, 2 * MULTIPLE))
            )
    except (RuntimeError, ValueError, AssertionError, TypeError, IndexError):
        return None
    finally:
        model.train(was)
    return None if segmentation is None else segmentation.shape[1]
