import gzip
import io
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels.processing import apply_color_lut

from scse_viz.scans import read_labels, read_scan
from scse_viz.scans.readers import ScanError, VolumeChoice, read
from tests.scan_files import dicom, numbers, series, zipped

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nibabel calls its DICOM readers experimental
    from nibabel import nicom
    from nibabel.nicom import dicomwrappers

VOLUME = numbers(4, 5, 6)  # (slices, rows, columns)
HEIGHTS = (10, 14, 18, 22)


def shipped(file):
    """Bytes of one of pydicom's own test files."""
    return Path(get_testdata_file(file, download=False)).read_bytes()


def test_a_series_is_stacked_by_position_whatever_the_order_of_its_files():
    slices = series(VOLUME, HEIGHTS)
    contents = read(zipped(*(slices[number] for number in (2, 0, 3, 1))), "study.zip")
    np.testing.assert_array_equal(contents.values.T, VOLUME)
    np.testing.assert_array_equal(contents.affine, [[-3, 0, 0, 0], [0, -2, 0, 0], [0, 0, 4, 10], [0, 0, 0, 1]])
    assert contents.oriented
    assert contents.notes == ()


def test_a_folder_is_read_as_its_zip_is(tmp_path):
    (tmp_path / "deeper").mkdir()
    for number, data in enumerate(series(VOLUME, HEIGHTS)):
        (tmp_path / "deeper" / f"IM{number}").write_bytes(data)
    (tmp_path / "notes.txt").write_text("not an image")
    np.testing.assert_array_equal(read(tmp_path, "study").values.T, VOLUME)


@pytest.mark.parametrize(
    ("directions", "normal"), [((0, 1, 0, 0, 0, -1), (-1, 0, 0)), ((1, 0, 0, 0, 0, -1), (0, 1, 0))]
)
def test_slices_of_any_plane_are_sorted_along_their_normal(directions, normal):
    files = [dicom(pixels, np.multiply(normal, 4 * place), directions) for place, pixels in enumerate(VOLUME)]
    contents = read(zipped(*files[::-1]), "study.zip")
    np.testing.assert_array_equal(contents.values.T, VOLUME)
    np.testing.assert_array_equal(contents.affine[:3, 2], np.multiply(normal, (-4, -4, 4)))


def test_slices_of_a_tilted_gantry_are_shifted_within_their_plane():
    files = [dicom(pixels, (0, place, 4 * place)) for place, pixels in enumerate(VOLUME)]
    np.testing.assert_allclose(read(zipped(*files), "study.zip").affine[:3, 2], [0, -1, 4])


@pytest.mark.parametrize(("implicit", "little"), [(True, True), (False, True), (False, False)])
def test_a_single_slice_without_preamble_or_name_is_known_by_its_content(implicit, little):
    dataset = pydicom.dcmread(io.BytesIO(dicom(VOLUME[0])))
    file = io.BytesIO()
    del dataset.file_meta
    if not little:
        dataset.PixelData = VOLUME[0].astype(">u2").tobytes()
    pydicom.dcmwrite(file, dataset, implicit_vr=implicit, little_endian=little)
    contents = read(file.getvalue(), "IM0001")
    np.testing.assert_array_equal(contents.values[..., 0].T, VOLUME[0])
    np.testing.assert_array_equal(contents.affine[:3, :3], np.diag([-3, -2, 4]))


def test_each_slice_is_rescaled_by_its_own_slope_and_intercept():
    files = [
        dicom(VOLUME[0], (0, 0, 0), RescaleSlope=2, RescaleIntercept=-1000),
        dicom(VOLUME[1], (0, 0, 4), RescaleSlope="0.5", RescaleIntercept=0),
    ]
    np.testing.assert_array_equal(read(zipped(*files), "study.zip").values.T, [VOLUME[0] * 2 - 1000, VOLUME[1] / 2])


def test_monochrome1_is_inverted_within_its_own_range():
    bright = VOLUME[1].astype(np.uint16) + np.uint16(65000)
    contents = read(dicom(bright, PhotometricInterpretation="MONOCHROME1"), "slice.dcm")
    np.testing.assert_array_equal(contents.values[..., 0].T, bright[::-1, ::-1])
    assert contents.notes == ("The file stores bright as low numbers (MONOCHROME1); its intensities were inverted.",)


