"""Tables below the pictures: areas of structures, and Dice with the reference labels."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from scse_viz.analysis import dice
from scse_viz.rendering.panels import Panel
from scse_viz.scans.samples import Group, in_groups
from scse_viz.zoo.structures import Structure


def draw_areas(predictions: Mapping[str, Panel], structures: Sequence[Structure], *, key: str) -> pd.DataFrame:
    """Draw the area of every structure in a slice, one column a network, and return the table."""
    st.markdown("##### Area in this slice, cm²", help="How much of the slice each network assigns to a structure.")
    table = pd.DataFrame(
        {
            title: [panel.areas.get(structure.number) for structure in structures]
            for title, panel in predictions.items()
        },
        index=pd.Index([structure.name for structure in structures], name="structure"),
        dtype=float,
    )
    return _draw(table.dropna(how="all").fillna(0), "%.1f", key, "No network finds a structure in this slice.")


def draw_dice(
    predictions: Mapping[str, np.ndarray], reference: np.ndarray, groups: Sequence[Group], *, key: str
) -> pd.DataFrame:
    """Draw the Dice of every labelled structure, one column a network, and return the table.

    predictions: title -> labels (H, W) in class numbers; reference (H, W) in numbers of the groups.
    """
    st.markdown(
        "##### Dice with the labels",
        help="2 |A and B| / (|A| + |B|) in this slice, 0 to 1: 1 where prediction and labels are the same.",
    )
    size = 1 + max(group.label for group in groups)
    scores = {title: dice(in_groups(labels, groups), reference, size) for title, labels in predictions.items()}
    table = pd.DataFrame(
        {title: [score[group.label] for group in groups] for title, score in scores.items()},
        index=pd.Index([group.name for group in groups], name="structure"),
    )
    return _draw(table.dropna(how="all"), "%.2f", key, "No labelled structure in this slice, and none predicted.")


def _draw(table: pd.DataFrame, number: str, key: str, empty: str) -> pd.DataFrame:
    if table.empty:
        st.caption(empty)
        return table
    columns = {title: st.column_config.NumberColumn(format=number) for title in table.columns}
    st.dataframe(table, width="stretch", height="content", column_config=columns, placeholder="–", key=key)
    return table
