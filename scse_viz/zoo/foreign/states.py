"""Bytes -> weights by name, running no code and using no more memory than the file has bytes."""

import pickle
import pickletools
import re
import struct
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import safetensors
import torch
from safetensors.torch import load as tensors_of
from torch import Tensor

from scse_viz.zoo.cards import WeightsError

PICKLES = (".pt", ".pth", ".ckpt", ".bin")
LONGEST_HEADER = 16 * 2**20
MOST_TENSORS = 20_000
WRAPPED = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "ema", "module")
"""Keys under which checkpoints keep the weights, beside optimizer and epoch."""
PREFIXES = ("model.", "module.", "net.", "network.", "_orig_mod.", "segmentation_model.", "backbone_model.")
"""Prefixes that DataParallel, Lightning modules and torch.compile put before every name."""
SAVE = "save the weights alone: torch.save(model.state_dict(), FILE), or model.save_pretrained(FOLDER)"
HARMLESS = re.compile(
    r"(collections\.OrderedDict|collections\.defaultdict|(__builtin__|builtins)\.(dict|list|int|float|set)|torch\.Size"
    r"|torch\._utils\._rebuild_(tensor_v2|parameter)|torch\.\w*Storage|torch\.storage\.\w+|torch\.nn\.parameter\.Parameter"
    r"|torch\.(float|int|uint|bfloat|bool)\w*|_codecs\.encode)"
)
"""What torch's own reader admits and only makes tensors of bytes in the file, without allocating memory."""


def read_safetensors(data: bytes, name: str) -> dict[str, Tensor]:
    """The tensors of a .safetensors file; raises WeightsError for a damaged one."""
    if len(data) < 8:
        raise WeightsError(f"{name}: {len(data)} bytes, no safetensors file; save it again")
    (header,) = struct.unpack("<Q", data[:8])
    if header > min(len(data) - 8, LONGEST_HEADER):
        raise WeightsError(
            f"{name}: its header claims {header:,} bytes, the file has {len(data):,}; it is damaged, copy or "
            "save it again"
        )
    try:
        return tensors_of(data)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(f"{name}: damaged, {error}; copy or save it again") from error


def read_pickle(data: bytes, name: str) -> dict[str, Tensor]:
    """The tensors of what torch.save wrote: a state dict, or a checkpoint that holds one.

    Raises WeightsError for a damaged file, and for one that holds anything but weights and plain values.
    """
    _check_pickles(data, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of types that are deprecated
            content = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(f"{name}: cannot be read as weights alone ({reason[:200]}); {SAVE}") from error
    state = _weights_in(content)
    if not state:
        kind = ", ".join(map(str, list(content)[:5])) if isinstance(content, Mapping) else type(content).__name__
        raise WeightsError(f"{name}: holds no weights by name ({kind}); {SAVE}")
    return state


def without_prefixes(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Weights under the names that the network itself gives them, and notes on what was removed.

    A prefix is removed where most names have it, nested ones too; tensors without it, as those of a loss, are left out.
    """
    notes: list[str] = []
    removed = ""
    while prefix := _common_prefix(state):
        outside = [key for key in state if not key.startswith(prefix)]
        state = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
        removed += prefix
        if outside:
            notes.append(f"{len(outside)} tensors outside of the network were left out: {', '.join(outside[:5])}.")
    if removed:
        notes.insert(0, f"Names of weights began with {removed!r}, which was removed.")
    return dict(state), tuple(notes)


def _common_prefix(state: Mapping[str, Tensor]) -> str:
    for prefix in PREFIXES:
        having = [key for key in state if key.startswith(prefix)]
        if len(having) > len(state) / 2:
            return prefix
    return ""


def _weights_in(content: Any, depth: int = 0) -> dict[str, Tensor]:
    """The weights of a checkpoint: itself, or what it keeps under one of the usual names."""
    if not isinstance(content, Mapping) or depth > 3:
        return {}
    tensors = {
        str(key): value.detach()
        for key, value in content.items()
        if isinstance(value, Tensor) and value.layout == torch.strided and value.device.type == "cpu"
    }
    if tensors:
        return tensors if len(tensors) <= MOST_TENSORS else {}
    for key in WRAPPED:
        if key in content and (weights := _weights_in(content[key], depth + 1)):
            return weights
    return {}


def _check_pickles(data: bytes, name: str) -> None:
    """Refuses a file whose pickle calls anything but HARMLESS, or whose members are compressed."""
    for stream in _pickles(data, name):
        try:
            calls = dict.fromkeys(_called(stream))
        except (ValueError, IndexError, KeyError, UnicodeDecodeError, struct.error) as error:
            raise WeightsError(f"{name}: not what torch.save writes ({error}); {SAVE}") from error
        for called in calls:
            if not HARMLESS.fullmatch(called):
                raise WeightsError(
                    f"{name}: holds Python objects ({called}), and reading them would run code of whoever made the "
                    f"file; {SAVE}"
                )


def _pickles(data: bytes, name: str) -> Iterator[bytes]:
    """The pickles in a file: that of a torch .zip, or those that follow one another in a file of torch before 1.6."""
    if not data.startswith(b"PK"):
        yield data
        return
    with zipfile.ZipFile(BytesIO(data)) as archive:
        members = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise WeightsError(f"{name}: compressed, which torch never does; decompress it, or {SAVE}")
        if sum(member.file_size for member in members) > len(data):
            raise WeightsError(f"{name}: its members claim to be larger than the file; it is damaged")
        pickled = [member for member in members if member.filename.endswith("data.pkl")]
        if len(pickled) != 1:
            raise WeightsError(f"{name}: a .zip, but not one of torch.save; give a folder of save_pretrained as .zip")
        yield archive.read(pickled[0])


def _called(stream: bytes) -> Iterator[str]:
    """What a pickle imports, as `module.name`."""
    rest, pickles = BytesIO(stream), 0
    while pickles < 5 and rest.tell() < len(stream):  # a file before torch 1.6: magic, protocol, system, object, keys
        strings: list[str] = []
        for operation, argument, _ in pickletools.genops(rest):
            if operation.name in ("GLOBAL", "INST"):
                yield str(argument).replace(" ", ".")
            elif operation.name == "STACK_GLOBAL":
                yield ".".join(strings[-2:])
            elif operation.name in ("EXT1", "EXT2", "EXT4"):
                yield f"extension {argument}"
            elif isinstance(argument, str):
                strings = [*strings[-1:], argument]
        pickles += 1
