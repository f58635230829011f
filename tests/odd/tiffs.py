"""Odd TIFF files."""

import io
import zlib

import numpy as np
import tifffile
from PIL import Image

from tests.odd.kinds import COLOURS, DEEP, GRAY, Odd, gray_of, packed, plane
from tests.scan_files import numbers, picture

OME_OF_99 = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image><Pixels DimensionOrder="XYZCT" '
    'SizeZ="99" SizeC="1" SizeT="1"/></Image></OME>'
)


def tiff(values, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, values, **{"metadata": None, **options})
    return file.getvalue()


def retagged(data, code, value):
    """A little-endian TIFF with another value of a short tag of its first page."""
    changed = bytearray(data)
    place = int.from_bytes(data[4:8], "little")
    for entry in range(place + 2, place + 2 + 12 * int.from_bytes(data[place : place + 2], "little"), 12):
        if int.from_bytes(data[entry : entry + 2], "little") == code:
            changed[entry + 8 : entry + 10] = value.to_bytes(2, "little")
            return bytes(changed)
    raise ValueError(f"no tag {code}")


def packed_tiff(values, bits, photometric=1):
    """An uncompressed TIFF of gray (H, W) whose numbers take any number of bits; tifffile writes none."""
    data = tiff(packed(values, bits))
    for code, value in ((256, values.shape[1]), (258, bits), (262, photometric)):
        data = retagged(data, code, value)
    return data


def with_piece(data, piece):
    """A TIFF of one strip with other compressed bytes as that strip."""
    changed = bytearray(data)
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages[0].tags
        places = {code: tags[code].valueoffset for code in (273, 279)}
    changed[places[273] : places[273] + 4] = len(data).to_bytes(4, "little")
    changed[places[279] : places[279] + 4] = len(piece).to_bytes(4, "little")
    return bytes(changed) + piece


def deflated_bomb():
    """A TIFF of 5 x 6 pixels whose strip decompresses to 64 MiB."""
    return with_piece(tiff(GRAY, compression="zlib"), zlib.compress(bytes(64 * 2**20), 9))


def jpeg2000():
    """A TIFF whose strip is an intact JPEG 2000 code stream."""
    stream = io.BytesIO()
    Image.fromarray(DEEP).save(stream, "JPEG2000", no_jp2=True)
    return retagged(with_piece(tiff(DEEP), stream.getvalue()), 259, 34712)


def tiff_types():
    signed = numbers(5, 6, dtype=np.int8) - np.int8(15)
    values = {
        "int8": signed,
        "uint8": GRAY,
        "int16": signed.astype(np.int16) * np.int16(1000),
        "uint16": DEEP,
        "int32": signed.astype(np.int32) * 10**8,
        "uint32": DEEP.astype(np.uint32) * np.uint32(65000),
        "float16": (signed / 4).astype(np.float16),
        "float32": (signed / 4).astype(np.float32),
        "float64": signed / 3,
    }
    return {f"TIFF, {kind}": Odd(tiff(pixels), plane(pixels)) for kind, pixels in values.items()} | {
        "TIFF, float64 from Pillow's mode F": Odd(picture((signed / 4).astype(np.float32), "TIFF"), plane(signed / 4)),
        "TIFF, complex": Odd(tiff(DEEP.astype(np.complex64))),
        **{
            f"TIFF, {bits} bits": Odd(packed_tiff(DEEP >> (16 - bits), bits), plane(DEEP >> (16 - bits)))
            for bits in (2, 4, 12)
        },
        **{f"TIFF, {bits} bits": Odd(packed_tiff(DEEP >> max(0, 16 - bits), bits)) for bits in (10, 14, 24)},
    }


