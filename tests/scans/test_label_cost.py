"""What reading labels costs at most, measured in a process of its own."""

import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.scan_files import gzipped, nifti, npy

ROOT = Path(__file__).parents[2]
SLACK = 16  # MiB: pieces of labels that are checked at a time
MEASURE = """
import ctypes, sys
from pathlib import Path
from scse_viz.scans import read_labels, read_scan

def resident(line):  # KiB; not ru_maxrss, which a process inherits from the one that starts it
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(said for said in lines if said.startswith(line)).split()[1])

scan = read_scan(Path(sys.argv[1]))
for labels in sys.argv[2:]:
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew at what is held
    before = resident("VmRSS")
    decoded = read_labels(Path(labels), scan).nbytes
    print((resident("VmHWM") - before) / 1024, decoded / 2**20)
"""
LABELS = np.random.default_rng(0).integers(0, 40, (200, 200, 200), np.uint8)


def test_memory_is_at_most_three_times_the_decoded_labels(tmp_path):
    small = LABELS.astype(np.float32)
    small[:9] = np.nan
    files = {
        "scan": nifti(LABELS),
        "float32": gzipped(nifti(small)),
        "float64": gzipped(nifti(LABELS.astype(np.float64))),
        "turned": nifti(small[::-1], np.array([[-1, 0, 0, 199], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])),
        "array": npy(LABELS.astype(np.float64)),
        "integers": npy(LABELS.astype(np.int64)),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    paths = [tmp_path / name for name in files]
    run = subprocess.run([sys.executable, "-c", MEASURE, *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    measured = np.array([line.split() for line in run.stdout.splitlines()], float)  # of each file: peak, decoded
    for name, (peak, decoded) in zip([*files][1:], measured, strict=True):
        assert decoded - 1 < peak < 3 * decoded + SLACK, name
