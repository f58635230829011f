"""The time of one slice of a whole head: a plain pass, a recorded pass, and all of `segment_slice`."""

import pytest
import torch

from scse_viz import zoo
from scse_viz.attention import record
from scse_viz.inference import network_input, segment_slice, segment_slices, window
from scse_viz.scans import ScanSlice, read_scan
from scse_viz.scans.samples import samples

NAME = "brain-unet-scse"
PLANE, INDEX = "axial", 80


@pytest.fixture(scope="module")
def case():
    """A real scan, the shipped scSE network and its card."""
    return read_scan(samples()["colin27"].scan), zoo.load(NAME), zoo.read_card(NAME)


def test_plain_pass(benchmark, case):
    scan, model, card = case
    x = network_input(scan, card, PLANE, [INDEX], window(scan, card))
    with torch.no_grad():
        benchmark(model, x)


def test_recorded_pass(benchmark, case):
    scan, model, card = case
    benchmark(record, model, network_input(scan, card, PLANE, [INDEX], window(scan, card)))


def test_segment_slice(benchmark, case):
    scan, model, card = case
    benchmark(segment_slice, ScanSlice(scan, PLANE, INDEX), model, card)


def test_window(benchmark, case):
    scan, _, card = case
    benchmark(window, scan, card)


def test_eight_slices_in_a_batch(benchmark, case):
    scan, model, card = case
    benchmark(lambda: list(segment_slices(scan, model, card, PLANE, indices=range(76, 84))))
