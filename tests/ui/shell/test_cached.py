"""Several networks at once give what one after the other gives, and keep their errors apart."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scse_viz import zoo
from scse_viz.analysis.gates import named_arrays
from scse_viz.inference import segment_slice
from scse_viz.scans import read_scan
from scse_viz.scans.samples import samples
from scse_viz.ui.shell import cached
from scse_viz.zoo import WeightsError

ROOT = Path(__file__).parents[3]
NAMES = [f"hippocampus-unet-{variant}" for variant in ("none", "cse", "sse", "scse")]


@pytest.fixture(scope="module")
def scan():
    return read_scan(samples()["colin27-hippocampus-left"].scan)


def test_networks_side_by_side_are_in_order_and_equal_those_alone(scan):
    cards = zoo.cards()
    futures = cached.segmented(scan.slice("sagittal", 20), [cards[name] for name in NAMES])
    for name, future in zip(NAMES, futures, strict=True):
        alone = segment_slice(scan.slice("sagittal", 20), zoo.load(name), cards[name])
        np.testing.assert_array_equal(future.result().labels, alone.labels)
        assert future.result().gates.keys() == alone.gates.keys()
        arrays = named_arrays(future.result().gates)
        for key, gate in named_arrays(alone.gates).items():
            np.testing.assert_allclose(arrays[key], gate, atol=1e-5)


def test_panels_made_beside_the_passes_are_there_when_the_page_draws_them(scan, monkeypatch):
    cards = [zoo.cards()[name] for name in NAMES]
    cached.segmented(scan.slice("sagittal", 19), cards, drawn=True)
    monkeypatch.setattr(cached, "block_panel", None)  # a panel that is missing now can't be made
    panels = [cached.panels(scan.slice("sagittal", 19), card) for card in cards]
    expected = [{"prediction", *(block.name for block in card.block_table)} for card in cards]
    assert [set(of_card) for of_card in panels] == expected


def test_a_network_that_is_missing_spoils_no_other(scan):
    card = zoo.cards()[NAMES[0]]
    missing, there = cached.segmented(scan.slice("sagittal", 21), [replace(card, name="not-there"), card])
    with pytest.raises(WeightsError, match="not-there"):
        missing.result()
    assert there.result().labels.max() <= 2


THREADS = """
import threading
import torch
from scse_viz import zoo
from scse_viz.scans import read_scan
from scse_viz.scans.samples import samples
from scse_viz.ui.shell import cached

def of_a_new_thread():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return seen[0]

torch.set_num_threads(3)  # not what the machine has
scan = read_scan(samples()["colin27-hippocampus-left"].scan)
cards = [zoo.read_card(f"hippocampus-unet-{variant}") for variant in ("none", "scse")]
inside = []
watched = zoo.load
zoo.load = lambda name: inside.append(torch.get_num_threads()) or watched(name)
for future in cached.segmented(scan.slice("sagittal", 20), cards):
    future.result()
assert inside == [1, 1], inside  # networks beside one another use a thread each
assert torch.get_num_threads() == of_a_new_thread() == 3, (torch.get_num_threads(), of_a_new_thread())
"""


def test_networks_side_by_side_lower_the_threads_of_no_other_thread():
    done = subprocess.run([sys.executable, "-c", THREADS], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