def test_of_a_mixed_series_only_the_slices_of_monochrome1_are_inverted():
    kinds = [f"MONOCHROME{kind}" for kind in (2, 1, 2, 1)]
    stored = [
        100 - pixels if kind == "MONOCHROME1" else pixels for pixels, kind in zip(VOLUME % 30, kinds, strict=True)
    ]
    files = [
        dicom(pixels, (0, 0, height), PhotometricInterpretation=kind)
        for pixels, height, kind in zip(stored, HEIGHTS, kinds, strict=True)
    ]
    contents = read(zipped(*files), "study.zip")
    np.testing.assert_array_equal(contents.values.T, VOLUME % 30)
    np.testing.assert_array_equal(contents.indices.T, stored)


def test_labels_in_monochrome1_are_as_stored():
    data = dicom(VOLUME[0], PhotometricInterpretation="MONOCHROME1")
    labels = read_labels(data, read_scan(data, name="scan"), name="labels")
    np.testing.assert_array_equal(np.unique(labels), np.unique(VOLUME[0]))
    assert labels[-1, -1, 0] == VOLUME[0, 0, 0]


def test_a_table_of_intensities_is_looked_up():
    table = pydicom.Dataset()
    table.LUTDescriptor, table.LUTData = [30, 0, 16], list(range(900, 600, -10))
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    contents = read(dicom(VOLUME[0], ModalityLUTSequence=[table]), "slice.dcm")
    np.testing.assert_array_equal(contents.values[..., 0].T, 900 - 10 * VOLUME[0])


def test_the_largest_of_several_series_is_read_with_a_note():
    others = series(VOLUME[:2] + 500, (0, 4), series="4.5.6")
    contents = read(zipped(*others, *series(VOLUME, HEIGHTS, SeriesDescription="T1")), "study.zip")
    np.testing.assert_array_equal(contents.values.T, VOLUME)
    assert contents.notes == ("2 series are in the file; the largest, T1 (4 slices), was read.",)


def test_a_localiser_of_another_direction_is_not_part_of_its_series():
    localiser = dicom(VOLUME[0], (0, 0, 0), (0, 1, 0, 0, 0, -1))
    assert read(zipped(localiser, *series(VOLUME, HEIGHTS)), "study.zip").values.shape == (6, 5, 4)


def test_missing_slices_are_noted():
    contents = read(zipped(*series(VOLUME, (0, 4, 12, 16))), "study.zip")
    assert contents.affine[2, 2] == 4
    assert contents.notes == ("Slices missing: 1 of 5; beyond a gap, positions in mm are off.",)


def test_uneven_distances_are_noted():
    contents = read(zipped(*series(VOLUME, (0, 4, 9, 13))), "study.zip")
    assert contents.notes == ("Slices are 4 to 5 mm apart; 4 mm is assumed for all.",)


def test_positions_with_unequal_numbers_of_slices_are_refused():
    with pytest.raises(ScanError, match=r"study\.zip: 1 to 2 slices at one position, which is no volume"):
        read(zipped(*series(VOLUME, (0, 0, 4, 8))), "study.zip")


def test_slices_without_orientation_are_stacked_by_number_and_have_no_directions():
    files = series(VOLUME, HEIGHTS, ImageOrientationPatient=None)
    contents = read(zipped(*files[::-1]), "study.zip")
    np.testing.assert_array_equal(contents.values.T, VOLUME)
    assert not contents.oriented
    np.testing.assert_array_equal(np.diag(contents.affine), [3, -2, 4, 1])
    assert contents.notes == (
        "The files do not say where slices lie; they are stacked by number, and SliceThickness, 4 mm, lies between.",
    )


@pytest.mark.parametrize("spacing", [None, [1, 2, 3]])
def test_a_slice_without_pixel_spacing_is_read_as_a_picture(spacing):
    contents = read(dicom(VOLUME[0], PixelSpacing=spacing), "slice.dcm")
    assert not contents.oriented
    assert contents.notes == ("The file gives no pixel size; 1 mm is assumed.",)


