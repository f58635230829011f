from pathlib import Path

import pytest

from scse_viz import shipped as module
from scse_viz.shipped import shipped


def test_a_checkout_has_it_at_its_top_and_an_installed_package_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "__file__", str(tmp_path / "scse_viz" / "shipped.py"))
    assert shipped("app.py", installed_as="served/app.py") == tmp_path / "app.py"
    (tmp_path / "scse_viz" / "served").mkdir(parents=True)
    (tmp_path / "scse_viz" / "served" / "app.py").touch()
    assert shipped("app.py", installed_as="served/app.py") == tmp_path / "scse_viz" / "served" / "app.py"
    assert shipped("pretrained") == tmp_path / "pretrained"
