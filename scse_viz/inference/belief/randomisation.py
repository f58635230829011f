"""Weights redrawn from the top down, on a copy: the network itself, which threads share, stays as it is."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

import torch
from torch import Generator, Tensor, nn

from scse_viz.attention import Recording, record
from scse_viz.recording.sites import our_sites
from scse_viz.recording.twins import evaluated_twin

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def stages(model: nn.Module, x: Tensor) -> list[tuple[str, tuple[str, ...]]]:
    """The depths of a network from the last that runs to the first: name, and the paths of its modules with weights.

    Of ours, a stage and its block are one depth; of others, the modules that share the first two names of their path.
    """
    runner, order = evaluated_twin(model), dict[str, None]()
    for path, module in runner.named_modules():
        if any(True for _ in module.parameters(recurse=False)):
            module.register_forward_pre_hook(lambda module, inputs, path=path: order.setdefault(path))
    with torch.no_grad():
        runner(x)
    paths = list(reversed(order))
    return [
        (name, tuple(some)) for name, some in groupby(paths, key=partial(_stage, ours=our_sites(model) is not None))
    ]


def cascade(model: nn.Module, x: Tensor, seed: int) -> Iterator[tuple[str, Recording]]:
    """Redraw one depth after the other, those above staying redrawn: yields each depth and the pass after it.

    Every tensor is redrawn from the normal distribution of its own mean and deviation, so that features keep about
    their size; the statistics of batch normalisation are taken anew from x and its mirror image.
    """
    generator, redrawn = Generator().manual_seed(seed), evaluated_twin(model)
    for name, paths in stages(model, x):
        with torch.no_grad():
            for path in paths:
                _redraw(redrawn.get_submodule(path), generator)
            _settle(redrawn, paths, torch.cat([x, x.flip(-1)]))
        yield name, record(redrawn, x)


def _stage(path: str, *, ours: bool) -> str:
    """The depth of a module: `encoder1` for encoder.1 and its block, `bottleneck`, `classifier`."""
    parts = path.split(".")
    if not ours:
        return ".".join(parts[:2]) or path
    if parts[0] == "blocks":
        return parts[1]
    return "".join(parts[:2]) if parts[0] in ("encoder", "decoder") else parts[0]


def _redraw(module: nn.Module, generator: Generator) -> None:
    for name, parameter in list(module.named_parameters(recurse=False)):
        if not parameter.is_floating_point():
            continue
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32)
        spread = parameter.float().std(correction=0)
        # A new parameter: the twin shares the old ones with the network.
        new = (parameter.float().mean() + spread * noise).to(parameter.dtype)
        setattr(module, name, nn.Parameter(new, requires_grad=False))


def _settle(redrawn: nn.Module, paths: Sequence[str], x: Tensor) -> None:
    norms = [norm for path in paths if isinstance(norm := redrawn.get_submodule(path), NORMS)]
    norms = [norm for norm in norms if norm.track_running_stats]
    if not norms:
        return
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over passes, of which there is one
        norm.train()
    try:
        redrawn(x)
    finally:
        for norm in norms:
            norm.eval()
