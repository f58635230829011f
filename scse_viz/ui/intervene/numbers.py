"""A slice before and after changes as numbers: changed pixels, Dice, confidence, and areas by structure."""

import numpy as np
import pandas as pd
import streamlit as st

from scse_viz.analysis.ablation import changed_share, differences, mean_label_dice
from scse_viz.scans.samples import in_groups
from scse_viz.ui.intervene.maps import Outcome
from scse_viz.ui.shell.layout import wide_columns
from scse_viz.ui.shell.tables import draw_dice


def draw_metrics(outcome: Outcome) -> None:
    """Draw a row of numbers about the whole slice."""
    before, after = outcome.before, outcome.after
    changed = int(np.count_nonzero(outcome.changed))
    share = changed_share(before.labels, after.labels)
    change = differences(before.labels, after.labels, len(outcome.card.structures), outcome.pixel_area)
    known = change.dice[1:][~np.isnan(change.dice[1:])]
    confidence = [float(result.confidence.mean()) for result in (before, after)]
    with st.container(horizontal=True, gap="large"):
        st.metric(
            "Changed pixels",
            f"{changed:,}",
            width="content",
            help=f"Of {outcome.changed.size:,} pixels of the slice ({changed / outcome.changed.size:.2%}).",
        )
        st.metric(
            "Share of structures",
            f"{share:.1%}",
            width="content",
            help="Changed pixels as a share of those that are a structure before or after.",
        )
        st.metric(
            "Dice, before with after",
            f"{known.mean():.3f}" if len(known) else "–",
            width="content",
            help="2 |A and B| / (|A| + |B|) of the two predictions, mean over structures; 1 where nothing changed.",
        )
        st.metric(
            "Mean confidence",
            f"{confidence[1]:.3f}",
            _signed(confidence[1] - confidence[0]),
            delta_color="off",
            width="content",
            help="The probability of the predicted class, mean over the slice, after the changes.",
        )
        if outcome.view.reference_labels is not None:
            _draw_dice(outcome, outcome.view.reference_labels)


def draw_tables(outcome: Outcome) -> dict[str, pd.DataFrame]:
    """Draw changes by structure, and Dice with the labels if there are any; the tables by name."""
    structures = outcome.card.structures
    change = differences(outcome.before.labels, outcome.after.labels, len(structures), outcome.pixel_area)
    table = pd.DataFrame(
        {
            "before, cm²": change.before,
            "after, cm²": change.after,
            "change, cm²": change.change,
            "change, %": change.percent,
            "Dice": change.dice,
        },
        index=pd.Index([structure.name for structure in structures], name="structure"),
    )
    table = table[1:][(change.before + change.after)[1:] > 0]
    tables = {"change by structure": table}
    left, right = wide_columns([3, 2], key="numbers")
    with left:
        st.markdown(
            "##### Change by structure",
            help="Areas in this slice before and after, and Dice, 0 to 1, between before and after.",
        )
        formats = ("%.2f", "%.2f", "%+.2f", "%+.1f", "%.3f")
        columns = {
            name: st.column_config.NumberColumn(format=form) for name, form in zip(table.columns, formats, strict=True)
        }
        if table.empty:
            st.caption("No structure in this slice, before or after.")
        else:
            st.dataframe(
                table, width="stretch", height="content", column_config=columns, placeholder="–", key="intervene_table"
            )
    reference = outcome.view.reference_labels
    if reference is not None:
        with right:
            labels = {"before": outcome.before.labels, "after": outcome.after.labels}
            tables["Dice with the labels"] = draw_dice(
                labels, reference, outcome.view.source.groups, key="intervene_dice"
            )
    return tables


def _draw_dice(outcome: Outcome, reference: np.ndarray) -> None:
    groups = outcome.view.source.groups
    labels = [group.label for group in groups]
    before, after = (
        mean_label_dice(in_groups(result.labels, groups), reference, labels)
        for result in (outcome.before, outcome.after)
    )
    st.metric(
        "Dice with the labels",
        f"{after:.3f}" if not np.isnan(after) else "–",
        _signed(after - before),
        width="content",
        help="Mean over labelled structures after the changes, and the difference to before.",
    )


def _signed(difference: float) -> str | None:
    """A difference for `st.metric`; None where it is nan or rounds to 0.000."""
    return f"{difference:+.3f}" if abs(difference) >= 0.0005 else None
