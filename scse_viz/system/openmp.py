"""OpenMP, with which torch splits an operation over cores: how long its threads stay busy while they wait."""

import os
from collections.abc import MutableMapping

SPINS = 1000
"""Turns of a waiting thread before it sleeps, of GNU's OpenMP, whose own choice is 300,000."""


def sleep_soon(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads that wait for each other sleep after some microseconds, unless the environment says how they wait.

    The threads of an operation wait for the slowest at its end. A thread that stays busy meanwhile keeps its core from
    the one that it waits for, where other processes or sessions are at work: beside a training on the same two cores a
    slice through a U-Net took 1.7 s, and takes 0.06 s so; on an idle machine 35 and 37 ms. OpenMP reads the setting
    when torch is loaded, so it is for programs to make, before that.
    """
    if "OMP_WAIT_POLICY" not in environment:
        environment.setdefault("GOMP_SPINCOUNT", str(SPINS))
