"""What travels with the code: weights, sample scans, and the script that is served."""

from pathlib import Path


def shipped(name: str, installed_as: str | None = None) -> Path:
    """A file or folder of the project: inside an installed package, under its own name there, or in a checkout."""
    installed = Path(__file__).parent / (installed_as or name)
    return installed if installed.exists() else Path(__file__).parents[1] / name
