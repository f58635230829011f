"""Compare, predictions: Dice between each pair of networks, areas, and Dice with the labels of the scan."""

import numpy as np
import pandas as pd
import streamlit as st

from scse_viz.analysis.agreement import mean_dice
from scse_viz.figures.agreement import SHARE, matrix
from scse_viz.ui.compare import cached as compare_cached
from scse_viz.ui.compare.choices import ComparedSlice, Drawn
from scse_viz.ui.shell.export import chart
from scse_viz.ui.shell.tables import draw_areas, draw_dice

ALL_STRUCTURES = "mean of all structures"


def choose_structure(comparison: ComparedSlice) -> str:
    """The structure whose Dice between networks is shown, or the mean of all."""
    return str(
        st.selectbox(
            "Dice between networks",
            [ALL_STRUCTURES, *(listed.name for listed in comparison.shared.shared[1:])],
            key="compare_structure",
            width=420,
            bind="query-params",
            help="2 |A and B| / (|A| + |B|) of the areas that two networks assign to a structure here, 0 to 1. "
            "The mean is over structures that at least one of the two finds, without background.",
        )
    )


def draw_predictions(comparison: ComparedSlice, structure: str, *, key: str) -> Drawn:
    """Draw how far predictions agree with each other and with the labels; the figures and tables drawn."""
    view = comparison.view
    classes = comparison.classes
    agreement = compare_cached.agreement(view.slice, comparison.cards)
    titles = [column.title for column in comparison.columns]
    figures, tables = {}, {}
    with st.container(horizontal=True):
        left, right = st.container(width=440), st.container(width=600)
    with left:
        if len(comparison.shared.shared) == 1:
            st.info("These networks have no class in common, so their predictions cannot be compared.")
        elif len(titles) > 1:
            st.markdown(
                f"They disagree on **{agreement.area:.1f} cm²**, {agreement.contested:.1%} of what at least one of the "
                f"{len(titles)} networks segments."
            )
            scores = _scores(compare_cached.dice_of_pairs(view.slice, comparison.cards), comparison, structure)
            if np.isnan(scores).all():
                st.info(f"No network finds {structure} in this slice. Choose another structure, or another slice.")
            else:
                figures["Dice between networks"] = matrix(scores, titles, measure="Dice", span=SHARE)
                chart(figures["Dice between networks"], key=f"compare_dice_{key}")
                tables["Dice between networks"] = pd.DataFrame(scores, index=titles, columns=titles)
        else:
            st.info("Choose a second variant in the sidebar to see how far two networks agree.")
    with right:
        predictions = {
            column.title: compare_cached.prediction(view.slice, column.card, classes.structures)
            for column in comparison.columns
        }
        reference = view.reference_labels
        if reference is not None:
            labels = {
                column.title: classes.in_all(column.result.labels, column.card.structures)
                for column in comparison.columns
            }
            tables["Dice with the labels"] = draw_dice(labels, reference, view.source.groups, key=f"dice_{key}")
        tables["area in cm2"] = draw_areas(predictions, classes.structures, key=f"areas_{key}")
    return figures, tables


def _scores(dice: np.ndarray, comparison: ComparedSlice, structure: str) -> np.ndarray:
    """Dice of each pair (N, N): the mean, or that of one structure."""
    numbers = {listed.name: listed.number for listed in comparison.shared.shared}
    return mean_dice(dice) if structure == ALL_STRUCTURES else dice[..., numbers[structure]]
