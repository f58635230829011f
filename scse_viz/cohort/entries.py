"""The scans of a cohort: a folder, a glob, a BIDS tree, or a table with labels and facts (group, age, site)."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

TABLES = {".csv": ",", ".tsv": "\t"}
NOT_SCANS = (*TABLES, ".json", ".txt", ".md", ".py")
BIDS_IMAGES = "sub-*/**/anat/*_{suffix}.nii*"


class CohortError(ValueError):
    """A cohort that cannot be run or read; the message is a sentence for users."""


@dataclass(frozen=True)
class Entry:
    """A scan of a cohort; labels: the file of its reference labels; facts: what a table says of it, as text."""

    path: Path
    labels: Path | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


def find_entries(given: Sequence[str], suffix: str = "T1w") -> list[Entry]:
    """Scans, folders, BIDS trees (images of `suffix`), globs and tables -> the scans, each once, in this order.

    A table is .csv or .tsv with a column `path` and, where there are any, `labels`; paths in it are relative to it.
    A subfolder of a folder is a DICOM series. Raises CohortError for what holds no scan.
    """
    by_path = {}
    for text in given:
        path = Path(text)
        if path.suffix.lower() in TABLES:
            entries = list(_of_table(path))
        elif (path / "dataset_description.json").is_file() or any(path.glob("sub-*/")):
            entries = list(_of_bids(path, suffix))
        elif path.is_dir():
            entries = [Entry(scan) for scan in sorted(path.iterdir()) if _is_scan(scan)]
        else:
            entries = [Entry(Path(scan)) for scan in sorted(glob(text, recursive=True)) if _is_scan(Path(scan))]
        if not entries:
            raise CohortError(
                f"{text}: no scans there; give a folder, a glob, a BIDS tree, or a table with a column path"
            )
        by_path.update({entry.path.absolute(): entry for entry in entries})
    return list(by_path.values())


def _is_scan(path: Path) -> bool:
    return path.name[0] != "." and path.suffix.lower() not in NOT_SCANS


def _of_table(path: Path) -> Iterator[Entry]:
    for row in _rows(path):
        if not row.get("path"):
            raise CohortError(f"{path}: a row lacks its path; fill the column path in every row")
        labels = row.get("labels")
        facts = {name: value for name, value in row.items() if name not in ("path", "labels")}
        yield Entry(path.parent / row["path"], path.parent / labels if labels else None, facts)


def _of_bids(root: Path, suffix: str) -> Iterator[Entry]:
    """Images of a suffix with the row of their participant, and a *_dseg among the derivatives as labels."""
    participants = root / "participants.tsv"
    rows = {row.get("participant_id", ""): row for row in (_rows(participants) if participants.is_file() else ())}
    for path in sorted(root.glob(BIDS_IMAGES.format(suffix=suffix))):
        stem = path.name.removesuffix(".gz").removesuffix(".nii").removesuffix(f"_{suffix}")
        subject = path.relative_to(root).parts[0]
        labels = sorted(root.glob(f"derivatives/**/{subject}/**/{stem}*_dseg.nii*"))
        facts = {name: value for name, value in rows.get(subject, {}).items() if value not in ("", "n/a")}
        yield Entry(path, labels[0] if labels else None, {"participant_id": subject, **facts})


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [
                {name: value or "" for name, value in row.items() if name}
                for row in csv.DictReader(file, delimiter=TABLES[path.suffix.lower()])
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CohortError(f"{path}: cannot be read as a table; save it as .csv or .tsv in UTF-8") from error
    return rows
