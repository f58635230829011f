"""A folder, a .zip or a single file -> the weights in it, and the config or card that lies beside them."""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

from torch import Tensor

from scse_viz.zoo.cards import WeightsError
from scse_viz.zoo.foreign.states import PICKLES, read_pickle, read_safetensors, without_prefixes

SUFFIXES = (".safetensors", *PICKLES)
LARGEST = 2 * 1024**3
"""Bytes of weights, and of everything in a .zip, uncompressed."""
LARGEST_TEXT = 2**20
MOST_FILES = 1000
EXPECTED = "a folder or .zip of save_pretrained (config.json and model.safetensors), or one file of weights"
Reader = Callable[[], bytes]


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Weights by name, without the prefixes that wrappers add, and the `config` beside them.

    `card` is the JSON of one of our own networks; `notes` say what was left out; `sha256` is that of the weights' file.
    """

    name: str
    state: Mapping[str, Tensor] = field(repr=False)
    sha256: str
    config: Mapping[str, Any] | None = None
    card: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


def read_checkpoint(source: Path | bytes, *, name: str | None = None) -> Checkpoint:
    """Read the weights of a network; name: of the file, when source is its bytes.

    Nothing that a file names is imported, and no code in it runs. Raises WeightsError for what cannot be read safely.
    """
    name = name or (source.name if isinstance(source, Path) else "upload")
    try:
        return _checkpoint(name, _files(source, name))
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise WeightsError(f"{name}: cannot be read ({error}); copy or save it again") from error


def _checkpoint(name: str, files: Mapping[str, tuple[int, Reader]]) -> Checkpoint:
    weights = [path for path in files if path.lower().endswith(SUFFIXES)]
    if len(weights) != 1:
        held = ", ".join(sorted(weights)[:5]) or "none"
        raise WeightsError(f"{name}: {len(weights)} files of weights in it ({held}), one is needed; choose {EXPECTED}")
    size, read = files[weights[0]]
    if size > LARGEST:
        raise WeightsError(f"{name}: {size / 1e9:.1f} GB of weights, over the limit of {LARGEST / 1e9:.1f} GB")
    facts = _facts(name, weights[0], files)
    data = read()
    reads = read_safetensors if weights[0].lower().endswith(".safetensors") else read_pickle
    state, notes = without_prefixes(reads(data, PurePosixPath(weights[0]).name))
    ours = facts is not None and "widths" in facts
    stem = PurePosixPath(name).name
    for suffix in (".zip", *SUFFIXES):
        stem = stem.removesuffix(suffix)
    return Checkpoint(
        name=stem,
        state=state,
        sha256=hashlib.sha256(data).hexdigest(),
        config=None if ours else facts,
        card=facts if ours else None,
        notes=notes,
    )


def _facts(name: str, weights: str, files: Mapping[str, tuple[int, Reader]]) -> dict[str, Any] | None:
    """The config.json beside the weights, or the card of one of our networks."""
    place = PurePosixPath(weights)
    for beside in (place.with_name("config.json"), place.with_suffix(".json")):
        if str(beside) in files:
            size, read = files[str(beside)]
            if size > LARGEST_TEXT:
                raise WeightsError(f"{name}: its {beside.name} has {size:,} bytes, more than any config; save it again")
            try:
                facts = json.loads(read())
            except (ValueError, RecursionError) as error:
                raise WeightsError(
                    f"{name}: its {beside.name} is not JSON ({error}); save the network again"
                ) from error
            if not isinstance(facts, dict):
                raise WeightsError(f"{name}: its {beside.name} is no table of arguments; save the network again")
            return facts
    return None


def _files(source: Path | bytes, name: str) -> dict[str, tuple[int, Reader]]:
    """The files of a folder or .zip, or the one file: path -> size in bytes, and what reads it."""
    if isinstance(source, Path) and source.is_dir():
        paths = [path for path in sorted(source.iterdir()) if path.is_file() and not path.name.startswith(".")]
        if len(paths) > MOST_FILES:
            raise WeightsError(f"{name}: over {MOST_FILES:,} files; choose {EXPECTED}")
        return {path.name: (path.stat().st_size, path.read_bytes) for path in paths}
    if isinstance(source, Path) and not name.lower().endswith(".zip"):
        beside = [path for path in (source.with_name("config.json"), source.with_suffix(".json")) if path.is_file()]
        return {path.name: (path.stat().st_size, path.read_bytes) for path in (source, *beside)}
    if isinstance(source, bytes) and not name.lower().endswith(".zip"):
        return {name: (len(source), lambda: source)}
    data = source.read_bytes() if isinstance(source, Path) else source
    return _unzipped(data, name)


def _unzipped(data: bytes, name: str) -> dict[str, tuple[int, Reader]]:
    if data.count(b"PK\1\2") > MOST_FILES:  # counted by their mark, before zipfile makes an object of each
        raise WeightsError(f"{name}: over {MOST_FILES:,} files; choose {EXPECTED}")
    archive = zipfile.ZipFile(BytesIO(data))
    members = [entry for entry in archive.infolist() if not entry.is_dir() and not _hidden(entry.filename)]
    if sum(member.file_size for member in members) > LARGEST:
        raise WeightsError(f"{name}: more than {LARGEST / 1e9:.1f} GB uncompressed; choose {EXPECTED}")
    if any(member.flag_bits & 1 for member in members):
        raise WeightsError(f"{name}: protected by a password; save it without one")
    return {member.filename: (member.file_size, _reader(archive, member)) for member in members}


def _reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Reader:
    def read() -> bytes:
        with archive.open(member) as stream:
            return stream.read(member.file_size)  # never more than was declared and counted

    return read


def _hidden(filename: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(filename).parts)
