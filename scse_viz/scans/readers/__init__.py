"""Image files -> arrays: a file's first bytes say which format it is, its name is for sentences only."""

import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast
from warnings import catch_warnings, simplefilter

from scse_viz.scans.readers import dicom, nifti, raster, tiff
from scse_viz.scans.readers.contents import (
    LARGEST_VOXELS,
    PIECE,
    FileContents,
    ScanError,
    VolumeChoice,
    read_exactly,
)

__all__ = ["LARGEST_VOXELS", "FileContents", "ScanError", "VolumeChoice", "read"]

FIRST_BYTES = 540  # enough to know every format, and the longest header that is read from them (NIfTI-2)
LARGEST_WHOLE = 1024**3  # bytes of a DICOM file, a .zip, and all that a .zip holds: these are read whole
MOST_MEMBERS = 8000  # files of a .zip or a folder: the headers of as many DICOM files take three seconds
HALVES = (".hdr", ".img")
READABLE = "NIfTI, MGH, Analyze, DICOM, PNG, JPEG, TIFF, .npy or a .zip of DICOM files"


@dataclass(frozen=True)
class Format:
    """How a kind of file is known and read, and what its library raises when the bytes are damaged."""

    name: str
    knows: Callable[[bytes], bool]
    reads: Callable[[bytes, BinaryIO, str, int | None], FileContents]  # first bytes, stream at 0, name, volume
    errors: tuple[type[Exception], ...]


def read(source: Path | bytes, name: str, volume: int | None = None) -> FileContents:
    """One volume of an image file; raises ScanError for whatever else the bytes may be."""
    with catch_warnings():
        simplefilter("ignore")  # pydicom and Pillow warn about oddities that reading survives
        if isinstance(source, bytes):
            return _read(FORMATS, BytesIO(source), name, volume)
        try:
            return _read_path(source, name, volume)
        except OSError as error:
            raise ScanError(f"{name}: cannot be opened ({error.strerror}); choose a file that can be read") from error


def _read_path(path: Path, name: str, volume: int | None) -> FileContents:
    if path.is_dir():
        return _read_folder(path, name, volume)
    if path.suffix.lower() in HALVES:
        header, voxels = (path.with_suffix(half if path.suffix.islower() else half.upper()) for half in HALVES)
        if header.exists() and voxels.exists():
            with header.open("rb") as first, voxels.open("rb") as second:
                return _read((_pair(second),), first, name, volume)
    with path.open("rb") as stream:
        return _read(FORMATS, stream, name, volume)


def _read_folder(path: Path, name: str, volume: int | None) -> FileContents:
    """The DICOM series in a folder and the folders in it."""
    files = [file for file in islice(path.rglob("*"), MOST_MEMBERS + 1) if file.is_file()]
    if len(files) > MOST_MEMBERS:
        raise ScanError(f"{name}: over {MOST_MEMBERS:,} files; put only the series to show in the folder")
    if sum(file.stat().st_size for file in files) > LARGEST_WHOLE:
        raise ScanError(f"{name}: over {LARGEST_WHOLE / 1024**3:.0f} GiB; put only the series to show in the folder")
    slices = [file.read_bytes for file in sorted(files) if dicom.is_dicom(_first_bytes(file))]
    with _in_a_sentence(name, "DICOM", dicom.ERRORS):
        return dicom.read_dicom(slices, name, volume)


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(FIRST_BYTES)


def _read(formats: Sequence[Format], stream: BinaryIO, name: str, volume: int | None) -> FileContents:
    block = stream.read(FIRST_BYTES)
    stream.seek(0)
    known = next((form for form in formats if form.knows(block)), None)
    if known is None:
        raise ScanError(f"{name}: {_unknown(block, name, formats)}; choose {READABLE}")
    with _in_a_sentence(name, known.name, known.errors):
        return known.reads(block, stream, name, volume)


