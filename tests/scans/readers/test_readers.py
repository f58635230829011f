import nibabel as nib
import numpy as np
import pytest

from scse_viz.scans.readers import ScanError, VolumeChoice, read
from tests.scan_files import analyze, gzipped, mgh, nifti, npy, numbers, picture, zipped

OBLIQUE = np.array([[0, 0, 2, -10], [-1.5, 0, 0, 20], [0, 1, 0, 5], [0, 0, 0, 1.0]])


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("packed", [bytes, gzipped])
def test_nifti_gives_its_values_and_affine(kind, packed):
    contents = read(packed(nifti(numbers(4, 5, 6), OBLIQUE, kind=kind)), "misnamed.png")
    np.testing.assert_array_equal(contents.values, numbers(4, 5, 6))
    np.testing.assert_allclose(contents.affine, OBLIQUE)
    assert contents.oriented
    assert contents.notes == ()


@pytest.mark.parametrize("packed", [bytes, gzipped])
def test_mgh_gives_its_values_and_affine(packed):
    contents = read(packed(mgh(numbers(4, 5, 6, dtype=np.float32), OBLIQUE)), "scan.mgz")
    np.testing.assert_array_equal(contents.values, numbers(4, 5, 6))
    np.testing.assert_allclose(contents.affine, OBLIQUE, atol=1e-5)
    assert contents.oriented


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64, np.int64])
@pytest.mark.parametrize("order", "<>")
def test_nifti_of_every_type_and_byte_order(dtype, order):
    header = nib.Nifti1Header(endianness=order)
    header.set_data_dtype(dtype)
    file = nib.Nifti1Image(numbers(4, 5, 6, dtype=dtype), np.eye(4), header)
    np.testing.assert_array_equal(read(file.to_bytes(), "scan.nii").values, numbers(4, 5, 6))


def test_scaled_nifti_gives_the_scaled_values():
    values = np.linspace(-3, 900, 120).reshape(4, 5, 6)
    header = nib.Nifti1Header()
    header.set_data_dtype(np.int16)  # nibabel chooses slope and intercept
    data = nib.Nifti1Image(values, np.eye(4), header).to_bytes()
    np.testing.assert_allclose(read(data, "scan.nii").values, nib.Nifti1Image.from_bytes(data).get_fdata(), atol=1e-4)


def test_only_the_chosen_volume_of_a_series_is_read():
    values = numbers(4, 5, 6, 1, 3)
    np.testing.assert_array_equal(read(gzipped(nifti(values)), "scan.nii.gz", 1).values, values[:, :, :, 0, 1])
    with pytest.raises(VolumeChoice, match="3 volumes"):
        read(nifti(values), "scan.nii")


def test_two_dimensional_nifti_is_one_slice():
    np.testing.assert_array_equal(read(nifti(numbers(4, 5)), "slice.nii").values, numbers(4, 5)[..., None])


@pytest.mark.parametrize("channels", ["RGB", "RGBA"])
def test_colour_nifti_becomes_its_luminance(channels):
    values = np.zeros((4, 5, 6), dtype=[(channel, np.uint8) for channel in channels])
    values["R"], values["G"], values["B"] = 200, 100, 50
    contents = read(nifti(values), "scan.nii")
    np.testing.assert_allclose(contents.values, 0.299 * 200 + 0.587 * 100 + 0.114 * 50, rtol=1e-6)
    assert contents.colour
    assert contents.notes == ("Colours were turned to gray (luminance of Rec. 601).",)


@pytest.mark.parametrize(("unit", "spacing"), [("mm", 2), ("meter", 2000), ("micron", 2), ("unknown", 2)])
def test_nifti_in_other_units_is_brought_to_mm_unless_its_numbers_are_plainly_mm(unit, spacing):
    def change(header):
        header.set_xyzt_units(unit)
        header.set_sform(np.diag([0.02, 0.02, 0.02, 1] if unit == "meter" else [2, 2, 2, 1]), code=1)

    contents = read(nifti(numbers(4, 5, 6), change=change), "scan.nii")
    assert contents.affine[0, 0] == pytest.approx(20 if unit == "meter" else spacing)


