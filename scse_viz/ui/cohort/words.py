"""How the page Cohort names the columns of its tables."""

from collections.abc import Sequence

KINDS = {"fact": "{}", "volume_ml": "volume of {}, ml", "dice": "Dice of {}"}
LEFT_OUT = ("key", "labels", "error", "model", "versions", "model_sha256", "digest")
"""Columns for machines."""
LAST = ("plane", "slices", "seconds", "notes", "path")


def column_title(column: str) -> str:
    """What a column of scans.parquet is called: `fact.age` is age, `volume_ml.caudate` the volume of caudate, ml."""
    kind, _, name = column.partition(".")
    return KINDS[kind].format(name) if name and kind in KINDS else column


def shown_columns(columns: Sequence[str]) -> list[str]:
    """The columns that are shown, in their order: the scan, its measure and facts, Dice, volumes, the rest."""
    order = ("scan", "", "fact", "dice", "volume_ml")

    def place(column: str) -> int:
        kind = column.partition(".")[0]
        return order.index(kind) if kind in order else len(order) if column in LAST else 1

    return sorted((column for column in columns if column not in LEFT_OUT), key=place)
