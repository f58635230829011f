"""In a notebook: what a network's gates do on an image, and those of several networks beside one another.

Both functions return a Plotly figure, which a notebook shows inline; nothing is left on the networks.
"""

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor, nn

from scse_viz.attention import BlockRecord, Recording, record
from scse_viz.blocks import BlockInfo
from scse_viz.figures.panels import GridPanel, panel_grid
from scse_viz.models import EncoderDecoder
from scse_viz.recording.sites import block_table
from scse_viz.stages import corresponding, short_names, stages

ACROSS = 6
MOST = 18
"""Blocks that are drawn one by one; of more, each stage shows its last block that runs."""
NAME, RESOLUTION = "name", "resolution"


def explore(model: nn.Module, image: Tensor | np.ndarray, *, blocks: Sequence[str] | None = None) -> go.Figure:
    """One network on one image: its prediction, and the gate of every block, from input to output.

    image: (H, W), which fills every channel of the input, (C, H, W) or (1, C, H, W), with the values and the size that
    the network takes. `blocks` are the names of those to draw (default: all, and of more than `MOST` the last of each
    stage). A spatial gate is drawn over the image, a channel gate as bars, both on the scale of 0 to 1; a non-local
    block shows how much each pixel is looked at, a network without gates the mean |activation| of its stages. Raises
    ValueError for an unknown block.
    """
    x = network_image(model, image)
    recording, table = recorded(model, x)
    names = _checked(blocks, table) if blocks is not None else _chosen(table)
    short = short_names([block.name for block in table])
    panels = [GridPanel("input", "image"), *_prediction(recording), *(
        block_panel_of(short[name], recording.blocks[name]) for name in names
    )]  # fmt: skip
    said = [f"{type(model).__name__}: {len(table)} blocks"]
    if not recording.gated:
        said.append("no gates: mean |activation| of its stages, each scaled to its own maximum")
    elif blocks is None and len(names) < sum(block.ran for block in table):
        said.append(f"the last block of each of {len(names)} stages")
    if dead := [short[block.name] for block in table if not block.ran]:
        said.append(f"never run: {', '.join(dead)}")
    remaining = iter(panels)
    rows = [row for _ in panels if (row := list(islice(remaining, ACROSS)))]
    return panel_grid(shown_image(x), rows, title="; ".join(said))


def compare(networks: Mapping[str, nn.Module], image: Tensor | np.ndarray, *, align: str | None = None) -> go.Figure:
    """Several networks on one image, a column each: predictions, then their blocks in rows.

    image: as in `explore`, given to each network in as many channels as it takes. Blocks share a row by their names,
    where all networks have one in common, else by resolution; `align`, "name" or "resolution", decides otherwise. The
    title says which it is. Rows of a single network are left out, unless there are no others. Raises ValueError for no
    network and for another `align`.
    """
    if not networks:
        raise ValueError("no networks to compare; give them by name, {name: model}")
    if align not in (None, NAME, RESOLUTION):
        raise ValueError(f"align {align!r} is not one of {NAME}, {RESOLUTION}")
    inputs = {title: network_image(model, image) for title, model in networks.items()}
    passes = {title: recorded(model, inputs[title]) for title, model in networks.items()}
    tables = [table for _, table in passes.values()]
    shared = set.intersection(*({block.name for block in table} for table in tables))
    by = align or (NAME if shared else RESOLUTION)
    rows = _rows_by_name(tables) if by == NAME else corresponding(tables)
    several = {row: blocks for row, blocks in rows.items() if sum(block is not None for block in blocks) > 1}
    panels = [[_named(title, _prediction(recording)) for title, (recording, _) in passes.items()]]
    for row, blocks in (several or rows).items():
        panels.append(
            [
                GridPanel(f"{row}: no such block", "note") if block is None else block_panel_of(row, made.blocks[block])
                for block, (made, _) in zip(blocks, passes.values(), strict=True)
            ]
        )
    title = f"Blocks aligned by {by}"
    if several and len(several) < len(rows):
        title += f", {len(several)} of {len(rows)} rows: those of more than one network"
    return panel_grid(shown_image(next(iter(inputs.values()))), panels, title=title)


