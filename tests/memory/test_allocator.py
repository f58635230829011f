import subprocess
import sys
from textwrap import dedent

import pytest

from scse_viz.memory import allocator

PAGES = """
import resource
import numpy as np
from scse_viz.memory.allocator import give_back, keep_for_reuse

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(2**20) for _ in range(4)]  # 8 MB each
    del arrays
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
"""


def in_new_process(script: str) -> list[int]:
    """The numbers that a script prints; the allocator's settings are of the whole process."""
    done = subprocess.run([sys.executable, "-c", PAGES + dedent(script)], check=True, capture_output=True, text=True)
    return [int(word) for word in done.stdout.split()]


def test_memory_that_was_freed_serves_what_comes_next_until_it_is_given_back() -> None:
    first, next_, afterwards = in_new_process("""
        assert keep_for_reuse()
        print(faults(), faults())
        assert give_back()
        print(faults())
    """)
    assert first > 1500
    assert next_ < 100
    assert afterwards > 1500


def test_an_allocator_without_settings_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator, "_function", lambda name: None)
    assert not allocator.keep_for_reuse()
    assert not allocator.give_back()
