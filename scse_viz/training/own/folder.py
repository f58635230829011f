"""A folder of scans and label maps -> cases: which files belong together, and what dataset.json says about them."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from scse_viz.training.own.classes import Classes, DataError, named_in_dataset, read_json

LAYOUTS = (("imagesTr", "labelsTr"), ("images", "labels"))
"""Names of image and label folders: the Medical Segmentation Decathlon's, and plain ones."""
SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")
ENDINGS = re.compile(r"(\.nii|\.mgh)?\.[A-Za-z0-9]+$")
CHANNEL = re.compile(r"_\d{4}$")
NO_IMAGES = (".json", ".txt", ".csv", ".tsv", ".md")
EXPECTED = "imagesTr/ and labelsTr/, or images/ and labels/"


@dataclass(frozen=True)
class Case:
    """The files of one scan: `images` is one file, or one a channel as in nnU-Net; empty for labels alone."""

    name: str
    subject: str
    images: tuple[Path, ...]
    labels: Path


@dataclass(frozen=True)
class Folder:
    """The cases in a folder, by name; `channels`, `classes` and `licence` from dataset.json."""

    name: str
    cases: tuple[Case, ...]
    channels: tuple[str, ...] = ()
    classes: Classes | None = None
    licence: str | None = None


def find_cases(data: Path, *, labels_only: bool = False) -> Folder:
    """The cases of a folder; raises DataError for a folder without pairs, and for files without a counterpart.

    With `labels_only`, label maps are read from the folder itself or its labelsTr/ or labels/, and images are ignored.
    """
    if not data.is_dir():
        raise DataError(f"{data}: no such folder; give one with {EXPECTED}")
    layout = next((pair for pair in LAYOUTS if (data / pair[1]).is_dir()), None)
    if labels_only:
        labels = _files(data / layout[1]) if layout else _files(data, (*NO_IMAGES, ".npy"))
        cases = tuple(Case(name, _subject(name), (), path) for name, path in labels.items())
    else:
        if layout is None or not (data / layout[0]).is_dir():
            raise DataError(f"{data}: lacks {EXPECTED}; name the folders so, or train on label maps with --labels-only")
        cases = _pairs(data / layout[0], data / layout[1])
    if not cases:
        raise DataError(f"{data}: no label files in it; add label maps, one a scan")
    about = data / "dataset.json"
    facts = read_json(about) if about.is_file() else {}
    channels = facts.get("modality", facts.get("channel_names", {}))
    return Folder(
        name=str(facts.get("name") or data.resolve().name),
        cases=cases,
        channels=tuple(map(str, channels.values())) if isinstance(channels, dict) else (),
        classes=named_in_dataset(facts["labels"]) if "labels" in facts else None,
        licence=str(licence) if (licence := facts.get("licence", facts.get("license"))) else None,
    )


def _pairs(images: Path, labels: Path) -> tuple[Case, ...]:
    given, wanted = _files(images), _files(labels)
    if not given:
        raise DataError(f"{images}: no images in it; add the scans, named like their label files")
    if not wanted:
        raise DataError(f"{labels}: no label files in it; add them, named like their images")
    parts: dict[str, list[str]] = {}  # name of a label file -> names of its channels
    for name in given:
        parts.setdefault(name if name in wanted else CHANNEL.sub("", name), []).append(name)
    for name, channels in parts.items():
        if name not in wanted:
            raise DataError(
                f"{given[channels[0]].name}: lacks its label file {name} in {labels.name}/; add it, or remove the image"
            )
    for name, path in wanted.items():
        if name not in parts:
            raise DataError(f"{path.name}: lacks its image {name} in {images.name}/; add it, or remove the labels")
    usual = Counter(len(channels) for channels in parts.values()).most_common(1)[0][0]
    for name, channels in parts.items():
        if len(channels) != usual:
            raise DataError(
                f"{name}: {len(channels)} image files, but others have {usual}; all scans need the same number"
            )
    return tuple(
        Case(name, _subject(name), tuple(given[part] for part in parts[name]), path) for name, path in wanted.items()
    )


def _files(folder: Path, others: tuple[str, ...] = NO_IMAGES) -> dict[str, Path]:
    """The images of a folder, by name without suffix; raises DataError for two of the same name.

    Hidden files, files with suffixes in `others`, and the header of an Analyze pair are ignored.
    """
    by_name: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") or path.is_dir() or path.suffix.lower() in others
        if hidden or (path.suffix.lower() == ".hdr" and path.with_suffix(".img").exists()):
            continue
        name = ENDINGS.sub("", path.name)
        if name in by_name:
            raise DataError(f"{folder.name}/: {by_name[name].name} and {path.name} share a name; remove one of them")
        by_name[name] = path
    return by_name


def _subject(name: str) -> str:
    """The subject of a scan: sub-NAME of BIDS, or else the name of the file."""
    match = SUBJECT.match(name)
    return match.group() if match else name
