"""Tasks on a Dask scheduler: what is done stays done, a lost worker's tasks run again, a bad scan stops nothing."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster, as_completed

from scse_viz.cohort.entries import CohortError
from scse_viz.cohort.results import FailedTask
from scse_viz.cohort.tasks import ScanTask, measure, written

PARTS = "parts"
RETRIES = 2
MEMORY = "4GiB"


@dataclass(frozen=True)
class ScanOutcome:
    """How a run ended: tasks that were done before, done now, and those that failed, with their last error."""

    before: int
    done: int
    failed: list[FailedTask]


@contextmanager
def connected(scheduler: str | None, workers: int | None, memory: str = MEMORY) -> Iterator[Client]:
    """A client of the scheduler at an address, or of workers on this machine, each of one thread and so much memory."""
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=20)
        except (OSError, TimeoutError, ValueError) as error:
            raise CohortError(
                f"{scheduler}: no Dask scheduler answers there; give its address as tcp://host:8786"
            ) from error
        with client:
            yield client
        return
    count = workers or os.cpu_count() or 1
    options: dict[str, Any] = {"dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
    with (
        LocalCluster(n_workers=count, threads_per_worker=1, memory_limit=memory, **options) as cluster,
        Client(cluster) as client,
    ):
        yield client


def run(
    tasks: Sequence[ScanTask],
    out: Path,
    client: Client,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ScanOutcome:
    """Run what has no part in `out` yet, and write the part of each task when it is done; parts are JSON.

    progress is called with how many are done and how many there are. A task whose worker dies runs on another one; a
    task that fails RETRIES + 1 times is in `failed`, and runs again the next time.
    """
    folder = out / PARTS
    folder.mkdir(parents=True, exist_ok=True)
    open_tasks = {task.key: task for task in tasks if not (folder / f"{task.key}.json").exists()}
    before, done = len(tasks) - len(open_tasks), 0
    failed: list[FailedTask] = []
    progress(before, len(tasks))
    futures = client.map(measure, list(open_tasks.values()), key=list(open_tasks), retries=RETRIES, pure=False)
    for future in as_completed(futures):
        task = open_tasks[str(future.key)]
        record = future.result() if future.status == "finished" else None
        if record is not None and record["key"] == task.key:
            written(record, folder)
        else:
            failed.append(FailedTask(str(task.entry.path), task.model, _sentence(future.exception())))
        done += 1
        future.release()  # the scheduler forgets the result
        progress(before + done, len(tasks))
    return ScanOutcome(before, done - len(failed), failed)


def _sentence(error: BaseException | None) -> str:
    """Why a task has no record; without an error, a version from before tasks had their key made another one."""
    if error is None:
        return "another version of scse-viz on the worker than on the client; install the same on both"
    return str(error) if isinstance(error, CohortError) else repr(error)
