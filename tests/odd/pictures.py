"""Odd PNG and JPEG files."""

import struct
import zlib

import numpy as np
from PIL import Image

from tests.odd.kinds import COLOURS, DEEP, GRAY, Odd, gray_of, packed, plane
from tests.scan_files import picture


def png(values, colour_type, depth=16, size=None):
    """A PNG written by hand: Pillow writes no 16-bit colours; size: (width, height) that the header says."""
    rows = np.asarray(values).astype(">u2" if depth == 16 else np.uint8)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    width, height = size or (rows.shape[1], rows.shape[0])
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + mark + data + struct.pack(">I", zlib.crc32(mark + data)) for mark, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def packed_png(values, bits):
    """A PNG of gray (H, W) of under 8 bits."""
    return png(packed(values, bits), 0, bits, values.shape[::-1])


def exif(code):
    """EXIF data of an orientation."""
    tags = Image.Exif()
    tags[274] = code
    return tags


def exif_last(data):
    """A PNG with its EXIF data moved behind the pixels, where the standard allows it too."""
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    return data[:start] + data[end:-12] + data[start:end] + data[-12:]


def jpeg_of_size(side):
    """A JPEG whose header says another size than it has."""
    data = bytearray(picture(GRAY, "JPEG"))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", side, side)
    return bytes(data)


def pngs():
    eight = {"gray": GRAY, "colours": np.stack([GRAY, GRAY[::-1], GRAY[:, ::-1]], -1)}
    alpha = np.stack([GRAY, 255 - GRAY], -1)
    return {
        "PNG, 8 bits": Odd(picture(GRAY), plane(GRAY)),
        "PNG, 1 bit": Odd(picture(GRAY > 60), plane(GRAY > 60)),
        **{
            f"PNG, {bits} bits": Odd(packed_png(GRAY >> (8 - bits), bits), plane(GRAY >> (8 - bits))) for bits in (2, 4)
        },
        "PNG, 16 bits": Odd(picture(DEEP), plane(DEEP)),
        "PNG, 8-bit RGB": Odd(picture(eight["colours"]), plane(gray_of(eight["colours"]))),
        "PNG, 16-bit RGB": Odd(png(COLOURS, 2), plane(gray_of(COLOURS))),
        "PNG, 16-bit RGB with alpha": Odd(
            png(np.concatenate([COLOURS, DEEP[..., None]], -1), 6), plane(gray_of(COLOURS))
        ),
        "PNG, 8-bit gray with alpha": Odd(png(alpha, 4, 8), plane(GRAY)),
        "PNG, 16-bit gray with alpha": Odd(png(np.stack([DEEP, DEEP[::-1]], -1), 4), plane(DEEP)),
        "PNG, palette": Odd(picture(GRAY, mode="P"), plane(GRAY)),
        "PNG, EXIF orientation 6": Odd(picture(GRAY, exif=exif(6)), plane(np.rot90(GRAY, -1))),
        "PNG, EXIF orientation 6 after the pixels": Odd(
            exif_last(picture(GRAY, exif=exif(6))), plane(np.rot90(GRAY, -1))
        ),
        "PNG, two pictures": Odd(picture([GRAY, GRAY[::-1]]), plane(GRAY)),
        "PNG, 60,000 x 60,000": Odd(png(GRAY, 0, 8, (60000, 60000))),
        "PNG, 11,000 x 11,000": Odd(png(GRAY, 2, 8, (11000, 11000))),
        "PNG, cut short": Odd(picture(GRAY)[:50]),
    }


def jpegs():
    flat = np.full((16, 24), 77, np.uint8)
    flat[:, 12:] = 177
    turned = {
        f"JPEG, EXIF orientation {code}": Odd(picture(flat, "JPEG", exif=exif(code), quality=100), plane(pixels))
        for code, pixels in ((3, flat[::-1, ::-1]), (6, np.rot90(flat, -1)), (8, np.rot90(flat)), (5, flat.T))
    }
    return {
        "JPEG, gray": Odd(picture(flat, "JPEG", quality=100), plane(flat)),
        "JPEG, colours": Odd(picture(np.stack([flat] * 3, -1), "JPEG", quality=100), plane(flat)),
        "JPEG, CMYK": Odd(picture(np.stack([flat] * 3, -1), "JPEG", "CMYK", quality=100), plane(flat)),
        **turned,
        "JPEG, 20,000 x 20,000": Odd(jpeg_of_size(20000)),
        "JPEG, cut short": Odd(picture(flat, "JPEG")[:80]),
    }
