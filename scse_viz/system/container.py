"""What a container leaves this process of its machine: the limits of its control groups, and the cores they allow."""

import math
import os
from pathlib import Path

ROOT = Path("/")


def cores(root: Path = ROOT) -> int:
    """Processor cores that this process may use: those of its affinity, or the quota of its container, rounded up."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    times = [text.split() for text in limits("cpu", "cpu.max", root)]  # version 2: quota and period, in µs
    first = limits("cpu", "cpu.cfs_quota_us", root), limits("cpu", "cpu.cfs_period_us", root)
    quotas = [quota for quota in [*times, *map(list, zip(*first, strict=True))] if quota[0].isdigit()]
    return min([own, *(max(1, math.ceil(int(quota) / int(period))) for quota, period in quotas)])


def limits(kind: str, name: str, root: Path = ROOT) -> list[str]:
    """What the files of a name say that may limit this process: of its own control group and of every group above it.

    `kind` is the controller, such as "memory": version 1 has a tree for each, version 2 one for all.
    """
    texts = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, kinds, group = line.split(":", 2)
        top = root / "sys/fs/cgroup"
        if kinds:
            if kind not in kinds.split(","):
                continue
            top = top / kind
        own = top / group.strip("/")
        texts += [_read(folder / name) for folder in (own, *own.parents) if folder.is_relative_to(top)]
    return [text for text in texts if text]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