def network_image(model: nn.Module, image: Tensor | np.ndarray) -> Tensor:
    """An image as input of a network, (1, C, H, W) float32; one of a single channel fills all that the network takes.

    Raises ValueError for an image of another number of axes.
    """
    x = torch.as_tensor(np.ascontiguousarray(image) if isinstance(image, np.ndarray) else image).float()
    x = x[None, None] if x.ndim == 2 else x[None] if x.ndim == 3 else x
    if x.ndim != 4 or len(x) != 1:
        raise ValueError(f"image has shape {tuple(image.shape)}; (H, W), (C, H, W) or (1, C, H, W) is needed")
    first = next((layer for layer in model.modules() if isinstance(layer, nn.Conv2d)), None)
    wanted = x.shape[1] if first is None else first.in_channels
    return x.expand(-1, wanted, -1, -1) if x.shape[1] == 1 else x


def recorded(model: nn.Module, x: Tensor) -> tuple[Recording, tuple[BlockInfo, ...]]:
    """One pass over x (1, C, H, W), and the blocks that it shows, with their scales."""
    recording = record(model, x)
    if isinstance(model, EncoderDecoder):
        return recording, model.block_table
    return recording, block_table(recording.sites, (x.shape[2], x.shape[3]))


def shown_image(x: Tensor) -> np.ndarray:
    """What is drawn of an input x (1, C, H, W): the mean of its channels, (H, W)."""
    return x[0].mean(dim=0).numpy()


def block_panel_of(title: str, block: BlockRecord) -> GridPanel:
    """What one block did, as a panel."""
    if not block.ran:
        return GridPanel(f"{title}: never runs", "note")
    pixels = block.spatial_gate if block.spatial_gate is not None else block.full_gate
    if pixels is not None:
        values = pixels[0].numpy() if pixels.ndim == 3 else pixels[0].mean(dim=0).numpy()
        return GridPanel(f"{title}<br>mean gate {values.mean():.2f}", "gate", values)
    if block.channel_gate is not None:
        weights = block.channel_gate[0].numpy()
        return GridPanel(f"{title}<br>{len(weights)} channels, mean {weights.mean():.2f}", "weights", weights)
    if block.attention is not None:
        shares = block.attention.received()[0].numpy()
        return GridPanel(f"{title}<br>looked at up to × {shares.max():.1f}", "attention", shares)
    if block.activation is not None:
        values = block.activation[0].numpy()
        return GridPanel(f"{title}<br>up to {values.max():.2g} a.u.", "activation", values)
    return GridPanel(f"{title}: nothing to draw", "note")


def _prediction(recording: Recording) -> list[GridPanel]:
    """The classes of the output (1, classes, H, W), or of a single one where its sigmoid is above 0.5."""
    output = recording.output
    if not isinstance(output, Tensor) or output.ndim != 4:
        return []
    labels = output[0].argmax(dim=0) if output.shape[1] > 1 else (output[0, 0] > 0).int()
    return [GridPanel("prediction", "labels", labels.numpy())]


def _named(title: str, panels: Sequence[GridPanel]) -> GridPanel:
    return GridPanel(f"<b>{title}</b>", panels[0].kind, panels[0].values) if panels else GridPanel(title, "note")


def _chosen(table: Sequence[BlockInfo]) -> list[str]:
    running = [block.name for block in table if block.ran]
    if len(running) <= MOST:
        return running
    last = {stage.name: [name for name in stage.blocks if name in running][-1:] for stage in stages(table)}
    return [name for names in last.values() for name in names]


def _checked(blocks: Sequence[str], table: Sequence[BlockInfo]) -> list[str]:
    known = [block.name for block in table]
    for name in blocks:
        if name not in known:
            raise ValueError(f"block {name!r} is unknown; choose among {', '.join(known)}")
    return list(blocks)


def _rows_by_name(tables: Sequence[Sequence[BlockInfo]]) -> dict[str, tuple[str | None, ...]]:
    names = dict.fromkeys(block.name for table in tables for block in table)
    having = [{block.name for block in table} for table in tables]
    short = short_names(list(names))
    return {short[name]: tuple(name if name in known else None for known in having) for name in names}