@pytest.mark.parametrize(
    ("unit", "says"), [("meter", "metres, makes the scan 40,000"), ("micron", "micrometres, makes")]
)
def test_a_small_scan_in_mm_keeps_its_orientation_whatever_unit_its_header_says(unit, says):
    affine = np.array([[0, 0, 1, -10], [-1, 0, 0, 20], [0, 1, 0, 5], [0, 0, 0, 1.0]])
    data = nifti(numbers(40, 4, 4), affine, change=lambda header: header.set_xyzt_units(unit))
    contents = read(data, "scan.nii")
    np.testing.assert_allclose(contents.affine, affine)
    assert contents.oriented
    assert len(contents.notes) == 1
    assert says in contents.notes[0]
    assert contents.notes[0].endswith("its numbers are read as mm.")


def test_a_sform_survives_a_unit_that_gives_no_possible_scan():
    contents = read(
        nifti(numbers(40, 4, 4), np.diag([0.02, 0.02, 0.02, 1]), change=lambda header: header.set_xyzt_units("micron")),
        "x",
    )
    assert contents.oriented
    assert "which no head is; sizes in mm may be wrong" in contents.notes[0]


@pytest.mark.parametrize("missing", [0, 1e-9])
def test_a_size_that_only_the_qform_lacks_has_a_note(missing):
    def change(header):
        header.set_qform(np.diag([2, 2, 2, 1]), code=1)
        header["sform_code"], header["pixdim"][3] = 0, missing

    assert "The file lacks the size of a voxel along an axis; 1 mm is assumed." in read(_changed(change), "x").notes


def test_a_size_that_the_sform_has_needs_no_note():
    def change(header):
        header["pixdim"][1:4] = 0

    assert read(_changed(change), "x").notes == ()


@pytest.mark.parametrize("offset", [-5, 0, 100, 351])
def test_voxels_that_begin_inside_the_header_are_read_behind_it_with_a_note(offset):
    contents = read(_changed(lambda header: header.__setitem__("vox_offset", offset)), "x")
    np.testing.assert_array_equal(contents.values, numbers(4, 5, 6))
    said = f"The header says that voxels begin at byte {offset}, before its end; 352 is assumed."
    assert contents.notes == (said,)


def _changed(change):
    """A .nii with a header that nibabel would not write."""
    data = nifti(numbers(4, 5, 6))
    header = nib.Nifti1Header(data[:348], check=False)
    change(header)
    return header.binaryblock + data[348:]


def test_nifti_with_a_damaged_sform_uses_its_qform():
    def change(header):
        header.set_qform(OBLIQUE, code=1)
        header["sform_code"], header["srow_x"] = 1, np.nan

    contents = read(nifti(numbers(4, 5, 6), change=change), "scan.nii")
    np.testing.assert_allclose(contents.affine, OBLIQUE, atol=1e-5)
    assert contents.oriented


@pytest.mark.parametrize("row", [np.nan, 0, 1e30])
def test_nifti_with_a_damaged_orientation_has_no_directions_but_voxels_of_their_size(row):
    def change(header):
        header.set_zooms((2, 3, 4))
        header["sform_code"], header["srow_y"] = 1, row

    contents = read(nifti(numbers(4, 5, 6), change=change), "scan.nii")
    np.testing.assert_array_equal(np.diag(contents.affine), [-2, 3, 4, 1])
    assert not contents.oriented
    assert contents.header is None
    assert contents.notes == (
        "The orientation in the file is damaged and was left out; its axes are shown in their usual order.",
    )


def test_mgh_without_orientation_says_so():
    data = mgh(numbers(4, 5, 6, dtype=np.float32))
    contents = read(data[:28] + b"\0\0" + data[30:], "scan.mgh")  # goodRASFlag
    assert not contents.oriented
    assert "does not say where left, front and top are" in contents.notes[0]


def test_a_header_with_oddities_is_read_without_a_word(capfd):
    data = bytearray(nifti(numbers(4, 5, 6)))
    data[76:80] = bytes(4)  # qfac, which is 1 or -1
    assert read(bytes(data), "scan.nii").notes == ()
    assert capfd.readouterr() == ("", "")


