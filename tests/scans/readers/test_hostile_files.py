"""Files that are damaged, or made to do harm: one ScanError each, and little memory."""

import re
import tracemalloc
import zlib

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scse_viz.scans import Scan, ScanError, read_scan, readers
from tests.scan_files import analyze, dicom, gzipped, mgh, nifti, npy, numbers, picture, series, zipped

MEBIBYTE = 2**20


def zeros(head, mebibytes):
    """A gzip file of head and that many MiB of zeros, a thousandth as large."""
    return gzipped(head) + gzipped(bytes(MEBIBYTE)) * mebibytes


def announced(shape, dtype=np.uint8, kind=nib.Nifti1Header):
    """A NIfTI header of a shape, without its voxels."""
    header = kind()
    header.set_data_dtype(dtype)
    header.set_data_shape(shape)
    return header.binaryblock + bytes(4)


@pytest.fixture
def peak():
    """A function that says how many MiB reading took at most, and how it ended."""

    def measure(data):
        tracemalloc.start()
        try:
            read_scan(data, name="scan")
        except ScanError as error:
            ended = str(error)
        else:
            ended = "read"
        finally:
            highest = tracemalloc.get_traced_memory()[1] / MEBIBYTE
            tracemalloc.stop()
        return highest, ended

    return measure


def test_a_gzip_of_a_gigabyte_is_unpacked_as_far_as_its_header_says(peak):
    highest, ended = peak(zeros(announced((64, 64, 64)), 1024))
    assert ended == "read"
    assert highest < 30


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        (
            (30000, 30000, 30000),
            "scan: 30000 × 30000 × 30000 voxels, over the limit of 134,217,728; crop or downsample",
        ),
        ((512, 512, 512, 30000), "scan: 4-D image with 30000 volumes; choose one"),
        ((500, 500, 500), "scan: ends 1[0-9,]+ bytes too early; copy or download"),
    ],
)
def test_a_header_takes_no_memory_for_voxels_that_are_not_there(peak, shape, sentence):
    for data in (announced(shape), zeros(announced(shape), 1)):
        highest, ended = peak(data)
        assert highest < 30
        assert re.match(sentence, ended)


def test_a_series_over_the_limit_in_bytes_is_refused():
    with pytest.raises(ScanError, match="scan: that volume begins beyond 1 GiB; decompress the file, or save"):
        read_scan(gzipped(announced((512, 512, 512, 30000))), name="scan", volume=29999)


def change(**fields):
    """A NIfTI file whose header says something else than the truth."""
    data = nifti(numbers(4, 5, 6))
    header = nib.Nifti1Header(data[:348], check=False)
    for field, value in fields.items():
        header[field] = value
    return header.binaryblock + data[348:]


@pytest.mark.parametrize(
    "data",
    [
        change(dim=[3, -4, 5, 6, 1, 1, 1, 1]),
        change(dim=[0, 4, 5, 6, 1, 1, 1, 1]),
        change(dim=[-1, 4, 5, 6, 1, 1, 1, 1]),
        change(dim=[4, 4, 5, 6, 0, 1, 1, 1]),
        change(dim=[5, 4, 5, 6, -3, -3, 1, 1]),
        change(vox_offset=1e30),
        change(vox_offset=np.nan),
        change(datatype=1),
        change(datatype=12345),
        mgh(numbers(4, 5, 6, dtype=np.int32))[:8] + b"\xff" * 8 + bytes(300),
        mgh(numbers(4, 5, 6, dtype=np.int32))[:20] + b"\0\0\0\x63" + bytes(300),
        npy(numbers(4, 5))[:8] + b"\xff\xff" + bytes(100),
        b"\x93NUMPY\1\0\xf0\x27" + b"(" * 10224,
        b"\x93NUMPY\1\0\x46\0{'descr': '<f8', 'fortran_order': False, 'shape': (99999, 1000, 1), }\n",
    ],
)
def test_an_absurd_header_is_refused(peak, data):
    highest, ended = peak(data)
    assert ended.startswith("scan: ")
    assert highest < 30