def enhanced(positions):
    """One file with a frame at each height, its geometry in functional groups."""
    frames = []
    for height in positions:
        position, frame = pydicom.Dataset(), pydicom.Dataset()
        position.ImagePositionPatient = [0, 0, height]
        frame.PlanePositionSequence = [position]
        frames.append(frame)
    shared, plane, measures, values = (pydicom.Dataset() for _ in range(4))
    plane.ImageOrientationPatient, measures.PixelSpacing = [1, 0, 0, 0, 1, 0], [2, 3]
    values.RescaleSlope, values.RescaleIntercept = 2, 1
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [plane], [measures]
    shared.PixelValueTransformationSequence = [values]
    usual = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"))
    return dicom(
        VOLUME,
        NumberOfFrames=len(VOLUME),
        PerFrameFunctionalGroupsSequence=frames,
        SharedFunctionalGroupsSequence=[shared],
        **usual,
    )


def test_frames_of_an_enhanced_file_are_placed_by_their_functional_groups():
    contents = read(enhanced((12, 8, 4, 0)), "enhanced.dcm")
    np.testing.assert_array_equal(contents.values.T, VOLUME[::-1] * 2 + 1)
    np.testing.assert_array_equal(contents.affine, [[-3, 0, 0, 0], [0, -2, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    "file",
    [
        "CT_small.dcm",
        "MR_small_RLE.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
        "MR_small_jp2klossless.dcm",
    ],
)
def test_real_files_give_what_pydicom_decodes(file):
    dataset = pydicom.dcmread(io.BytesIO(shipped(file)))
    contents = read(shipped(file), "IM1")
    wanted = dataset.pixel_array * float(dataset.get("RescaleSlope", 1)) + float(dataset.get("RescaleIntercept", 0))
    np.testing.assert_array_equal(contents.values[..., 0].T, wanted)
    assert contents.oriented


@pytest.mark.parametrize("file", ["SC_rgb_rle.dcm", "SC_rgb_jpeg_dcmtk.dcm"])
def test_colours_become_gray(file):
    contents = read(shipped(file), "IM1")
    assert contents.values.ndim == 3
    assert contents.colour


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("MR_small_jpeg_ls_lossless.dcm", "IM1: DICOM compressed as JPEG-LS Lossless Image Compression; save it unc"),
        ("JPEG-lossy.dcm", r"IM1: DICOM compressed as JPEG Extended \(Process 2 and 4\); save it uncompressed"),
        ("image_dfl.dcm", "IM1: DICOM compressed as a deflated file; save it uncompressed"),
        ("rtplan.dcm", r"IM1: no DICOM image \(but a report, a plan or nothing\)"),
        ("MR_truncated.dcm", "IM1: damaged DICOM file; copy or export it again"),
    ],
)
def test_real_files_that_cannot_be_shown_are_refused_in_one_sentence(file, sentence):
    with pytest.raises(ScanError, match=sentence):
        read(shipped(file), "IM1")


def test_frames_of_a_dose_file_are_placed_by_their_offsets():
    dataset = pydicom.dcmread(io.BytesIO(shipped("rtdose.dcm")))
    contents = read(shipped("rtdose.dcm"), "IM1")
    np.testing.assert_array_equal(contents.values.T, dataset.pixel_array)
    np.testing.assert_allclose(contents.affine[:3, 2], [0, 0, dataset.GridFrameOffsetVector[1]])


@pytest.mark.parametrize("start", [0, -57, 3])
def test_offsets_of_frames_count_from_the_first(start):
    offsets = [start + 5 * place for place in range(4)]
    data = dicom(VOLUME, (1, 2, -57), NumberOfFrames=4, GridFrameOffsetVector=offsets)
    np.testing.assert_array_equal(
        read(data, "dose.dcm").affine, [[-3, 0, 0, -1], [0, -2, 0, -2], [0, 0, 5, -57], [0, 0, 0, 1]]
    )


def test_a_palette_is_looked_up():
    dataset = pydicom.dcmread(io.BytesIO(shipped("examples_palette.dcm")))
    colours = apply_color_lut(dataset.pixel_array, dataset)
    contents = read(shipped("examples_palette.dcm"), "IM1")
    np.testing.assert_allclose(contents.values[..., 0].T, colours @ [0.299, 0.587, 0.114], rtol=1e-5)