def test_nifti_without_orientation_says_so():
    contents = read(nifti(numbers(4, 5, 6), change=lambda header: header.set_sform(None, code=0)), "scan.nii")
    assert not contents.oriented
    assert "does not say where left, front and top are" in contents.notes[0]


def test_an_oblique_quaternion_that_is_none_is_left_out():
    def change(header):
        header["sform_code"], header["qform_code"], header["quatern_b"], header["quatern_c"] = 0, 1, 3, 3

    assert not read(nifti(numbers(4, 5, 6), change=change), "scan.nii").oriented


def test_an_analyze_pair_is_read_from_a_zip_and_from_either_path(tmp_path):
    header, image = analyze(numbers(4, 5, 6))
    (tmp_path / "scan.hdr").write_bytes(header)
    (tmp_path / "scan.img").write_bytes(image)
    sources = [tmp_path / "scan.hdr", tmp_path / "scan.img", zipped(scan_hdr=header, scan_img=image)]
    for source in sources:
        contents = read(source, "scan")
        np.testing.assert_array_equal(contents.values, numbers(4, 5, 6))
        np.testing.assert_array_equal(np.diag(contents.affine), [-2, 3, 4, 1])
        assert not contents.oriented


def test_a_nifti_pair_is_read_from_a_zip():
    file = nib.Nifti1Pair(numbers(4, 5, 6), OBLIQUE)
    header = file.header.binaryblock
    contents = read(zipped(scan_hdr=header, scan_img=numbers(4, 5, 6).tobytes(order="F")), "scan.zip")
    np.testing.assert_array_equal(contents.values, numbers(4, 5, 6))


@pytest.mark.parametrize(("kind", "exact"), [("PNG", True), ("TIFF", True), ("JPEG", False)])
def test_a_gray_picture_has_columns_rows_and_one_slice(kind, exact):
    values = np.add.outer(np.arange(6), np.arange(8)).astype(np.uint8) * 10  # (H, W)
    contents = read(picture(values, kind), "slice")
    np.testing.assert_allclose(contents.values[..., 0].T, values, atol=0 if exact else 4)
    np.testing.assert_array_equal(contents.affine @ [0, 5, 0, 1], [0, 0, 0, 1])  # the last row is the lowest
    np.testing.assert_array_equal(contents.affine @ [0, 0, 0, 1], [0, 5, 0, 1])
    assert not contents.oriented
    assert contents.notes == ("The file gives no pixel size; 1 mm is assumed.",)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_stay_sixteen_bits(kind):
    values = numbers(6, 8, dtype=np.uint16) * np.uint16(1000)
    np.testing.assert_array_equal(read(picture(values, kind), "slice").values[..., 0].T, values)


def test_pages_of_a_tiff_are_slices():
    pages = [numbers(6, 8, dtype=np.float32) + page for page in range(3)]
    np.testing.assert_array_equal(read(picture(pages, "TIFF"), "stack.tif").values.T, pages)


def test_pages_of_different_sizes_are_refused():
    pages = [numbers(6, 8, dtype=np.uint8), numbers(8, 6, dtype=np.uint8)]
    with pytest.raises(ScanError, match=r"stack\.tif: pages of different sizes or kinds; save pages of one size"):
        read(picture(pages, "TIFF"), "stack.tif")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_a_colour_picture_becomes_its_luminance(mode):
    values = np.full((6, 8, 3), (255, 0, 0), np.uint8)
    contents = read(picture(values, mode=mode), "slice.png")
    np.testing.assert_allclose(contents.values, 0.299 * 255, rtol=1e-3)
    assert contents.colour
    assert "Colours were turned to gray (luminance of Rec. 601)." in contents.notes


def test_gray_with_transparency_keeps_its_gray():
    values = numbers(6, 8, dtype=np.uint8)
    contents = read(picture(values, mode="LA"), "slice.png")
    np.testing.assert_array_equal(contents.values[..., 0].T, values)
    assert not contents.colour


def test_a_picture_has_no_second_volume():
    with pytest.raises(ScanError, match=r"slice\.png: has no volume 4; choose 0, the only one"):
        read(picture(np.zeros((9, 9), np.uint8)), "slice.png", 4)


