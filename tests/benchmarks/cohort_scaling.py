"""Efficiency of `scse-viz cohort` on 1 and 2 workers of one thread, over sample heads deformed at random.

`python -m tests.benchmarks.cohort_scaling FOLDER [SCANS] [SLICES]` makes the scans that the folder lacks, runs them by
turns on 1 and on 2 workers, and prints seconds, efficiency, and what a task costs the scheduler.
"""

import csv
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
from distributed import Client, as_completed
from scipy import ndimage

from scse_viz import zoo
from scse_viz.cohort import ScanTask, find_entries, measure
from scse_viz.cohort.running import connected, run
from scse_viz.cohort.tasks import written
from scse_viz.scans import read_labels, read_scan
from scse_viz.scans.samples import samples

MODEL = "brain-unet-scse"
TASKS = 1000  # that do no work
TURN = 20  # scans that one number of workers runs before the other
WAVE_MM, SHIFT_MM = 24, 3  # of the deformation: its smoothness and its largest displacement
FACTS = ("group", "age", "site")


def deformation(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Where each voxel comes from, (3, X, Y, Z): a smooth field of random displacements."""
    coarse = random.uniform(-SHIFT_MM, SHIFT_MM, (3, *(-(-size // WAVE_MM) + 1 for size in shape)))
    field = [
        ndimage.zoom(component.astype(np.float32), np.divide(shape, component.shape), order=1) for component in coarse
    ]
    return np.indices(shape, dtype=np.float32) + np.array(field, np.float32)


def make(folder: Path, count: int) -> Path:
    """Writes scans with labels, where the folder lacks them, and a table of them with groups, ages and sites."""
    folder.mkdir(parents=True, exist_ok=True)
    heads = [sample for sample in samples().values() if sample.anatomy == "brain"]
    read = [(scan := read_scan(sample.scan), read_labels(sample.labels, scan)) for sample in heads]
    rows = []
    for number in range(count):
        scan, labels = read[number % len(read)]
        random = np.random.default_rng(number)
        facts = "AB"[number // len(read) % 2], int(random.integers(20, 80)), heads[number % len(heads)].short
        names = [f"head{number:03}{kind}.nii" for kind in ("", "-labels")]
        groups = heads[number % len(heads)].groups
        numbered = all(group.structures == (group.label,) for group in groups)  # as the network numbers them
        rows.append((names[0], names[1] if numbered else "", *facts))
        if not all((folder / name).is_file() for name in names):
            where = deformation(scan.voxels.shape, random)
            for name, voxels, order in zip(names, (scan.voxels, labels), (1, 0), strict=True):
                moved = ndimage.map_coordinates(voxels, where, order=order, mode="nearest")
                nib.save(nib.Nifti1Image(moved.astype(np.float32 if order else np.uint8), scan.affine), folder / name)
    with (folder / "scans.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "labels", *FACTS), *rows])
    return folder / "scans.csv"


def returned(record: dict, number: int) -> dict:
    """What a task gives back, without its work."""
    return {**record, "key": str(number)}


def serial_ms(client: Client, record: dict, folder: Path) -> tuple[float, float]:
    """Milliseconds a task that one scheduler and one client take: for an empty task, and with the record of a scan."""
    start = time.perf_counter()
    client.gather(client.map(int, range(TASKS), pure=False))
    empty = time.perf_counter() - start
    folder.mkdir(exist_ok=True)
    start = time.perf_counter()
    for future in as_completed(client.map(returned, [record] * TASKS, range(TASKS), pure=False)):
        written(future.result(), folder)
        future.release()
    return empty / TASKS * 1000, (time.perf_counter() - start) / TASKS * 1000


def main(folder: str, count: int = 200, slices: int = 12) -> None:
    entries = find_entries([str(make(Path(folder), count))])
    tasks = [ScanTask(entry, MODEL, None, zoo.read_card(MODEL).sha256, slices=slices) for entry in entries]
    took: dict[int, list[float]] = {1: [], 2: []}
    with connected(None, 1) as one, connected(None, 2) as two:
        for client in (one, two):
            client.run(measure, tasks[0])  # imports and the network
        for turn in (tasks[first : first + TURN] for first in range(0, count, TURN)):
            for workers, client in ((1, one), (2, two)):
                start = time.perf_counter()
                run(turn, Path(folder, f"out{workers}"), client)
                took[workers].append(time.perf_counter() - start)
            print(*(f"{workers}: {seconds[-1]:.1f} s" for workers, seconds in took.items()), flush=True)
        empty, full = serial_ms(two, measure(tasks[0]), Path(folder, "records"))
    of_turns = np.array(took[1]) / np.array(took[2]) / 2
    one_s, two_s = (sum(seconds) for seconds in took.values())
    print(f"{count} scans of {slices} slices: {one_s:.0f} s on 1 worker, {two_s:.0f} s on 2")
    print(f"efficiency {one_s / two_s / 2:.3f}; by turns {of_turns.min():.2f} to {of_turns.max():.2f}, "
          f"median {np.median(of_turns):.3f}")  # fmt: skip
    print(f"scheduler and client take {empty:.2f} ms an empty task, {full:.2f} ms one with the record of a scan")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
