"""The wheel: everything that the app and the command read travels with it."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this checkout."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in (
        "scse_viz",
        "pretrained",
        "sample_data",
        ".streamlit",
    ):  # a copy: setuptools leaves what it built beside its source
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.txt", "README.md", "LICENSE", "app.py"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def shipped(wheel: Path) -> set[str]:
    """The names of the files in the wheel."""
    return set(zipfile.ZipFile(wheel).namelist())


def test_every_module_script_style_sheet_and_template_is_in_the_wheel(shipped: set[str]) -> None:
    kinds = {".py", ".js", ".css", ".j2", ".txt"}
    wanted = {path.relative_to(ROOT).as_posix() for path in (ROOT / "scse_viz").rglob("*") if path.suffix in kinds}
    assert wanted - shipped == set()


def test_every_network_is_in_the_wheel(shipped: set[str]) -> None:
    kinds = {".json", ".safetensors", ".npz", ".md"}
    wanted = {f"scse_viz/{path.relative_to(ROOT)}" for path in (ROOT / "pretrained").rglob("*") if path.suffix in kinds}
    assert wanted - shipped == set()


def test_every_sample_scan_is_in_the_wheel_with_its_licence(shipped: set[str]) -> None:
    wanted = {f"scse_viz/{path.relative_to(ROOT)}" for path in (ROOT / "sample_data").iterdir()}
    assert "scse_viz/sample_data/README.md" in wanted
    assert wanted - shipped == set()


SERVED = """
import sys
from scse_viz.cli import app
from scse_viz.scans import read_scan
from scse_viz.scans.samples import samples
from streamlit import config
config._main_script_path = str(app.SCRIPT)  # as `streamlit run` sets it
config.get_config_options(force_reparse=True)
print(app.SCRIPT.relative_to(sys.argv[1]).as_posix())
first = next(iter(samples().values()))
print(first.scan.relative_to(sys.argv[1]).as_posix(), read_scan(first.scan).planes)
print(config.get_option("server.maxUploadSize"), config.get_option("theme.light.primaryColor"))
"""


def test_the_app_of_a_wheel_has_scans_to_show_and_the_theme_and_the_limits_of_the_checkout(
    wheel: Path, tmp_path: Path
) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    command = [sys.executable, "-c", SERVED, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    script, scan, settings = done.stdout.splitlines()
    assert script == "scse_viz/served/app.py"
    assert (tmp_path / script).read_bytes() == (ROOT / "app.py").read_bytes()
    assert scan == "scse_viz/sample_data/colin27.nii.gz ('sagittal', 'coronal', 'axial')"
    assert settings == "300 #1f6f8b"
