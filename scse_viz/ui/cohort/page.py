"""Cohort: gates of many scans, by group, against volume, age or Dice, and the weights of all channels."""

import json
import os
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from scse_viz import report
from scse_viz.analysis.structures import LEAST_PIXELS
from scse_viz.cohort.entries import CohortError
from scse_viz.cohort.results import SUMMARY, Cohort, read_cohort
from scse_viz.ui.cohort import charts
from scse_viz.ui.cohort.choices import Shown, choose
from scse_viz.ui.cohort.drilldown import draw_table, leave_for_explore
from scse_viz.ui.cohort.words import column_title, shown_columns
from scse_viz.ui.shell import address, cached, export, layout
from scse_viz.ui.shell.words import verbatim

VARIABLE = "SCSE_VIZ_COHORTS"
NOTHING = (
    f"No cohort to show. Run `scse-viz cohort`, and start the app with {VARIABLE} set to the folder of its results, "
    "or to a folder of such folders."
)


def page() -> None:
    """Draw the results of a cohort in one of the folders that the server offers."""
    leave_for_explore()
    folders, unreadable = offered(os.environ.get(VARIABLE, ""))
    for sentence in unreadable:
        st.warning(verbatim(sentence))
    if folders:
        _draw_folder(folders)
    elif not unreadable:
        st.info(NOTHING)
    address.draw_lost()


def offered(said: str) -> tuple[dict[str, Path], list[str]]:
    """The folders with results that a folder is or holds, by name, and a sentence for each that cannot be read."""
    if not said:
        return {}, []
    folders: dict[str, Path] = {}
    unreadable: list[str] = []
    left = [Path(said)]
    for folder in left:
        try:
            names = sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            unreadable.append(f"Skipped: {folder}: {error.strerror}; let the app read it, or take it out of {VARIABLE}")
            continue
        if SUMMARY in names:
            folders[folder.name] = folder
        if folder == left[0]:
            left += [folder / name for name in names]
    return folders, unreadable


@cached.resource
def _read(folder: str, changed: int) -> Cohort:
    return read_cohort(Path(folder))


def _draw_folder(folders: dict[str, Path]) -> None:
    name = st.selectbox(
        "Cohort", list(folders), key="cohort", bind="query-params", width=420,
        help=f"Results in the folder that {VARIABLE} names.",
    )  # fmt: skip
    try:
        with st.spinner("Reading the cohort", show_time=False):
            cohort = _read(str(folders[name]), (folders[name] / SUMMARY).stat().st_mtime_ns)
    except (CohortError, OSError) as error:
        st.error(verbatim(str(error)))
        return
    counts = cohort.summary
    failed = f", {counts['failed']} failed" if counts["failed"] else ""
    st.caption(
        f"{counts['read']} of {counts['tasks']} rows were read, {counts['refused']} refused{failed}.",
        help="A row is a scan through a network; refused.csv in the folder says why a scan was refused or failed.",
    )
    read = cohort.scans[cohort.scans["error"].isna()]
    if cohort.gates.empty or read.empty:
        st.info("No scan with gates in these results. Choose another cohort, or run one with a gated network.")
        return
    _draw(name, cohort, choose(cohort, read))


def _draw(name: str, cohort: Cohort, shown: Shown) -> None:
    counts = shown.table["health"].value_counts()
    absent = f" In {shown.absent} others it has under {LEAST_PIXELS} pixels." if shown.absent else ""
    st.caption(
        f"The gate's verdicts: {', '.join(f'{verdict} in {count}' for verdict, count in counts.items())} of "
        f"{len(shown.table)} scans.{absent}",
        help="Constant: no spread, a scale and not attention. Fixed: channel weights that are the same on every slice. "
        "Saturated: 90 % of its values are within 0.05 of 0 or 1, a switch. Active: it varies with the image.",
    )
    figures: dict[str, go.Figure] = {}
    tables = {"scans": shown.table[shown_columns(list(shown.table))].rename(columns=column_title).set_index("scan")}
    left, right = layout.wide_columns(2, key="cohort")
    with left:
        if (groups := charts.draw_groups(shown)) is not None:
            figures["by group"], tables["groups"] = groups.figure, groups.effects
    with right:
        if (against := charts.draw_against(shown, groups.rows if groups else {})) is not None:
            figures["against"] = against
    left, right = layout.wide_columns([2, 1], key="cohort_weights")
    if shown.gate == "channel_gate":
        with left:
            figures["channel weights"], tables["channel weights"] = charts.draw_weights(shown)
    with right if shown.gate == "channel_gate" else left:
        tables["outliers"] = charts.draw_outliers(shown).set_index("scan")
    draw_table(shown)
    _offer(name, cohort, shown, figures, tables)


def _offer(
    name: str, cohort: Cohort, shown: Shown, figures: dict[str, go.Figure], tables: dict[str, pd.DataFrame]
) -> None:
    """The export, as on the other pages; the report lacks the long tables."""
    stem = report.file_stem(name, "cohort", shown.block, shown.gate)
    contents = export.ExportContents("cohort", [], figures, tables, documents={"summary.json": _summary(cohort)})
    run = shown.table.iloc[0]
    facts = {
        "cohort": name, "scans": str(len(shown.table)), "shown": shown.title,
        shown.model: f"sha256 {run['model_sha256']}",
        "versions of the run": ", ".join(" ".join(pair) for pair in json.loads(run["versions"]).items()),
    }  # fmt: skip
    short = {title: table for title, table in tables.items() if title in ("groups", "outliers")}

    def files(lines: str, link: str) -> dict[str, export.ExportFile]:
        made = report.Report(f"scSE viz: {name}, {shown.title}", facts, {}, figures, short, lines, link)
        return {
            "Numbers (CSV)": export.ExportFile(f"{stem}.zip", lambda: export.numbers(contents)),
            "Report (HTML)": export.ExportFile(f"{stem}.html", lambda: report.page(made)),
        }

    label = "Export: numbers, report, link, code"
    export.offer_files(label, files, lambda: _code(name, shown), "A link to this view.")


def _summary(cohort: Cohort) -> bytes:
    return json.dumps(cohort.summary, indent=1).encode()


def _code(name: str, shown: Shown) -> str:
    wanted = {"model": shown.model, "block": shown.block, "gate": shown.gate, "structure": shown.structure}
    return f"""from pathlib import Path

from scse_viz.cohort import read_cohort

cohort = read_cohort(Path({name!r}))  # the folder that scse-viz cohort wrote
gates = cohort.gates
for column, value in {wanted!r}.items():
    gates = gates[gates[column] == value]
table = cohort.scans.merge(gates, on=["key", "model"])  # a row a scan
"""
