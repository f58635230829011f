"""Efficiency of `scse-viz cohort` on 1 and 2 workers of one thread, over sample heads deformed at random.

`python -m tests.benchmarks.cohort_scaling [SCANS] [SLICES]` prints seconds, efficiency, and Dask's cost a task.
"""

import csv
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from scse_viz import zoo
from scse_viz.cohort import ScanTask, find_entries
from scse_viz.cohort.running import connected, run
from scse_viz.scans import read_scan
from scse_viz.scans.samples import samples

MODEL = "brain-unet-scse"
EMPTY_TASKS = 1000
WAVE_MM, SHIFT_MM = 24, 3  # of the deformation: its smoothness and its largest displacement


def deformed(voxels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Voxels (X, Y, Z) moved by a smooth field of random displacements."""
    coarse = random.uniform(-SHIFT_MM, SHIFT_MM, (3, *(-(-size // WAVE_MM) + 1 for size in voxels.shape)))
    field = [ndimage.zoom(each, np.divide(voxels.shape, each.shape), order=3) for each in coarse]
    where = np.indices(voxels.shape, dtype=np.float32) + np.array(field, np.float32)
    return ndimage.map_coordinates(voxels, where, order=1, mode="nearest").astype(np.float32)


def make(folder: Path, count: int) -> Path:
    """Writes scans and a table of them, in two groups and with an age."""
    heads = [read_scan(sample.scan) for sample in samples().values() if sample.anatomy == "brain"]
    random = np.random.default_rng(0)
    table = folder / "scans.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "group", "age"])
        for number in range(count):
            head = heads[number % len(heads)]
            moved = deformed(head.voxels, random)
            nib.save(nib.Nifti1Image(moved, head.affine), folder / f"head{number:03}.nii")
            writer.writerow([f"head{number:03}.nii", "AB"[number // len(heads) % 2], int(random.integers(20, 80))])
    return table


def main(count: int = 200, slices: int = 12) -> None:
    with tempfile.TemporaryDirectory() as folder:
        table = make(Path(folder), count)
        sha256 = zoo.read_card(MODEL).sha256
        tasks = [ScanTask(entry, MODEL, None, sha256, slices=slices) for entry in find_entries([str(table)])]
        took = {}
        for workers in (1, 2):
            with connected(None, workers) as client:
                run(tasks[: 2 * workers], Path(folder, f"warm{workers}"), client)  # imports and the network
                start = time.perf_counter()
                run(tasks, Path(folder, f"out{workers}"), client)
                took[workers] = time.perf_counter() - start
                start = time.perf_counter()
                client.gather(client.map(int, range(EMPTY_TASKS), pure=False))
                empty = (time.perf_counter() - start) / EMPTY_TASKS * 1000
                print(f"{workers}: {took[workers]:.1f} s, {took[workers] / count:.2f} s a scan", flush=True)
                print(f"an empty task takes {empty:.2f} ms", flush=True)
        print(f"efficiency {took[1] / took[2] / 2:.2f} over {count} scans of {slices} slices")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
