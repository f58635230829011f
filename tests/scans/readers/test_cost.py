"""What reading costs at most: memory of a process of its own, time until the end, and files that atheris makes."""

import io
import subprocess
import sys
import time
import tracemalloc
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from scse_viz.scans import ScanError, read_scan
from scse_viz.scans.readers import limits
from scse_viz.scans.readers.limits import read_whole
from tests.odd.pictures import png
from tests.odd.tiffs import tiff
from tests.odd.volumes import header
from tests.scan_files import dicom, gzipped, nifti, npy, picture, series, zipped

ROOT = Path(__file__).parents[3]
MEBIBYTE = 2**20
SLACK = 4  # MiB of a codec's own buffers
MEASURE = """
import ctypes, sys
from pathlib import Path
from scse_viz.scans import read_scan

def resident(line):  # KiB; not ru_maxrss, which a process inherits from the one that starts it
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(said for said in lines if said.startswith(line)).split()[1])

for small, large in zip(sys.argv[1::2], sys.argv[2::2]):
    read_scan(Path(small))  # imports, and what is made once
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew at what is held
    before = resident("VmRSS")
    decoded = read_scan(Path(large)).voxels.nbytes
    print((resident("VmHWM") - before) / 1024, decoded / 2**20)
"""
NOISE = np.random.default_rng(0).integers(0, 2**16, (1800, 1800, 3), np.uint16)  # no codec compresses it
CUBE = np.random.default_rng(0).integers(0, 4000, (160, 160, 160), np.int16)


def kinds():
    """How to make a file from colours (H, W, 3) or a volume (X, Y, Z), and those, by name of the kind."""
    eight = NOISE.astype(np.uint8)
    rgb = partial(tiff, photometric="rgb")
    return {
        "PNG": (picture, eight),
        "deep PNG": (partial(png, colour_type=2), NOISE),
        "JPEG": (partial(picture, kind="JPEG"), eight),
        "TIFF": (rgb, NOISE),
        "TIFF by planes": (lambda pixels: rgb(pixels.transpose(2, 0, 1), planarconfig="separate"), NOISE),
        "TIFF, deflate": (partial(rgb, compression="zlib"), NOISE),
        "TIFF, deflate, predictor": (partial(rgb, compression="zlib", predictor=True), NOISE),
        "TIFF, strips": (partial(rgb, compression="zlib", rowsperstrip=2), NOISE),
        "TIFF, LZW": (partial(picture, kind="TIFF", compression="tiff_lzw"), eight),
        "TIFF, pages": (partial(tiff, photometric="minisblack"), CUBE.astype(np.float64)),
        "float64.nii.gz": (lambda voxels: gzipped(nifti(voxels)), CUBE.astype(np.float64)),
        "scaled.nii": (lambda voxels: header(values=voxels, scl_slope=2, scl_inter=1), CUBE),
        "turned.nii": (lambda voxels: nifti(voxels, np.diag([-1, -1, 1, 1])), CUBE),
        ".npy": (npy, CUBE),
        "series": (lambda volume: zipped(*series(volume, range(len(volume)))), CUBE[:80]),
        "frames": (lambda volume: dicom(volume, NumberOfFrames=len(volume)), CUBE[:80]),
    }


def test_memory_is_at_most_three_times_the_decoded_voxels(tmp_path):
    files = []
    for number, (make, values) in enumerate(kinds().values()):
        for size, pixels in (("small", values[:9, :9]), ("large", values)):
            files.append(tmp_path / f"{number}-{size}")
            files[-1].write_bytes(make(pixels))
    run = subprocess.run([sys.executable, "-c", MEASURE, *files], cwd=ROOT, capture_output=True, text=True, check=True)
    measured = np.array([line.split() for line in run.stdout.splitlines()], float)  # of each kind: peak, decoded
    for kind, (peak, decoded) in zip(kinds(), measured, strict=True):
        assert decoded - 1 < peak < 3 * decoded + SLACK, kind


def slow_files():
    """Files that once took half a minute, by what ends them: the words of their refusal, or of a note."""
    one = series(np.zeros((1, 4, 4), np.uint16), [0])[0]
    tiny = {f"{number}_dcm": one for number in range(19000)}
    same = {f"{number}_dcm": one.replace(b"1.2.3", b"1.2.%d" % (number % 10)) for number in range(3000)}
    turned = [(np.cos(turn), np.sin(turn), 0, -np.sin(turn), np.cos(turn), 0) for turn in np.linspace(0, 6, 1500)]
    turning = zipped(*[dicom(np.zeros((4, 4)), directions=directions) for directions in turned])
    stated = dicom(np.ones((2, 2)), NumberOfFrames=80_000)
    frames = dicom(np.ones((20_000, 2, 2)), NumberOfFrames=20_000)
    far = b"".join([gzipped(header(vox_offset=3.9e9)), *[gzipped(bytes(MEBIBYTE))] * 3900])
    return {
        "scan: holds over 8,000 files": zipped(**tiny),
        "2999 files are there twice": zipped(**same),
        "scan: damaged, its header says that voxels begin at byte 3,900,000,000": far,
        "scan: slices of over 1,000 directions in one series": turning,
        "scan: holds over 20,000 slices": stated,
        "The file gives one position for its 20000 slices": frames,
    }


def test_files_that_are_many_or_lie_take_no_longer_than_five_seconds():
    for words, data in slow_files().items():
        start = time.process_time()
        try:
            said = read_scan(data, name="scan").notes[0]
        except ScanError as error:
            said = str(error)
        assert time.process_time() - start < 5, words
        assert said.startswith(words)


def peak(function, *arguments):
    """MiB that Python allocates at most during a call."""
    tracemalloc.start()
    try:
        function(*arguments)
        return tracemalloc.get_traced_memory()[1] / MEBIBYTE
    finally:
        tracemalloc.stop()


def test_a_file_that_is_held_whole_is_held_once():
    assert peak(read_whole, io.BytesIO(bytes(64 * MEBIBYTE))) < 80


def test_a_larger_file_is_not_held_whole(monkeypatch):
    monkeypatch.setattr(limits, "LARGEST_WHOLE", 8 * MEBIBYTE)
    large = dicom(np.zeros((16, 1024, 1024)), NumberOfFrames=16)
    with pytest.raises(ScanError, match=r"scan: over the limit of 8 MB; crop it or convert it to NIfTI"):
        read_scan(zipped(large), name="scan")


def test_of_a_nifti_in_a_zip_no_more_than_a_volume_is_held():
    data = zipped(scan_nii=nifti(np.zeros((128, 128, 64, 40), np.int16)))  # 80 MiB
    assert peak(lambda: read_scan(data, name="scan", volume=39)) < 40  # zipfile skips 16 MiB at once


def test_what_the_file_and_its_volume_need_together_is_bounded(monkeypatch):
    monkeypatch.setattr(limits, "LARGEST_MEMORY", 100_000)
    with pytest.raises(ScanError, match="scan: needs 0 MB, over the limit of 0; crop"):
        read_scan(dicom(np.zeros((200, 200))), name="scan")


def test_files_that_atheris_makes_end_well(tmp_path):
    command = [sys.executable, "-m", "tests.fuzz_readers", "-runs=4000", "-max_total_time=20", "-seed=1"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONHASHSEED": "0"}  # the same files in every run
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-3000:]
    assert "stat::number_of_executed_units" in run.stderr
