"""Image files -> arrays: a file's first bytes say which format it is, its name is for sentences only."""

import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast
from warnings import catch_warnings, simplefilter

from scse_viz.scans.readers import dicom, nifti, raster, tiff
from scse_viz.scans.readers.contents import UNCHECKED, FileContents, ScanError, VolumeChoice
from scse_viz.scans.readers.limits import LARGEST_BYTES, PIECE, read_whole

__all__ = ["FileContents", "ScanError", "VolumeChoice", "read"]

FIRST_BYTES = 540  # enough to know every format, and the longest header that is read from them (NIfTI-2)
MOST_FILES = 8000  # in a .zip or a folder: the headers of as many DICOM files take three seconds
HALVES = (".hdr", ".img")
READABLE = "NIfTI, MGH, Analyze, DICOM, PNG, JPEG, TIFF, .npy or a .zip of DICOM files"

Opener = Callable[[], Any]  # opens one file, however often it is called


@dataclass(frozen=True)
class Format:
    """How a kind of file is known and read, and what its library raises when the bytes are damaged."""

    name: str
    knows: Callable[[bytes], bool]
    reads: Callable[[bytes, BinaryIO, int | None], FileContents]  # first bytes, stream at 0, volume
    errors: tuple[type[Exception], ...]
    forward: bool = False  # read from front to back: of a member of a .zip, too, not all is held


def read(source: Path | bytes, name: str, volume: int | None = None) -> FileContents:
    """One volume of an image file; raises ScanError for whatever else the bytes may be."""
    try:
        with catch_warnings():
            simplefilter("ignore")  # pydicom and Pillow warn about oddities that reading survives
            if isinstance(source, bytes):
                return _read(FORMATS, BytesIO(source), name, volume)
            return _read_path(source, volume)
    except ScanError as error:
        error.args = (f"{name}: {error.args[0]}", *error.args[1:])
        raise
    except OSError as error:
        raise ScanError(f"{name}: cannot be opened ({error.strerror}); choose a file that can be read") from error


def _read_path(path: Path, volume: int | None) -> FileContents:
    """A file, the halves of a pair, or a folder and the folders in it."""
    halves: list[Path] = []
    if path.suffix.lower() in HALVES:
        halves = [path.with_suffix(half if path.suffix.islower() else half.upper()) for half in HALVES]
    if path.is_dir():
        files = sorted(file for file in islice(path.rglob("*"), MOST_FILES + 1) if file.is_file())
        _check(len(files), sum(file.stat().st_size for file in files))
    elif halves and all(half.exists() for half in halves):
        files = halves
    else:
        with path.open("rb") as stream:
            return _read(FORMATS, stream, path.name, volume)
    return _read_files([(str(file), partial(file.open, "rb")) for file in files], volume)


def _check(files: int, size: int) -> None:
    if files > MOST_FILES or size > LARGEST_BYTES:
        over = f"{MOST_FILES:,} files" if files > MOST_FILES else "1 GiB uncompressed"
        raise ScanError(f"holds over {over}; put only the series to show in it")


def _read(formats: Sequence[Format], stream: BinaryIO, name: str, volume: int | None) -> FileContents:
    block = stream.read(FIRST_BYTES)
    stream.seek(0)
    known = next((form for form in formats if form.knows(block)), None)
    if known is None:
        raise ScanError(f"{_unknown(block, name, formats)}; choose {READABLE}")
    with _in_a_sentence(known.name, known.errors):
        return known.reads(block, stream, volume)


