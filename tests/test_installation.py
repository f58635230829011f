"""Where weights, samples and the served script lie."""

from pathlib import Path

import pytest

from scse_viz import installation
from scse_viz.installation import shipped


def test_a_checkout_has_it_at_its_top_and_an_installed_package_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "__file__", str(tmp_path / "scse_viz" / "installation.py"))
    assert shipped("app.py", installed_as="served/app.py") == tmp_path / "app.py"
    (tmp_path / "scse_viz" / "served").mkdir(parents=True)
    (tmp_path / "scse_viz" / "served" / "app.py").touch()
    assert shipped("app.py", installed_as="served/app.py") == tmp_path / "scse_viz" / "served" / "app.py"
    assert shipped("pretrained") == tmp_path / "pretrained"