def tiff_kinds():
    alpha = {"extrasamples": ["unassalpha"], "photometric": "minisblack", "planarconfig": "contig"}
    rgb = {"photometric": "rgb"}
    colormap = np.stack([np.arange(256, dtype=np.uint16) * np.uint16(257)] * 3)
    return {
        "TIFF, big-endian": Odd(tiff(DEEP, byteorder=">"), plane(DEEP)),
        "BigTIFF": Odd(tiff(DEEP, bigtiff=True), plane(DEEP)),
        "TIFF, 16-bit RGB": Odd(tiff(COLOURS, **rgb), plane(gray_of(COLOURS))),
        "TIFF, 16-bit RGB by planes": Odd(
            tiff(COLOURS.transpose(2, 0, 1), planarconfig="separate", **rgb), plane(gray_of(COLOURS))
        ),
        "TIFF, 8-bit gray with alpha": Odd(tiff(np.stack([GRAY, GRAY[::-1]], -1), **alpha), plane(GRAY)),
        "TIFF, 16-bit gray with alpha": Odd(tiff(np.stack([DEEP, DEEP[::-1]], -1), **alpha), plane(DEEP)),
        "TIFF, palette": Odd(tiff(GRAY, photometric="palette", colormap=colormap), plane(GRAY)),
        "TIFF, 1 bit": Odd(tiff(GRAY > 60, photometric="minisblack"), plane(GRAY > 60)),
        "TIFF, tiles": Odd(tiff(np.tile(DEEP, (10, 10)), tile=(16, 16)), plane(np.tile(DEEP, (10, 10)))),
        "TIFF, orientation 6": Odd(tiff(DEEP, extratags=[(274, 3, 1, 6, True)]), plane(np.rot90(DEEP, -1))),
        "TIFF, orientation 6, LZW": Odd(
            picture(DEEP, "TIFF", compression="tiff_lzw", tiffinfo={274: 6}), plane(np.rot90(DEEP, -1))
        ),
        "TIFF, deflate": Odd(tiff(DEEP, compression="zlib", predictor=True), plane(DEEP)),
        "TIFF, deflate, float32 with a predictor": Odd(
            picture(DEEP.astype(np.float32), "TIFF", compression="tiff_adobe_deflate", tiffinfo={317: 3}), plane(DEEP)
        ),
        "TIFF, LZW": Odd(picture(DEEP, "TIFF", compression="tiff_lzw"), plane(DEEP)),
        "TIFF, LZW, float32": Odd(
            picture(DEEP.astype(np.float32), "TIFF", compression="tiff_lzw"), plane(DEEP.astype(np.float32))
        ),
        "TIFF, PackBits": Odd(picture(GRAY, "TIFF", compression="packbits"), plane(GRAY)),
        "TIFF, fax": Odd(picture(GRAY > 60, "TIFF", compression="group4"), plane(GRAY > 60)),
        "TIFF, LZW, 16-bit RGB": Odd(retagged(tiff(COLOURS, **rgb), 259, 5)),
        "TIFF, JPEG 2000": Odd(jpeg2000()),
        "TIFF, a strip that decompresses to 64 MiB": Odd(deflated_bomb()),
        "TIFF, size of its strip wrong": Odd(retagged(tiff(DEEP), 279, 1), plane(DEEP)),
        "TIFF, most strips missing": Odd(retagged(tiff(DEEP), 278, 1)),
        "TIFF, cut short": Odd(tiff(DEEP)[:-20]),
    }


def tiff_whites():
    return {
        "TIFF, min-is-white, 8 bits": Odd(tiff(GRAY, photometric="miniswhite"), plane(255 - GRAY)),
        "TIFF, min-is-white, 16 bits": Odd(tiff(DEEP, photometric="miniswhite"), plane(65535 - DEEP)),
        "TIFF, min-is-white, float32": Odd(
            tiff(DEEP.astype(np.float32), photometric="miniswhite"), plane(DEEP[::-1, ::-1].astype(np.float32))
        ),
        "TIFF, min-is-white, 8 bits, LZW": Odd(
            retagged(picture(GRAY, "TIFF", compression="tiff_lzw"), 262, 0), plane(255 - GRAY)
        ),
        "TIFF, min-is-white, 16 bits, LZW": Odd(
            retagged(picture(DEEP, "TIFF", compression="tiff_lzw"), 262, 0), plane(65535 - DEEP)
        ),
        "TIFF, min-is-white, 4 bits": Odd(packed_tiff(DEEP >> 12, 4, 0), plane(15 - (DEEP >> 12))),
        "TIFF, min-is-white, 1 bit": Odd(tiff(GRAY > 60, photometric="miniswhite"), plane(GRAY <= 60)),
    }


def tiff_channels():
    pair = np.stack([DEEP, DEEP[::-1]])
    gray = {"photometric": "minisblack", "planarconfig": "separate"}
    pages = np.stack([COLOURS, COLOURS[::-1]])
    palette = np.stack([GRAY, GRAY[::-1]])
    return {
        "TIFF, two channels": Odd(
            tiff(pair.transpose(1, 2, 0), **{**gray, "planarconfig": "contig"}), plane(pair[1]), 1
        ),
        "TIFF, two channels by planes": Odd(tiff(pair, **gray), plane(pair[1]), 1),
        "TIFF, two channels by planes, deflate": Odd(tiff(pair, compression="zlib", **gray), plane(pair[1]), 1),
        "TIFF, pages of colours": Odd(tiff(pages, photometric="rgb"), gray_of(pages).T),
        "TIFF, pages of colours by planes": Odd(
            tiff(np.moveaxis(pages, -1, 1), photometric="rgb", planarconfig="separate"), gray_of(pages).T
        ),
        "TIFF, LZW, pages": Odd(picture(list(palette), "TIFF", compression="tiff_lzw"), palette.T),
        "TIFF, LZW, palette": Odd(picture(GRAY, "TIFF", "P", compression="tiff_lzw"), plane(GRAY)),
        "TIFF, palette from Pillow": Odd(picture(GRAY, "TIFF", "P"), plane(GRAY)),
        "TIFF, CMYK": Odd(picture(np.stack([GRAY] * 3, -1), "TIFF", "CMYK"), plane(GRAY)),
        "TIFF, gray with alpha, LZW": Odd(picture(GRAY, "TIFF", "LA", compression="tiff_lzw"), plane(GRAY)),
    }