def test_a_large_picture_without_pixel_size_spans_256_mm():
    contents = read(picture(np.zeros((300, 512), np.uint8), dpi=(72, 72)), "slice.png")
    np.testing.assert_array_equal(np.diag(contents.affine), [0.5, -0.5, 0.5, 1])
    assert contents.notes == ("The file gives no pixel size; 0.5 mm is assumed, so that 512 pixels span 256 mm.",)


def test_a_flat_npy_has_rows_and_columns_and_a_volume_is_x_y_z():
    np.testing.assert_array_equal(read(npy(numbers(6, 8)), "slice.npy").values[..., 0].T, numbers(6, 8))
    volume = read(npy(np.asfortranarray(numbers(4, 5, 6))), "volume.npy")
    np.testing.assert_array_equal(volume.values, numbers(4, 5, 6))
    np.testing.assert_array_equal(volume.affine, np.eye(4))
    np.testing.assert_array_equal(read(npy(numbers(4, 5, 6, 2)), "x.npy", 1).values, numbers(4, 5, 6, 2)[..., 1])


def test_one_image_in_a_zip_is_read_and_what_macos_leaves_beside_it_is_not():
    data = zipped(**{"scan_nii": nifti(numbers(4, 5, 6)), "__MACOSX/scan_nii": b"junk", ".DS": b"junk"})
    np.testing.assert_array_equal(read(data, "scan.zip").values, numbers(4, 5, 6))


REFUSED = {
    "empty file": (b"", "x: an empty file; choose NIfTI"),
    "text": (b"once upon a time " * 50, "x: not an image that can be read here; choose NIfTI"),
    "text in gzip": (gzipped(b"once upon a time " * 50), "x: compressed with gzip, but neither NIfTI nor MGH inside"),
    "gzip cut short": (gzipped(nifti(numbers(40, 50, 6)))[:2000], "x: damaged (gzip|NIfTI) file"),
    "nifti cut short": (nifti(numbers(4, 5, 6))[:-10], "x: ends 10 bytes too early; copy or download"),
    "complex": (nifti(np.zeros((4, 5, 6), np.complex64)), "x: holds complex numbers, not gray values"),
    "line": (nifti(numbers(4, 1, 1)), "x: 4 × 1 × 1 values, but an image has at least 2 × 2"),
    "no voxels": (npy(np.zeros((4, 0, 6))), "x: damaged, its header says 4 × 0 × 6 voxels; copy"),
    "lone header": (
        analyze(numbers(4, 5, 6))[0],
        r"x: half of an Analyze or NIfTI pair, or damaged; put both halves in a \.zip",
    ),
    "objects": (npy(np.array([[1, "a"], [2, "b"]], dtype=object)), "x: holds values of type object, not gray values"),
    "letters": (npy(np.array([["a", "b"], ["c", "d"]])), "x: holds values of type <U1, not gray values"),
    "five axes": (npy(numbers(2, 2, 2, 2, 2)), "x: 5-D array; save a slice"),
    "zip without images": (zipped(a_txt=b"a", b_txt=b"b"), r"x: holds 2 files, none DICOM; zip a DICOM series"),
    "zip in a zip": (zipped(a_zip=zipped(a_nii=nifti(numbers(4, 5, 6)))), "x: holds 1 files, none DICOM"),
    "empty zip": (zipped(), "x: holds no files; zip a DICOM"),
    "broken zip": (b"PK\3\4" + bytes(100), "x: damaged zip file; copy or export it again"),
    "broken PNG": (
        picture(numbers(40, 50, dtype=np.float32).astype(np.uint8))[:90],
        "x: damaged picture file; copy or export it again",
    ),
    "broken npy": (b"\x93NUMPY\1\0\5\0{'a':", r"x: damaged \.npy file; copy or export it again"),
}


@pytest.mark.parametrize(("data", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_image_is_refused_in_one_sentence(data, sentence):
    with pytest.raises(ScanError, match=sentence):
        read(data, "x")


def test_the_other_half_of_an_analyze_pair_is_asked_for():
    with pytest.raises(
        ScanError, match=r"scan\.img: half of an Analyze or NIfTI pair, or damaged; put both halves in a \.zip"
    ):
        read(analyze(numbers(4, 5, 6))[1], "scan.img")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ScanError, match="scans: holds no files; zip a DICOM series"):
        read(tmp_path, "scans")