def test_a_mosaic_without_its_private_header_is_refused():
    with pytest.raises(ScanError, match=r"slice\.dcm: a Siemens mosaic without the header that says how its slices"):
        read(dicom(VOLUME[0], ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"]), "slice.dcm")


def real_headers(name):
    """A file of nibabel's, whose pixels are all 0, with a number of its own in every pixel: bytes and data set."""
    packed = Path(nicom.__file__).parent / "tests/data" / name
    dataset = pydicom.dcmread(io.BytesIO(gzip.decompress(packed.read_bytes())))
    pixels = np.arange(dataset.pixel_array.size, dtype=np.uint32) * 40503 % 65521  # none twice among neighbours
    dataset.PixelData = pixels.astype("<u2").tobytes()
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue(), dataset


@pytest.mark.parametrize(
    ("name", "shape", "slope"),
    [
        ("siemens_dwi_0.dcm.gz", (128, 128, 48), 1),
        ("siemens_dwi_1000.dcm.gz", (128, 128, 48), 1),
        ("philips_mprage.dcm.gz", (256, 256, 176), 2.10793650793651),
    ],
)
def test_real_mosaics_and_multiframe_files_are_read_as_nibabel_reads_them(name, shape, slope):
    data, dataset = real_headers(name)
    theirs = dicomwrappers.wrapper_from_data(dataset)  # (rows, columns, slices) in LPS
    contents = read(data, name)
    assert (contents.values.shape, contents.oriented, contents.notes) == (shape, True, ())
    affine = np.diag([-1, -1, 1, 1]) @ theirs.affine
    values = theirs.get_unscaled_data().transpose(1, 0, 2) * slope
    if affine[:3, 2] @ contents.affine[:3, 2] < 0:  # slices counted from the other end
        values, affine = (
            values[..., ::-1],
            affine @ [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, shape[2] - 1], [0, 0, 0, 1]],
        )
    np.testing.assert_allclose(contents.values, values, rtol=1e-6)
    np.testing.assert_allclose(contents.affine, affine[:, [1, 0, 2, 3]], atol=2e-3)


def test_mosaics_of_one_series_are_volumes_to_choose_from():
    files = [real_headers(f"siemens_dwi_{b}.dcm.gz")[0] for b in (0, 1000)]
    with pytest.raises(VolumeChoice) as asked:
        read(zipped(*files), "dwi.zip")
    assert asked.value.names == ("b-value 0 s/mm²", "b-value 1000 s/mm²")
    np.testing.assert_array_equal(read(zipped(*files), "dwi.zip", 1).values, read(files[1], "dwi").values)


def test_a_file_that_announces_too_many_pixels_is_refused_before_they_are_decoded():
    with pytest.raises(ScanError, match=r"slice\.dcm: 60000 × 60000 × 1 voxels, over the limit"):
        read(dicom(VOLUME[0], Rows=60000, Columns=60000), "slice.dcm")
    with pytest.raises(ScanError, match=r"slice\.dcm: 7000 × 7000 × 3 voxels, over the limit"):
        read(dicom(VOLUME[0], Rows=7000, Columns=7000, SamplesPerPixel=3), "slice.dcm")


@pytest.mark.parametrize("count", [2000, 400_000])
def test_frames_that_are_not_there_are_refused_before_they_are_made(count):
    sentence = "damaged DICOM file" if count < 20_000 else "holds over 20,000 slices; save the one volume to show"
    with pytest.raises(ScanError, match=f"frames.dcm: {sentence}"):
        read(dicom(VOLUME[:2], NumberOfFrames=count), "frames.dcm")


def test_frames_of_many_files_are_counted_together():
    files = [dicom(numbers(15_000, 2, 2), number=number, NumberOfFrames=15_000) for number in (1, 2)]
    with pytest.raises(ScanError, match=r"study\.zip: holds over 20,000 slices"):
        read(zipped(*files), "study.zip")


def test_a_compressed_picture_of_another_size_is_refused_before_it_is_decoded():
    dataset = pydicom.dcmread(io.BytesIO(shipped("SC_rgb_jpeg_dcmtk.dcm")))
    dataset.Rows, dataset.Columns = 50, 40
    file = io.BytesIO()
    dataset.save_as(file)
    with pytest.raises(ScanError, match="IM1: damaged, its picture has 100 × 100 pixels and its header says 40 × 50"):
        read(file.getvalue(), "IM1")
