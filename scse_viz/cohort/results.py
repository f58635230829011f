"""A folder of results: parts -> Parquet tables, a summary and a log of refusals, and back."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scse_viz.cohort.entries import CohortError

SCANS, GATES, SUMMARY, REFUSED = "scans.parquet", "gates.parquet", "summary.json", "refused.csv"
PLAIN = ("key", "scan", "path", "labels", "model", "model_sha256", "digest", "plane", "slices", "seconds", "error")


@dataclass(frozen=True, eq=False)
class Cohort:
    """scans: a row a scan and network, with `fact.NAME`, `volume_ml.NAME` and `dice.NAME`; gates: a row a gate and
    structure, by the key of its row in scans; summary: of the whole."""

    scans: pd.DataFrame
    gates: pd.DataFrame
    summary: dict[str, Any]

    @property
    def facts(self) -> list[str]:
        """Names of the facts that the table of scans gave."""
        return [name.removeprefix("fact.") for name in self.scans if name.startswith("fact.")]


@dataclass(frozen=True)
class FailedTask:
    """A scan and a network that have no record; error: of the last attempt."""

    path: str
    model: str
    error: str


def gather(out: Path, keys: Iterable[str], failed: Sequence[FailedTask] = ()) -> dict[str, Any]:
    """Writes the tables of the parts with these keys and returns the summary; failed: the tasks without a part."""
    keys = list(dict.fromkeys(keys))
    parts = (out / "parts" / f"{key}.json" for key in keys)
    records = [json.loads(part.read_text(encoding="utf-8")) for part in parts if part.exists()]
    rows, gates = [], []
    for record in records:
        sets = {"fact": record["facts"], "volume_ml": record.get("volume_ml", {}), "dice": record.get("dice", {})}
        row = {name: record.get(name) for name in PLAIN}
        row |= {f"{kind}.{name}": value for kind, values in sets.items() for name, value in values.items()}
        rows.append(row | {"notes": " ".join(record.get("notes", ())), "versions": json.dumps(record["versions"])})
        gates += [{"key": record["key"], "model": record["model"], **gate} for gate in record.get("gates", ())]
    scans = _numbers(pd.DataFrame(rows, columns=None if rows else [*PLAIN]))
    scans.to_parquet(out / SCANS, index=False)
    pd.DataFrame(gates, columns=None if gates else ["key", "model", "block", "gate", "structure"]).to_parquet(
        out / GATES, index=False
    )
    refused = scans.loc[scans["error"].notna(), ["path", "model", "error"]]
    lost = pd.DataFrame(map(asdict, failed))
    pd.concat([rows for rows in (refused, lost) if len(rows)] or [refused]).to_csv(out / REFUSED, index=False)
    summary = _summary(scans, len(keys), len(failed))
    (out / SUMMARY).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    return summary


def read_cohort(folder: Path) -> Cohort:
    """The results in a folder; raises CohortError where it holds none."""
    try:
        scans, gates = (pd.read_parquet(folder / name) for name in (SCANS, GATES))
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CohortError(f"{folder.name}: no results of `scse-viz cohort`, or damaged ones; run it again") from error
    return Cohort(scans, gates, summary)


def _numbers(scans: pd.DataFrame) -> pd.DataFrame:
    """Facts that are numbers in every row that has them, converted to numbers."""
    for name in [name for name in scans if str(name).startswith("fact.")]:
        text = scans[name].replace("", np.nan)
        numbers = pd.to_numeric(text, errors="coerce")
        scans[name] = numbers if (numbers.notna() == text.notna()).all() else text
    return scans


def _summary(scans: pd.DataFrame, tasks: int, failed: int) -> dict[str, Any]:
    read = scans[scans["error"].isna()]
    scores = [name for name in scans if str(name).startswith("dice.")]
    by_model = {
        str(model): {
            "scans": len(rows),
            "mean_dice": float(rows[scores].mean(axis=1).mean())
            if scores and rows[scores].notna().to_numpy().any()
            else None,
            "seconds_a_scan": float(rows["seconds"].mean()),
        }
        for model, rows in read.groupby("model")
    }
    refused = len(scans) - len(read)
    return {"tasks": tasks, "read": len(read), "refused": refused, "failed": failed, "models": by_model}
