"""Ways of doing a thing, timed by turns, so that a busy machine slows all of them."""

import random
import statistics
import time
from collections.abc import Callable, Mapping


def interleaved(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, tuple[float, float]]:
    """Median seconds of each way, processor and wall clock, over rounds in which they take turns in random order."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    order, turn = list(ways), random.Random(0)
    for way in ways.values():
        way()
    for _ in range(rounds):
        turn.shuffle(order)
        for name in order:
            started = time.process_time(), time.perf_counter()
            ways[name]()
            seconds[name].append((time.process_time() - started[0], time.perf_counter() - started[1]))
    return {
        name: (statistics.median(p for p, _ in times), statistics.median(w for _, w in times))
        for name, times in seconds.items()
    }
