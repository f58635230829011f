"""For tests of pages: no browser draws them, so nothing waits for one."""

import pytest

from scse_viz.ui.shell import delivery


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PAUSE_S", 0.0)