def test_a_picture_over_the_limit_is_refused_before_it_is_decoded(peak):
    data = bytearray(picture(np.zeros((9, 9), np.uint8)))
    data[16:24] = (12000).to_bytes(4, "big") * 2  # width and height, as the header of a PNG has them
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    highest, ended = peak(bytes(data))
    assert ended == "scan: 12000 × 12000 voxels, over the limit of 67,108,864; crop or downsample the scan"
    assert highest < 30


def test_a_zip_that_declares_too_much_is_refused_unread(peak):
    declared, more = (size.to_bytes(4, "little") for size in (1_234_567, 2**30 + 1))
    highest, ended = peak(zipped(zeros_nii=bytes(1_234_567)).replace(declared, more))
    assert ended == "scan: holds over 1 GiB uncompressed; put only the series to show in it"
    assert highest < 30


def test_a_zip_that_lies_about_a_size_gives_no_more_than_it_declared(peak):
    data = zipped(scan_nii=announced((300, 300, 300)) + bytes(40 * MEBIBYTE))
    declared = (40 * MEBIBYTE + 352).to_bytes(4, "little")
    highest, ended = peak(data.replace(declared, (1000).to_bytes(4, "little")))
    assert ended == "scan: damaged zip file; copy or export it again"
    assert highest < 30


def test_a_zip_of_too_many_files_is_refused(monkeypatch):
    monkeypatch.setattr(readers, "MOST_FILES", 3)
    with pytest.raises(ScanError, match=r"scan: holds over 3 files; put only the series to show in it"):
        read_scan(zipped(*series(numbers(4, 5, 6), (0, 4, 8, 12))), name="scan")


def test_a_zip_packed_by_an_unusual_method_is_refused():
    data = bytearray(zipped(scan_nii=nifti(numbers(4, 5, 6))))
    data[data.index(b"PK\1\2") + 10] = 9  # Deflate64
    with pytest.raises(ScanError, match="scan: compressed by an unsupported method; zip the files again"):
        read_scan(bytes(data), name="scan")


def test_a_zip_with_a_password_is_refused():
    data = bytearray(zipped(scan_nii=nifti(numbers(4, 5, 6))))
    data[data.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(ScanError, match="scan: protected by a password; save it without one"):
        read_scan(bytes(data), name="scan")


VALID = {
    "nifti": nifti(numbers(4, 5, 6)),
    "nifti2": nifti(numbers(4, 5, 6), kind=nib.Nifti2Image),
    "gzip": gzipped(nifti(numbers(4, 5, 6))),
    "mgh": mgh(numbers(4, 5, 6, dtype=np.int32)),
    "analyze": zipped(scan_hdr=analyze(numbers(4, 5, 6))[0], scan_img=analyze(numbers(4, 5, 6))[1]),
    "png": picture(numbers(9, 9, dtype=np.uint8)),
    "palette": picture(numbers(9, 9, dtype=np.uint8), mode="P"),
    "jpeg": picture(numbers(9, 9, dtype=np.uint8), "JPEG"),
    "tiff": picture([numbers(9, 9, dtype=np.uint8)] * 2, "TIFF", compression="tiff_lzw"),
    "npy": npy(numbers(4, 5, 6)),
    "dicom": dicom(numbers(5, 6)),
    "series": zipped(*series(numbers(2, 5, 6), (0, 4))),
}


def ends_well(data):
    """Reading gives a Scan of finite voxels, or a ScanError; any other error fails the test that calls this."""
    try:
        ended = read_scan(data, name="scan")
    except ScanError as error:
        ended = error
    if isinstance(ended, Scan):
        assert np.isfinite(ended.voxels).all()
    else:
        assert str(ended).startswith("scan: ")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(start=st.sampled_from([b"", *(data[:8] for data in VALID.values())]), rest=st.binary(max_size=2000))
def test_random_bytes_end_well(start, rest):
    ends_well(start + rest)


@pytest.mark.parametrize("kind", VALID)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_files_end_well(kind, data):
    file = bytearray(VALID[kind])
    for place in data.draw(st.lists(st.integers(0, min(len(file), 1200) - 1), max_size=6)):
        file[place] = data.draw(st.integers(0, 255))
    ends_well(bytes(file[: data.draw(st.integers(1, len(file)) | st.just(len(file)))]))