def several(*stacks, **options):
    """A TIFF of several stacks that are described each by itself."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file, **options) as writer:
        for stack in stacks:
            writer.write(stack, photometric="minisblack", metadata={"axes": "ZYX"})
    return file.getvalue()


def turned_page(pages):
    """A TIFF of pages, the last with an orientation of its own."""
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for number, page in enumerate(pages, start=1):
            writer.write(page, metadata=None, extratags=[(274, 3, 1, 3 if number == len(pages) else 1, True)])
    return file.getvalue()


def tiff_stacks():
    pages = np.stack([DEEP + np.uint16(page) for page in range(4)])
    hyper = np.stack([[DEEP + np.uint16(1000 * channel + z) for channel in (0, 1)] for z in range(3)])  # ZCYX
    spaced = {"imagej": True, "resolution": (2, 4), "metadata": {"axes": "ZCYX", "spacing": 3, "unit": "mm"}}
    colours = np.stack([COLOURS + np.uint16(page) for page in range(6)]).reshape(2, 3, *COLOURS.shape)
    ome = {"ome": True, "metadata": {"axes": "CZYX", "PhysicalSizeX": 500, "PhysicalSizeY": 500, "PhysicalSizeZ": 2000}}
    return {
        "TIFF, pages": Odd(tiff(pages, photometric="minisblack"), pages.T),
        "TIFF, axes of tifffile": Odd(tiff(pages, metadata={"axes": "ZYX"}, photometric="minisblack"), pages.T),
        "TIFF, times": Odd(tiff(pages, metadata={"axes": "TYX"}, photometric="minisblack"), plane(pages[2]), 2),
        "ImageJ hyperstack": Odd(tiff(hyper, **spaced), hyper[:, 1].T, 1),
        "ImageJ, no distance of slices": Odd(
            tiff(pages, imagej=True, resolution=(2, 4), metadata={"axes": "ZYX", "unit": "mm"}), pages.T
        ),
        "TIFF, two stacks": Odd(several(pages, pages[::-1]), pages[::-1].T, 1),
        "TIFF, two stacks, no choice": Odd(several(pages, pages[::-1])),
        "TIFF, two stacks, one of fewer slices": Odd(several(pages, pages[:2])),
        "OME-TIFF, two images": Odd(several(pages, pages[::-1], ome=True), pages[::-1].T, 1),
        "OME-TIFF, two images, one of fewer slices": Odd(several(pages, pages[:2], ome=True)),
        "OME-TIFF, times of colours": Odd(
            tiff(colours, ome=True, photometric="rgb", metadata={"axes": "TZYXS"}), gray_of(colours[1]).T, 1
        ),
        "OME-TIFF, counts that are not those of its pages": Odd(
            tiff(pages, photometric="minisblack", description=OME_OF_99), pages.T
        ),
        "ImageJ hyperstack, no choice": Odd(tiff(hyper, **spaced)),
        "ImageJ, deflate": Odd(tiff(pages, imagej=True, compression="zlib", metadata={"axes": "ZYX"}), pages.T),
        "ImageJ, one header for all slices": Odd(
            tiff(pages, imagej=True, truncate=True, metadata={"axes": "ZYX"}), pages.T
        ),
        "OME-TIFF": Odd(tiff(hyper.swapaxes(0, 1), photometric="minisblack", **ome), hyper[:, 1].T, 1),
        "TIFF, axes that tifffile does not name": Odd(
            tiff(pages.reshape(2, 2, 5, 6), metadata={}, photometric="minisblack"), pages.T
        ),
        "TIFF, one page of four slices": Odd(tiff(pages, volumetric=True, photometric="minisblack"), pages.T),
        "TIFF, one page of four slices, deflate": Odd(
            tiff(pages, volumetric=True, photometric="minisblack", compression="zlib"), pages.T
        ),
        "TIFF, pages of different orientations": Odd(turned_page(pages)),
        "TIFF, pages of different sizes": Odd(picture([GRAY, GRAY.T.copy()], "TIFF")),
        "TIFF, 17,000 pages": Odd(tiff(np.zeros((17000, 2, 2), np.uint8), photometric="minisblack", contiguous=False)),
    }