@contextmanager
def _in_a_sentence(kind: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turns what a library raises on damaged bytes into a ScanError.

    The libraries check little before they decompress and calculate, so damage ends in many kinds of error. Each format
    lists those of its own library; any other error is a bug of ours and propagates.
    """
    try:
        yield
    except ScanError:
        raise
    except MemoryError as error:
        raise ScanError("needs more memory than there is; crop or downsample the scan") from error
    except errors as error:
        raise ScanError(f"damaged {kind} file; copy or export it again") from error


def _unknown(block: bytes, name: str, formats: Sequence[Format]) -> str:
    """In words, a file that no format recognises."""
    if not block:
        return "an empty file"
    if formats is GZIPPED:
        return "compressed with gzip, but neither NIfTI nor MGH inside"
    if name.lower().endswith(HALVES) or nifti.header_class(block):
        return "half of an Analyze or NIfTI pair, or damaged; put both halves in a .zip"
    return "not an image that can be read here"


def _read_gzip(_: bytes, stream: BinaryIO, volume: int | None) -> FileContents:
    with gzip.GzipFile(fileobj=stream) as unpacked:
        return _read(GZIPPED, cast(BinaryIO, unpacked), "", volume)


def _read_dicom(_: bytes, stream: BinaryIO, volume: int | None) -> FileContents:
    data = read_whole(stream)
    return dicom.read_dicom([lambda: data], volume)


def _read_zip(_: bytes, stream: BinaryIO, volume: int | None) -> FileContents:
    """Nothing is written to disk."""
    count, end = 0, b""
    while piece := stream.read(PIECE):  # signatures of files are counted before zipfile makes an object of each
        count += (end + piece).count(b"PK\1\2")
        end = piece[-3:]
    _check(count, 0)
    with zipfile.ZipFile(stream) as archive:
        members = [member for member in archive.infolist() if _is_shown(member.filename)]
        _check(count, sum(member.file_size for member in members))
        if any(member.flag_bits & 1 for member in members):
            raise ScanError("protected by a password; save it without one")
        if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
            raise ScanError("compressed by an unsupported method; zip the files again")
        return _read_files([(member.filename, partial(archive.open, member)) for member in members], volume)


def _is_shown(filename: str) -> bool:
    """Whether a member is a file: no folder, no name that damage left empty, nothing that macOS leaves beside files."""
    hidden = (part.startswith((".", "__MACOSX")) and part != ".." for part in PurePosixPath(filename).parts)
    return filename[-1:] not in ("", "/") and not any(hidden)


def _read_files(files: Sequence[tuple[str, Opener]], volume: int | None) -> FileContents:
    """A DICOM series, an Analyze or NIfTI pair, or a single image; files: name of each, and how to open it."""
    heads = [_bytes(opener, FIRST_BYTES) for _, opener in files]
    slices = [partial(_bytes, opener) for (_, opener), head in zip(files, heads, strict=True) if dicom.is_dicom(head)]
    if slices:
        with _in_a_sentence("DICOM", dicom.ERRORS):
            return dicom.read_dicom(slices, volume)
    by_name = {name.lower(): opener for name, opener in files}
    for (name, opener), head in zip(files, heads, strict=True):
        voxels = by_name.get(f"{name.lower().removesuffix('.hdr')}.img")
        if voxels and nifti.header_class(head) and not nifti.is_single(head):
            with _in_a_sentence("Analyze", nifti.ERRORS), voxels() as stream:
                return nifti.read_nifti(head, stream, volume)
        if len(files) == 1 and not head.startswith(b"PK"):
            with opener() as stream:
                forward = any(form.knows(head) for form in FORMATS if form.forward)
                return _read(FORMATS, stream if forward else BytesIO(read_whole(stream)), name, volume)
    held = f"{len(files)} files, none DICOM" if files else "no files"
    raise ScanError(f"holds {held}; zip a DICOM series, an .hdr with its .img, or one image")


def _bytes(opener: Opener, most: int | None = None) -> bytes:
    """The first bytes of a file, or all."""
    with opener() as stream:
        return read_whole(stream) if most is None else stream.read(most)


def _begins(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda block: block.startswith(signatures)


NIFTI = Format("NIfTI", nifti.is_single, nifti.read_nifti, nifti.ERRORS, forward=True)
MGH = Format("MGH", _begins(b"\0\0\0\1"), nifti.read_mgh, nifti.ERRORS, forward=True)
GZIPPED = (NIFTI, MGH)
# The most specific signatures first: a DICOM file may begin as a TIFF, and one without preamble has the weakest.
FORMATS = (
    NIFTI,
    Format("DICOM", dicom.has_preamble, _read_dicom, dicom.ERRORS),
    Format("TIFF", _begins(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), tiff.read_tiff, tiff.ERRORS),
    Format("picture", _begins(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"), raster.read_picture, raster.ERRORS),
    Format(".npy", _begins(b"\x93NUMPY"), raster.read_array, raster.ERRORS, forward=True),
    Format("gzip", _begins(b"\x1f\x8b"), _read_gzip, (OSError, EOFError, zlib.error), forward=True),
    Format("zip", _begins(b"PK\3\4", b"PK\5\6"), _read_zip, (*UNCHECKED, zipfile.BadZipFile)),
    MGH,
    Format("DICOM", dicom.is_dicom, _read_dicom, dicom.ERRORS),
)