@contextmanager
def _in_a_sentence(name: str, kind: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turns what a library raises on damaged bytes into a ScanError.

    The libraries check little before they decompress and calculate, so damage ends in many kinds of error. Each format
    lists those of its own library; any other error is a bug of ours and propagates.
    """
    try:
        yield
    except ScanError:
        raise
    except MemoryError as error:
        raise ScanError(f"{name}: needs more memory than there is; crop or downsample the scan") from error
    except errors as error:
        raise ScanError(f"{name}: damaged {kind} file; copy or export it again") from error


def _unknown(block: bytes, name: str, formats: Sequence[Format]) -> str:
    """In words, a file that no format recognises."""
    if not block:
        return "an empty file"
    if formats is GZIPPED:
        return "compressed with gzip, but neither NIfTI nor MGH inside"
    if name.lower().endswith(HALVES):
        return "half of an Analyze pair, or damaged; put both halves in a .zip"
    return "not an image that can be read here"


def _whole(stream: BinaryIO, name: str) -> bytes:
    data = bytearray()
    while piece := stream.read(PIECE):  # in pieces: read(size) takes the memory before seeing how little there is
        data += piece
        if len(data) > LARGEST_WHOLE:
            limit = f"{LARGEST_WHOLE / 1024**3:.0f} GiB"
            raise ScanError(f"{name}: over the limit of {limit}; crop it or convert it to NIfTI")
    return bytes(data)


def _read_gzip(_: bytes, stream: BinaryIO, name: str, volume: int | None) -> FileContents:
    with gzip.GzipFile(fileobj=stream) as unpacked:
        return _read(GZIPPED, cast(BinaryIO, unpacked), name, volume)


def _read_dicom(_: bytes, stream: BinaryIO, name: str, volume: int | None) -> FileContents:
    data = _whole(stream, name)
    return dicom.read_dicom([lambda: data], name, volume)


def _read_half(_: bytes, stream: BinaryIO, name: str, volume: int | None) -> FileContents:
    raise ScanError(f"{name}: a header, its voxels are in an .img file; put both in a .zip, or choose {READABLE}")


def _pair(voxels: BinaryIO) -> Format:
    """The format of a header whose voxels are in another file."""

    def reads(block: bytes, _: BinaryIO, name: str, volume: int | None) -> FileContents:
        return nifti.read_nifti(block, voxels, name, volume)

    return Format("Analyze", lambda block: nifti.header_class(block) is not None, reads, nifti.ERRORS)


def _read_zip(_: bytes, stream: BinaryIO, name: str, volume: int | None) -> FileContents:
    """A DICOM series, an Analyze or NIfTI pair, or a single image; nothing is written to disk."""
    if _members(stream) > MOST_MEMBERS:
        raise ScanError(f"{name}: over {MOST_MEMBERS:,} files; put only the series to show in the .zip")
    with zipfile.ZipFile(stream) as archive:
        members = [entry for entry in archive.infolist() if _is_shown(entry.filename)]
        if sum(member.file_size for member in members) > LARGEST_WHOLE:
            limit = f"{LARGEST_WHOLE / 1024**3:.0f} GiB"
            raise ScanError(f"{name}: holds more than {limit} uncompressed; put only the series to show in the .zip")
        if any(member.flag_bits & 1 for member in members):
            raise ScanError(f"{name}: protected by a password; save it without one")
        if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
            raise ScanError(f"{name}: compressed by an unsupported method; zip the files again")
        first = {member.filename: _unpacked(archive, member, name, FIRST_BYTES) for member in members}
        slices = [member for member in members if dicom.is_dicom(first[member.filename])]
        if slices:
            with _in_a_sentence(name, "DICOM", dicom.ERRORS):
                return dicom.read_dicom([partial(_unpacked, archive, member, name) for member in slices], name, volume)
        by_name = {member.filename.lower(): member for member in members}
        for member in members:
            block = first[member.filename]
            voxels = by_name.get(str(PurePosixPath(member.filename.lower()).with_suffix(".img")))
            if voxels is not None and nifti.header_class(block) is not None and not nifti.is_single(block):
                return nifti.read_nifti(block, BytesIO(_unpacked(archive, voxels, name)), name, volume)
        if len(members) == 1 and not first[members[0].filename].startswith(b"PK"):
            return _read(FORMATS, BytesIO(_unpacked(archive, members[0], name)), name, volume)
    held = f"{len(members)} files, none DICOM" if members else "no files"
    raise ScanError(f"{name}: holds {held}; zip a DICOM series, an .hdr with its .img, or one image")


def _members(stream: BinaryIO) -> int:
    """An upper bound of the files in a .zip: their signatures, counted before zipfile makes an object of each."""
    count, end = 0, b""
    while piece := stream.read(PIECE):
        count += (end + piece).count(b"PK\1\2")
        end = piece[-3:]
    stream.seek(0)
    return count


def _is_shown(filename: str) -> bool:
    """Whether a member is a file: no folder, no name that damage left empty, nothing that macOS leaves beside files."""
    hidden = (part.startswith((".", "__MACOSX")) and part != ".." for part in PurePosixPath(filename).parts)
    return filename[-1:] not in ("", "/") and not any(hidden)


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, most: int | None = None) -> bytes:
    """A member, or its first bytes; never more than the size that was declared and counted."""
    size = member.file_size if most is None else min(most, member.file_size)
    with archive.open(member) as stream:
        return bytes(read_exactly(cast(BinaryIO, stream), size, name))


NIFTI = Format("NIfTI", nifti.is_single, nifti.read_nifti, nifti.ERRORS)
MGH = Format("MGH", nifti.is_mgh, nifti.read_mgh, nifti.ERRORS)
GZIPPED = (NIFTI, MGH)
# The most specific signatures first: a DICOM file may begin as a TIFF, and one without preamble has the weakest.
FORMATS = (
    NIFTI,
    Format("DICOM", dicom.has_preamble, _read_dicom, dicom.ERRORS),
    Format("TIFF", tiff.is_tiff, tiff.read_tiff, tiff.ERRORS),
    Format("picture", raster.is_picture, raster.read_picture, raster.ERRORS),
    Format(".npy", raster.is_array, raster.read_array, raster.ERRORS),
    Format("gzip", lambda block: block[:2] == b"\x1f\x8b", _read_gzip, (OSError, EOFError, zlib.error)),
    Format("zip", lambda block: block[:4] in (b"PK\3\4", b"PK\5\6"), _read_zip,
           (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, struct.error, zlib.error, *nifti.ERRORS)),
    MGH,
    Format("Analyze", lambda block: nifti.header_class(block) is not None, _read_half, ()),
    Format("DICOM", dicom.is_dicom, _read_dicom, dicom.ERRORS),
)  # fmt: skip
