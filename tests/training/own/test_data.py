"""Folders of both layouts are read whole, and each mistake in one gets its sentence."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scse_viz.scans import ScanError
from scse_viz.training.own.classes import DataError
from scse_viz.training.own.data import Wishes, read_data
from tests.training.own.tiny import SHAPE, tiny, write


def test_a_decathlon_folder_gives_names_channels_and_licence(decathlon: Path) -> None:
    data = read_data(decathlon, Wishes())
    assert data.card.anatomy == "tiny-boxes"
    assert [structure.name for structure in data.card.structures] == ["background", "bright box", "dark box"]
    assert (data.card.in_channels, data.card.channels) == (2, ("T1", "T2"))
    assert data.folder.licence == "CC-BY-SA 4.0"
    t1, t2 = (scan.voxels for scan in data.training[0].channels)
    bright = data.training[0].classes == 1
    assert t1[bright].min() > 0.7 > 0.3 > t2[bright].max()


def test_channels_in_files_of_their_own_are_one_scan(tmp_path: Path) -> None:
    for number in range(2):
        image, reference = tiny(number)
        write(tmp_path / "imagesTr" / f"a_{number}_0000.nii.gz", image)
        write(tmp_path / "imagesTr" / f"a_{number}_0001.nii.gz", -image)
        write(tmp_path / "labelsTr" / f"a_{number}.nii.gz", reference)
    (tmp_path / "dataset.json").write_text(
        json.dumps({"channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "one": 1, "two": 2}})
    )
    assert read_data(tmp_path, Wishes()).card.channels == ("T1", "T2")


def test_numbers_with_gaps_are_mapped_and_the_mapping_is_said(plain: Callable[..., Path]) -> None:
    data = read_data(plain(labels=(4, 9)), Wishes())
    assert set(np.unique(data.training[0].classes)) == {0, 1, 2}
    assert "1 label 4: number 4 in the label files" in data.sentences()


def test_pictures_with_pictures_of_labels_are_read(tmp_path: Path) -> None:
    for number in range(3):
        image, reference = tiny(number)
        for folder, values in (("images", image), ("labels", reference)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(values[:, :, 6].astype(np.uint8)).save(tmp_path / folder / f"slide{number}.png")
    data = read_data(tmp_path, Wishes())
    assert data.card.planes == ("axial",)
    assert len(data.training) == 2


@pytest.mark.parametrize(
    ("spacing", "planes", "pixel"),
    [
        ((1, 1, 1.2), ("sagittal", "coronal", "axial"), 1.0),
        ((0.5, 0.5, 4), ("axial",), 0.5),
        ((0.6, 3, 0.6), ("coronal",), 0.6),
    ],
)
def test_thick_slices_are_trained_on_in_the_plane_of_acquisition(
    spacing: tuple[float, ...], planes: tuple[str, ...], pixel: float, plain: Callable[..., Path]
) -> None:
    card = read_data(plain(spacing=spacing), Wishes()).card
    assert (card.planes, card.pixel_mm) == (planes, pytest.approx(pixel))


def test_a_person_may_choose_planes_and_pixels(plain: Callable[..., Path]) -> None:
    card = read_data(plain(), Wishes(planes=("axial", "sagittal"), pixel_mm=2.0)).card
    assert (card.planes, card.pixel_mm) == (("sagittal", "axial"), 2.0)


def test_scans_of_one_subject_are_on_one_side_of_the_split(tmp_path: Path) -> None:
    for number in range(12):
        image, reference = tiny(number)
        name = f"sub-{number // 3}_ses-{number % 3}.nii.gz"
        write(tmp_path / "images" / name, image)
        write(tmp_path / "labels" / name, reference)
    data = read_data(tmp_path, Wishes(validation=0.5))
    sides = [{volume.subject for volume in volumes} for volumes in (data.training, data.validation)]
    assert [len(side) for side in sides] == [2, 2]
    assert not sides[0] & sides[1]


def test_a_file_says_who_is_held_out(plain: Callable[..., Path], tmp_path: Path) -> None:
    names = tmp_path / "held-out.txt"
    names.write_text("case_2\ncase_0\n")
    data = read_data(plain(), Wishes(validation=names))
    assert [volume.name for volume in data.validation] == ["case_0", "case_2"]
    names.write_text("case_9\n")
    with pytest.raises(DataError, match=r"held-out\.txt: lists case_9, but there is no such scan"):
        read_data(plain(), Wishes(validation=names))


def remove(folder: str) -> Callable[[Path], None]:
    return lambda data: next((data / folder).iterdir()).unlink()


def empty(folder: str) -> Callable[[Path], None]:
    return lambda data: [path.unlink() for path in (data / folder).iterdir()]


def one_only(data: Path) -> None:
    for path in [*data.glob("*/case_[1-9]*")]:
        path.unlink()


def rewrite(values: np.ndarray, folder: str = "labels", **more: object) -> Callable[[Path], None]:
    return lambda data: write(data / folder / "case_0.nii.gz", values, **more)


MISTAKES = {
    "missing label": (remove("labels"), "lacks its label file case_"),
    "missing image": (remove("images"), "lacks its image case_"),
    "no images": (empty("images"), "images: no images in it"),
    "no labels": (empty("labels"), "labels: no label files in it"),
    "shapes differ": (rewrite(np.ones((3, 4, 5), dtype=np.uint8)), "3 × 4 × 5 voxels where .* has 20 × 24 × 16"),
    "grids differ": (rewrite(np.ones(SHAPE, dtype=np.uint8), spacing=(1, 1, 2)), "mm off that of"),
    "not whole numbers": (rewrite(np.full(SHAPE, 0.5, dtype=np.float32)), "not whole numbers"),
    "negative": (rewrite(np.full(SHAPE, -3, dtype=np.int16)), "number -3; labels must be whole numbers from 0"),
    "4-D among 3-D": (
        rewrite(np.random.default_rng(0).random((*SHAPE, 2)).astype(np.float32), "images"),
        "channels, but",
    ),
    "one subject": (one_only, "1 subject; at least 2 are needed"),
    "no such layout": (lambda data: (data / "images").rename(data / "pictures"), "lacks imagesTr/ and labelsTr/"),
    "damaged": (lambda data: (data / "images" / "case_1.nii.gz").write_bytes(b"oh"), r"case_1\.nii\.gz: not an image"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_folder_gets_its_sentence(mistake: str, plain: Callable[..., Path]) -> None:
    change, sentence = MISTAKES[mistake]
    folder = plain()
    change(folder)
    with pytest.raises((DataError, ScanError), match=sentence):
        read_data(folder, Wishes())


def test_labels_of_background_alone_are_refused(plain: Callable[..., Path]) -> None:
    folder = plain(2)
    for number in range(2):
        write(folder / "labels" / f"case_{number}.nii.gz", np.zeros(SHAPE, dtype=np.uint8))
    with pytest.raises(DataError, match="names only background"):
        read_data(folder, Wishes())


def test_a_structure_that_only_a_held_out_scan_shows_is_refused(plain: Callable[..., Path], tmp_path: Path) -> None:
    folder, names = plain(), tmp_path / "held-out.txt"
    names.write_text("case_0\n")
    write(folder / "labels" / "case_0.nii.gz", tiny(0, labels=(1, 8))[1])
    with pytest.raises(DataError, match="label 8 occurs only in scans that are held out"):
        read_data(folder, Wishes(validation=names))


def test_channels_that_dataset_json_counts_otherwise_are_refused(decathlon: Path) -> None:
    facts = json.loads((decathlon / "dataset.json").read_text())
    (decathlon / "dataset.json").write_text(json.dumps(facts | {"modality": {"0": "T1"}}))
    with pytest.raises(DataError, match=r"names 1 channels \(T1\) but the images have 2"):
        read_data(decathlon, Wishes())


def test_label_maps_alone_are_read_from_a_bare_folder(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"map{number}.nii.gz", 17 * tiny(number)[1].astype(np.int16))
    np.save(tmp_path / "table.npy", np.arange(4))
    data = read_data(tmp_path, Wishes(labels_only=True))
    assert data.paints is not None
    assert data.paints.numbers == (0, 17, 34)
    assert len(data.training) == 2
