"""Files that atheris makes, guided by which lines of the readers they reach: one ScanError each, or a Scan.

`python -m tests.fuzz_readers [FOLDER] -max_total_time=600` goes on for ten minutes; what fails is left as `crash-*`.
libFuzzer's other options hold as well. The odd files of ours are where it starts from.
"""

import logging
import sys
import tempfile
import warnings
from pathlib import Path

import atheris
import numpy as np

with atheris.instrument_imports(include=["scse_viz.scans.readers", "nibabel.nifti1", "pydicom.filereader"]):
    from scse_viz.scans import ScanError, read_scan, readers
    from tests.odd import odd_files

LONGEST = 4096  # bytes: headers and damage fit, and a run is quick


def read_one(data: bytes) -> None:
    """Whatever but a ScanError or finite voxels is a fault, and ends the run."""
    try:
        scan = read_scan(data, name="scan")
    except ScanError as error:
        if not str(error).startswith("scan: "):
            raise AssertionError(f"a sentence without the file's name: {error}") from error
        return
    if not np.isfinite(scan.voxels).all():
        raise AssertionError("voxels that are not finite")


def main() -> None:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    readers.limits.LARGEST_BYTES = 2**20  # a compressed megabyte shows as much as a gigabyte
    with tempfile.TemporaryDirectory() as folder:
        for number, odd in enumerate(odd_files().values()):
            if len(odd.data) <= LONGEST:
                Path(folder, f"{number:03}").write_bytes(odd.data)
        options = [f"-max_len={LONGEST}", "-timeout=20", "-rss_limit_mb=2048", "-verbosity=0", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *sys.argv[1:], *options, folder], read_one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
