"""Whether weights fit a network: which are missing, unexpected or of another shape, and what would make them fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

Shape = tuple[int, ...]
NAMED = 5
COUNTERS = "num_batches_tracked"
"""How often a batch norm was trained; no part of its result."""


@dataclass(frozen=True)
class Fit:
    """Names of tensors of a network that a file lacks, that only the file has, and whose shapes differ."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    other: tuple[tuple[str, Shape, Shape], ...]  # name, shape in the file, shape in the network

    @property
    def differences(self) -> int:
        """How many tensors do not fit."""
        return len(self.missing) + len(self.unexpected) + len(self.other)

    @property
    def sentence(self) -> str:
        """What does not fit, five of each at most, and what would make it fit."""
        shapes = [f"{name} is {given} in the file and {wanted} in the network" for name, given, wanted in self.other]
        parts = [
            _listed("missing", self.missing),
            _listed("unexpected", self.unexpected),
            _listed("of another shape", shapes),
        ]
        return "; ".join(filter(None, [*parts, self._advice()]))

    def _advice(self) -> str:
        others = {name: (given, wanted) for name, given, wanted in self.other}
        if (*self.missing, *self.unexpected) == () and all(name.startswith("segmentation_head.") for name in others):
            return f"choose {next(iter(others.values()))[0][0]} classes"
        if (*self.missing, *self.unexpected) == () and len(others) == 1:
            given, wanted = next(iter(others.values()))
            if len(given) == 4 and (given[0], *given[2:]) == (wanted[0], *wanted[2:]):
                return f"choose {given[1]} input channels"
        names = (*self.missing, *self.unexpected, *others)
        if names and all(".attention" in name for name in names):
            return f"choose decoder attention {'scse' if self.unexpected else 'none'}"
        if names and all(name.startswith("encoder.") for name in names):
            return "choose another encoder"
        if names and all(name.startswith(("decoder.", "segmentation_head.")) for name in names):
            return "choose another architecture or other widths of the decoder"
        return "choose the architecture and encoder that it was trained with"


def shapes_of(state: Mapping[str, Tensor]) -> dict[str, Shape]:
    """Shapes by name, without COUNTERS."""
    return {key: tuple(tensor.shape) for key, tensor in state.items() if not key.endswith(COUNTERS)}


def fit(given: Mapping[str, Tensor], model: nn.Module) -> Fit:
    """Compare the weights of a file with those of a network."""
    file, network = shapes_of(given), shapes_of(model.state_dict())
    return Fit(
        missing=tuple(key for key in network if key not in file),
        unexpected=tuple(key for key in file if key not in network),
        other=tuple((key, file[key], network[key]) for key in network if key in file and file[key] != network[key]),
    )


def _listed(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{len(names):,} {what}: {', '.join(names[:NAMED])}{more}"
