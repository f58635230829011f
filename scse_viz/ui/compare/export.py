"""Compare, export: figures and tables of the open part, maps, and every gate of the slice."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from scse_viz.analysis.agreement import disagreement
from scse_viz.analysis.gates import named_arrays
from scse_viz.ui.compare.choices import ComparedSlice
from scse_viz.ui.shell import export

CODE = """
import numpy as np

from scse_viz.analysis.agreement import disagreement, mean_dice, pairwise_dice, quartile_overlaps, rank_correlations

labels = np.stack([result.labels for result in results.values()])
mean_dice(pairwise_dice([*labels], len(card.structures)))  # (N, N), of each pair of networks
disagreement(labels)  # (H, W) how many networks differ from the majority
maps = [gate for result in results.values() if (gate := result.gates[{block!r}].spatial_gate) is not None]
quartile_overlaps(maps)  # (N, N)
weights = [gate for result in results.values() if (gate := result.gates[{block!r}].channel_gate) is not None]
rank_correlations(weights)  # (N, N)
"""


def offer(
    comparisons: Sequence[ComparedSlice],
    blocks: Sequence[str],
    figures: Mapping[str, go.Figure],
    tables: Mapping[str, pd.DataFrame],
) -> None:
    """Offer the view: maps of the first scan, on its grid, and arrays of both."""
    first = comparisons[0]
    shared = first.shared
    labels = np.stack([shared.in_shared(column.result.labels, column.card.structures) for column in first.columns])
    maps = export.block_maps(
        {
            f"{column.title} {block}": gates
            for column in first.columns
            for block, gates in column.gates.items()
            if block in blocks
        }
    )
    arrays = {
        f"{column.label}/{name}": array
        for comparison in comparisons
        for column in comparison.columns
        for name, array in {"labels": column.result.labels, **named_arrays(column.result.gates)}.items()
    }
    export.offer(
        first.view,
        export.ExportContents(
            page="compare",
            models=first.cards,
            figures=figures,
            tables=tables,
            maps={
                **maps,
                "networks that differ": export.slice_map(first.view, disagreement(labels).astype(np.float32)),
            },
            arrays=arrays,
            code=CODE.format(block=next(iter(first.columns[0].result.gates))),
        ),
    )
