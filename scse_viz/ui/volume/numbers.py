"""Numbers of a whole plane: volumes of structures, and their agreement with the labels of the scan."""

from weakref import ref

import numpy as np
import pandas as pd
import streamlit as st

from scse_viz.analysis.by_slice import LabelAgreement, label_agreement
from scse_viz.inference.jobs import Job
from scse_viz.scans import slice_of
from scse_viz.scans.samples import in_groups, known_labels
from scse_viz.ui.shell.layout import wide_columns
from scse_viz.ui.shell.sidebar import View
from scse_viz.zoo import Card

HELD = "volume_agreement"


def tables(view: View, card: Card, job: Job) -> dict[str, pd.DataFrame]:
    """The tables of the slices done, by name."""
    by_name = {"volumes ml": structure_volumes(view, card, job)}
    if view.source.labels is not None and not job.under_way:
        by_name["against the labels"] = against_labels(view, job)
    return by_name


def draw(view: View, card: Card, job: Job) -> None:
    """Draw the tables of the slices done."""
    scope = "all slices" if job.ready == job.count else f"only {job.ready} of {job.count} slices"
    by_name = tables(view, card, job)
    left, right = wide_columns(2, key="tables") if view.source.labels is not None else (st.container(), None)
    with left:
        st.subheader("Volumes, ml", help="Number of voxels of a structure times the volume of a voxel.")
        st.caption(f"Of {scope} of this plane.")
        _show(by_name["volumes ml"], "volume_ml")
    if right is None:
        return
    with right:
        st.subheader("Against the labels", help="Dice: 2 |A and B| / (|A| + |B|), from 0 to 1.")
        if "against the labels" in by_name:
            st.caption(f"Over {scope}, in prediction and labels.")
            _show(by_name["against the labels"], "volume_dice")
        else:
            st.caption("Volumes and Dice are shown when the run ends or is stopped.")


def structure_volumes(view: View, card: Card, job: Job) -> pd.DataFrame:
    """Volume of each predicted structure in ml, largest first, and its share of all predicted structures."""
    ml = job.sizes[:, 1:].sum(axis=0) * voxel_mm3(view) / 1000
    table = pd.DataFrame(
        {"prediction, ml": ml, "share, %": 100 * ml / max(ml.sum(), 1e-12)},
        index=pd.Index([structure.name for structure in card.structures[1:]], name="structure"),
    )
    return table[table["prediction, ml"] > 0].sort_values("prediction, ml", ascending=False)


def against_labels(view: View, job: Job) -> pd.DataFrame:
    """Volumes in ml, their difference, and Dice of the structures that the labels name."""
    agreement, groups = _agreement(view, job), view.source.groups
    rows = [group.label for group in groups]
    predicted, reference = agreement.predicted_ml[rows], agreement.reference_ml[rows]
    table = pd.DataFrame(
        {
            "prediction, ml": predicted,
            "labels, ml": reference,
            "difference, %": 100
            * np.divide(predicted - reference, reference, out=np.full(len(rows), np.nan), where=reference > 0),
            "Dice": agreement.dice[rows],
        },
        index=pd.Index([group.name for group in groups], name="structure"),
    )
    return table[(predicted > 0) | (reference > 0)]


def voxel_mm3(view: View) -> float:
    """The volume of a voxel."""
    return float(abs(np.linalg.det(view.scan.affine[:3, :3])))


def _agreement(view: View, job: Job) -> LabelAgreement:
    """Computed once per state of a job and labels, and kept in the session, to which uploaded labels belong."""
    labels, groups = view.source.labels, view.source.groups
    assert labels is not None
    held = st.session_state.get(HELD)
    if held is not None and held[0]() is labels and held[1]() is job and held[2] == job.ready and held[3] == groups:
        return held[4]
    ready, done = job.ready, job.done.copy()
    with st.spinner("Comparing with the labels", show_time=False):
        reference = np.stack([slice_of(labels, job.plane, index) for index in range(job.count)])
        size = 1 + max(group.label for group in groups)
        agreement = label_agreement(
            in_groups(job.labels, groups), known_labels(reference, groups), done, voxel_mm3(view), size
        )
    st.session_state[HELD] = (ref(labels), ref(job), ready, groups, agreement)
    return agreement


def _show(table: pd.DataFrame, key: str) -> None:
    if table.empty:
        st.caption("No structure in these slices.")
        return
    forms = {
        "prediction, ml": "%.2f",
        "labels, ml": "%.2f",
        "share, %": "%.1f",
        "difference, %": "%+.1f",
        "Dice": "%.3f",
    }
    columns = {title: st.column_config.NumberColumn(format=forms[title]) for title in table.columns}
    st.dataframe(table, width="stretch", height="content", column_config=columns, placeholder="–", key=key)
