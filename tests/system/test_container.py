"""Cores that a container may use."""

import os
from pathlib import Path

import pytest

from scse_viz.system.container import cores
from tests.memory.test_budget import write

V2, V1 = "0::/pod/app\n", "4:cpu,cpuacct:/docker/1\n"
PERIOD = "docker/1/cpu.cfs_period_us"


@pytest.mark.parametrize(
    ("groups", "files", "wanted"),
    [
        (V2, {"pod/app/cpu.max": "max 100000", "pod/cpu.max": "300000 100000"}, 3),
        (V2, {"pod/app/cpu.max": "150000 100000"}, 2),
        (V2, {"pod/app/cpu.max": "10000 100000"}, 1),
        (V2, {"pod/app/cpu.max": "max 100000"}, 8),
        (V2, {"pod/app/cpu.max": "3200000 100000"}, 8),
        (V1, {"cpu/docker/1/cpu.cfs_quota_us": "200000", f"cpu/{PERIOD}": "100000"}, 2),
        (V1, {"cpu/docker/1/cpu.cfs_quota_us": "-1", f"cpu/{PERIOD}": "100000"}, 8),
        ("", {}, 8),
    ],
)
def test_a_quota_is_cores_rounded_up_and_never_more_than_the_process_may_run_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: str, files: dict[str, str], wanted: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    write(tmp_path / "proc/self/cgroup", groups)
    for name, text in files.items():
        write(tmp_path / "sys/fs/cgroup" / name, f"{text}\n")
    assert cores(tmp_path) == wanted
