"""A server of the app for the tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(_log(tmp_path_factory)) as served:
        yield served


def _log(folder: pytest.TempPathFactory) -> Path:
    return folder.mktemp("served") / "log"
