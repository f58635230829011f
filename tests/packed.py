"""Reads what `scse_viz.rendering.pictures` packs, as the browser does."""

import json
import zlib

import numpy as np

from scse_viz.rendering.pictures import RAW, Picture


def header_of(message: bytes) -> dict:
    size = int.from_bytes(message[:4], "little")
    return json.loads(message[4 : 4 + size])


def numbers_of(message: bytes) -> dict[str, np.ndarray]:
    """The numbers (H, W) uint8 of all pictures of a message, by name."""
    size = int.from_bytes(message[:4], "little")
    stream = zlib.decompress(message[4 + size :], wbits=RAW)
    pictures = {}
    for name, (height, width) in header_of(message)["pictures"].items():
        rows, stream = stream[: height * width], stream[height * width :]
        pictures[name] = added_up(rows, height, width)
    assert not stream
    return pictures


def numbers(picture: Picture) -> np.ndarray:
    rows = zlib.decompressobj(RAW).decompress(picture.deflated)
    return added_up(rows, picture.height, picture.width)


def added_up(rows: bytes, height: int, width: int) -> np.ndarray:
    return np.cumsum(np.frombuffer(rows, np.uint8).reshape(height, width), axis=0, dtype=np.uint8)
