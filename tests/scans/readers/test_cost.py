"""What reading costs at most: memory of a process of its own, time until a refusal, and files that atheris makes."""

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from scse_viz.scans import ScanError, read_scan
from tests.odd.pictures import png
from tests.odd.tiffs import tiff
from tests.odd.volumes import header
from tests.scan_files import gzipped, picture, series, zipped

ROOT = Path(__file__).parents[3]
MEBIBYTE = 2**20
SLACK = 24  # MiB of a codec's own buffers
MEASURE = """
import resource, sys
from pathlib import Path
import pydicom.pixels
from scse_viz.scans import read_scan
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
voxels = read_scan(Path(sys.argv[1])).voxels
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, voxels.nbytes / 2**20)
"""


def colours(dtype):
    return np.tile(np.arange(2400, dtype=dtype)[:, None, None], (1, 2400, 3))


def large_files():
    """Files of 20 to 40 MiB as float32, by name."""
    cube = np.tile(np.arange(200, dtype=np.int16)[:, None, None], (1, 200, 200))
    return {
        "colours.png": picture(colours(np.uint8)),
        "deep.png": png(colours(np.uint16), 2),
        "deep.tif": tiff(colours(np.uint16), photometric="rgb", rowsperstrip=100, compression="zlib"),
        "float64.nii.gz": gzipped(nib.Nifti1Image(cube.astype(np.float64), np.eye(4)).to_bytes()),
        "scaled.nii": nib.Nifti1Image(cube, np.eye(4)).to_bytes(),
        "series.zip": zipped(*series(cube[:80], range(80))),
    }


@pytest.mark.parametrize("name", large_files())
def test_memory_is_at_most_three_times_the_decoded_voxels(name, tmp_path):
    (tmp_path / name).write_bytes(large_files()[name])
    command = [sys.executable, "-c", MEASURE, str(tmp_path / name)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    peak, decoded = map(float, run.stdout.split())
    assert peak < 3 * decoded + SLACK


def slow_files():
    """Files whose refusal once took half a minute, by name."""
    one = series(np.zeros((1, 4, 4), np.uint16), [0])[0]
    tiny = {f"{number}_dcm": one for number in range(19000)}
    same = {f"{number}_dcm": one.replace(b"1.2.3", b"1.2.%d" % (number % 10)) for number in range(3000)}
    far = b"".join([gzipped(header(vox_offset=3.9e9)), *[gzipped(bytes(MEBIBYTE))] * 3900])
    return {"19,000 files": zipped(**tiny), "3000 files at one position": zipped(**same), "far voxels": far}


def test_a_refusal_takes_no_longer_than_five_seconds():
    for name, data in slow_files().items():
        start = time.process_time()
        with suppress(ScanError):
            read_scan(data, name="scan")
        assert time.process_time() - start < 5, name


def test_files_that_atheris_makes_end_well(tmp_path):
    command = [sys.executable, "-m", "tests.fuzz_readers", "-runs=4000", "-max_total_time=20", "-seed=1"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "PYTHONHASHSEED": "0"}  # the same files in every run
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-3000:]
    assert "stat::number_of_executed_units" in run.stderr
