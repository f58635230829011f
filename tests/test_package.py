"""The wheel: everything that the app and the command read travels with it."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel built from this checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("scse_viz", "pretrained"):  # a copy: setuptools leaves what it built beside its source
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = out.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_every_module_script_style_sheet_and_template_is_in_the_wheel(shipped: set[str]) -> None:
    kinds = {".py", ".js", ".css", ".j2", ".txt"}
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "scse_viz").rglob("*") if path.suffix in kinds}
    assert wanted - shipped == set()


def test_every_network_is_in_the_wheel(shipped: set[str]) -> None:
    kinds = {".json", ".safetensors", ".npz", ".md"}
    wanted = {f"scse_viz/{path.relative_to(ROOT)}" for path in (ROOT / "pretrained").rglob("*") if path.suffix in kinds}
    assert wanted - shipped == set()
