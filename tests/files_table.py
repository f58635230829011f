"""The table of docs/files.md: every odd file of ours, and every file that nibabel and pydicom ship, as it is read.

`python -m tests.files_table` writes it anew.
"""

import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import nibabel
import pydicom

from scse_viz.scans import Scan, ScanError, VolumeChoice, read_scan
from scse_viz.scans.readers import READABLE
from tests.odd import odd_files

PAGE = Path(__file__).parents[1] / "docs" / "files.md"
SHIPPED = (
    ("nibabel", Path(nibabel.__file__).parent, ("tests/data", "nicom/tests/data")),
    ("pydicom", Path(pydicom.__file__).parent, ("data/test_files", "data/palettes", "data/charset_files")),
)
CODE = (".py", ".pyc", ".m", ".gitignore")
INTRODUCTION = """# What each file is read as

A file is read with the voxels that it holds, or refused in one sentence. Sizes are those of the file's own axes; each
assumption about geometry is a note. A test makes this page anew and compares; `python -m tests.files_table` writes it.

Headers and pixels are read by nibabel, pydicom, tifffile and Pillow; Siemens mosaics are laid out by nibabel's
DICOM wrappers. What was tried and left out:

- highdicom 0.28 (35 MB) reads one regular volume, and gives the same refusal for two echoes, a missing slice, a
  tilted gantry, and directions that differ by 2e-6.
- nibabel's wrapper of multi-frame DICOM needs indices of dimensions, which many files lack, and takes the frames of
  a file without functional groups for one slice.
- imagecodecs 2026.3 (80 MB) would add LZW of 16-bit colours, JPEG 2000, and 10 to 24 bits a pixel in TIFF. It holds
  deflate and LZW to the size of a page, but not JPEG: a TIFF of 580 bytes took 860 MB, and was read as if whole.
- torchvision reads 16-bit colours of PNG from 0.21 on, and calls its decoders deprecated from 0.29 on.
- dcm2niix, dicom2nifti and SimpleITK read series from a disk, which uploads never touch; imageio hands files to
  tifffile and Pillow.

## One odd file of each kind

| file | read as |
|---|---|
"""


def ending(source: Path | bytes, name: str, volume: int | None = None) -> str:
    """How reading ends: sizes, spacing and notes, or the sentence of the refusal."""
    try:
        return _said(read_scan(source, name=name, volume=volume))
    except VolumeChoice as several:
        first = read_scan(source, name=name, volume=0)
        return f"{several.volumes} volumes, the first: {_said(first)}"
    except ScanError as error:
        return f"refused: {str(error).removeprefix(f'{name}: ').removesuffix(f'; choose {READABLE}')}"


def shipped() -> Iterator[tuple[str, Path]]:
    """Name and path of every data file and of every folder of a series."""
    for package, root, folders in SHIPPED:
        for folder in folders:
            for path in sorted((root / folder).rglob("*")):
                inside = path.relative_to(root / folder)
                series = path.is_dir() and any(entry.is_file() for entry in path.iterdir())
                alone = path.is_file() and len(inside.parts) == 1
                if (series or alone) and not path.name.endswith(CODE) and "__" not in path.name:
                    yield f"{package}/{folder}/{inside.as_posix()}", path


def rows_of_shipped() -> dict[str, str]:
    return {name: ending(path, path.name) for name, path in shipped()}


def versions() -> str:
    return ", ".join(f"{package} {version(package)}" for package, _, _ in SHIPPED)


def page() -> str:
    odd = "".join(_row(name, ending(odd.data, odd.name, odd.volume)) for name, odd in odd_files().items())
    theirs = "".join(_row(f"`{name}`", said) for name, said in rows_of_shipped().items())
    heading = f"\n## Files that other libraries ship\n\nThose of {versions()}.\n\n| file | read as |\n|---|---|\n"
    return INTRODUCTION + odd + heading + theirs


def _said(scan: Scan) -> str:
    sizes, spacing = (" × ".join(f"{size:.4g}" for size in values) for values in (scan.file_shape, scan.spacing))
    return " ".join([f"{sizes} voxels of {spacing} mm.", *scan.notes])


def _row(name: str, said: str) -> str:
    return f"| {name} | {said.replace('|', chr(92) + '|')} |\n"


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        PAGE.write_text(page(), encoding="utf-8")
