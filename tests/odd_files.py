"""Odd and bad files of every format, made in memory: what each holds in truth is beside it, where it can be read."""

import io
import json
import struct
import zlib
from dataclasses import dataclass

import nibabel as nib
import numpy as np
import tifffile
from PIL import Image

from tests.scan_files import analyze, dicom, gzipped, mgh, nifti, npy, numbers, picture, series, zipped

VOLUME = numbers(4, 5, 6)  # (X, Y, Z), or slices, rows and columns of a series
GRAY = (numbers(5, 6, dtype=np.uint8) * 8 + 3).astype(np.uint8)  # (H, W)
DEEP = numbers(5, 6, dtype=np.uint16) * np.uint16(2111) + np.uint16(77)
COLOURS = np.stack([DEEP, DEEP[::-1], DEEP[:, ::-1]], axis=-1)  # (H, W, 3)
HEIGHTS = (10, 14, 18, 22)


@dataclass(frozen=True, eq=False)
class Odd:
    """A file, and its voxels (X, Y, Z) in truth; None where it must be refused."""

    data: bytes
    values: np.ndarray | None = None
    volume: int | None = None  # the one to choose
    name: str = "file"


def plane(pixels):
    """(H, W) as read from a picture: (W, H, 1)."""
    return np.asarray(pixels).T[..., None]


def gray_of(colours):
    return colours[..., :3] @ np.array([0.299, 0.587, 0.114])


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


def exif(code):
    """EXIF data of an orientation."""
    found = Image.Exif()
    found[274] = code
    return found


def exif_last(data):
    """A PNG with its EXIF data moved behind the pixels, where the standard allows it too."""
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    return data[:start] + data[end:-12] + data[start:end] + data[-12:]


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


def deflated_bomb():
    """A TIFF of 5 x 6 pixels whose strip unpacks to 64 MiB."""
    data = bytearray(tiff(GRAY, compression="zlib"))
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages[0].tags
        places = {code: tags[code].valueoffset for code in (273, 279)}
    bomb = zlib.compress(bytes(64 * 2**20), 9)
    data[places[273] : places[273] + 4] = len(data).to_bytes(4, "little")
    data[places[279] : places[279] + 4] = len(bomb).to_bytes(4, "little")
    return bytes(data) + bomb


def jpeg_of_size(side):
    """A JPEG whose header says another size than it has."""
    data = bytearray(picture(GRAY, "JPEG"))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", side, side)
    return bytes(data)


def header(change=None, values=VOLUME, affine=None, **fields):
    """A NIfTI file whose header says something else than nibabel would write."""
    data = nifti(values, affine, change=change)
    found = nib.Nifti1Header(data[:348], check=False)
    for field, value in fields.items():
        found[field] = value
    return found.binaryblock + data[348:]


def multiframe(**elements):
    return dicom(VOLUME, **{"NumberOfFrames": len(VOLUME), **elements})


def echoes(number=None, off=0.0):
    """Two volumes of one series, by echo time."""
    return [
        file
        for echo, added in ((4.6, 0), (9.2, 500))
        for file in series(
            VOLUME + added, [height + off * (echo > 5) for height in HEIGHTS], EchoTime=echo, InstanceNumber=number
        )
    ]


def pngs():
    eight = {"gray": GRAY, "colours": np.stack([GRAY, GRAY[::-1], GRAY[:, ::-1]], -1)}
    alpha = np.stack([GRAY, 255 - GRAY], -1)
    return {
        "PNG, 8 bits": Odd(picture(GRAY), plane(GRAY)),
        "PNG, 1 bit": Odd(picture(GRAY > 60), plane(GRAY > 60)),
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
        "TIFF, min-is-white, 8 bits": Odd(tiff(GRAY, photometric="miniswhite"), plane(255 - GRAY)),
        "TIFF, min-is-white, 16 bits": Odd(tiff(DEEP, photometric="miniswhite"), plane(65535 - DEEP)),
        "TIFF, min-is-white, 8 bits, LZW": Odd(
            retagged(picture(GRAY, "TIFF", compression="tiff_lzw"), 262, 0), plane(255 - GRAY)
        ),
        "TIFF, min-is-white, 16 bits, LZW": Odd(
            retagged(picture(DEEP, "TIFF", compression="tiff_lzw"), 262, 0), plane(65535 - DEEP)
        ),
        "TIFF, palette": Odd(tiff(GRAY, photometric="palette", colormap=colormap), plane(GRAY)),
        "TIFF, 1 bit": Odd(tiff(GRAY > 60, photometric="minisblack"), plane(GRAY > 60)),
        "TIFF, min-is-white, 1 bit": Odd(tiff(GRAY > 60, photometric="miniswhite"), plane(GRAY <= 60)),
        "TIFF, tiles": Odd(tiff(np.tile(DEEP, (10, 10)), tile=(16, 16)), plane(np.tile(DEEP, (10, 10)))),
        "TIFF, orientation 6": Odd(tiff(DEEP, extratags=[(274, 3, 1, 6, True)]), plane(np.rot90(DEEP, -1))),
        "TIFF, deflate": Odd(tiff(DEEP, compression="zlib", predictor=True), plane(DEEP)),
        "TIFF, LZW": Odd(picture(DEEP, "TIFF", compression="tiff_lzw"), plane(DEEP)),
        "TIFF, LZW, float32": Odd(
            picture(DEEP.astype(np.float32), "TIFF", compression="tiff_lzw"), plane(DEEP.astype(np.float32))
        ),
        "TIFF, PackBits": Odd(picture(GRAY, "TIFF", compression="packbits"), plane(GRAY)),
        "TIFF, fax": Odd(picture(GRAY > 60, "TIFF", compression="group4"), plane(GRAY > 60)),
        "TIFF, LZW, 16-bit RGB": Odd(retagged(tiff(COLOURS, **rgb), 259, 5)),
        "TIFF, JPEG 2000": Odd(retagged(tiff(DEEP), 259, 34712)),
        "TIFF, a strip that unpacks to 64 MiB": Odd(deflated_bomb()),
        "TIFF, most strips missing": Odd(retagged(tiff(DEEP), 278, 1)),
        "TIFF, cut short": Odd(tiff(DEEP)[:-20]),
    }


def tiff_stacks():
    pages = np.stack([DEEP + np.uint16(page) for page in range(4)])
    hyper = np.stack([[DEEP + np.uint16(1000 * channel + z) for channel in (0, 1)] for z in range(3)])  # ZCYX
    spaced = {"imagej": True, "resolution": (2, 4), "metadata": {"axes": "ZCYX", "spacing": 3, "unit": "mm"}}
    ome = {"ome": True, "metadata": {"axes": "CZYX", "PhysicalSizeX": 500, "PhysicalSizeY": 500, "PhysicalSizeZ": 2000}}
    return {
        "TIFF, pages": Odd(tiff(pages, photometric="minisblack"), pages.T),
        "TIFF, axes of tifffile": Odd(tiff(pages, metadata={"axes": "ZYX"}, photometric="minisblack"), pages.T),
        "TIFF, times": Odd(tiff(pages, metadata={"axes": "TYX"}, photometric="minisblack"), plane(pages[2]), 2),
        "ImageJ hyperstack": Odd(tiff(hyper, **spaced), hyper[:, 1].T, 1),
        "ImageJ hyperstack, no choice": Odd(tiff(hyper, **spaced)),
        "OME-TIFF": Odd(tiff(hyper.swapaxes(0, 1), photometric="minisblack", **ome), hyper[:, 1].T, 1),
        "TIFF, pages of different sizes": Odd(picture([GRAY, GRAY.T.copy()], "TIFF")),
        "TIFF, 5000 pages": Odd(tiff(np.zeros((5000, 2, 2), np.uint8), photometric="minisblack", contiguous=False)),
    }


def niftis():
    mm = np.diag([1, 1, 1, 1])
    wide = np.zeros((200, 4, 4), np.int16)
    oriented = mgh(VOLUME.astype(np.int32))
    unoriented = oriented[:28] + bytes(2) + oriented[30:]  # goodRASFlag

    def unit(word, scale):
        return nifti(
            wide,
            change=lambda head: (head.set_xyzt_units(word), head.set_sform(np.diag([*[scale] * 3, 1]), code=1)),
        )

    return {
        "NIfTI, numbers in metres": Odd(unit("meter", 0.001), wide),
        "NIfTI, numbers in mm, unit metre": Odd(unit("meter", 1), wide),
        "NIfTI, numbers in mm, unit micron": Odd(unit("micron", 1), wide),
        "NIfTI, numbers in microns, unit mm": Odd(unit("mm", 1000), wide),
        "NIfTI, voxels of no possible size": Odd(unit("mm", 50), wide),
        "NIfTI, vox_offset 0": Odd(header(vox_offset=0), VOLUME),
        "NIfTI, vox_offset 3.9 GB": Odd(gzipped(header(vox_offset=3.9e9))),
        "NIfTI, vox_offset NaN": Odd(header(vox_offset=np.nan)),
        "NIfTI, dim 0 in the middle": Odd(header(dim=[3, 4, 0, 6, 1, 1, 1, 1])),
        "NIfTI, dim negative": Odd(header(dim=[3, 4, -5, 6, 1, 1, 1, 1])),
        "NIfTI, 0 volumes": Odd(header(dim=[4, 4, 5, 6, 0, 1, 1, 1])),
        "NIfTI, slope 2, intercept NaN": Odd(header(scl_slope=2, scl_inter=np.nan)),
        "NIfTI, slope 2, intercept 1": Odd(header(scl_slope=2, scl_inter=1), VOLUME * 2 + 1),
        "NIfTI, slope 0": Odd(header(scl_slope=0, scl_inter=5), VOLUME),
        "NIfTI, slope NaN": Odd(header(scl_slope=np.nan, scl_inter=np.nan), VOLUME),
        "NIfTI, slope infinite": Odd(header(scl_slope=np.inf, scl_inter=0), VOLUME),
        "NIfTI, sform NaN": Odd(header(sform_code=1, srow_x=np.nan), VOLUME),
        "NIfTI, no orientation": Odd(header(sform_code=0, qform_code=0), VOLUME),
        "NIfTI, quaternion longer than 1": Odd(header(sform_code=0, qform_code=1, quatern_b=3), VOLUME),
        "NIfTI, no voxel size": Odd(header(sform_code=0, qform_code=0, pixdim=0), VOLUME),
        "NIfTI, flat": Odd(nifti(VOLUME[..., 0]), VOLUME[..., :1]),
        "NIfTI, a line": Odd(nifti(VOLUME[:, :1, :1])),
        "NIfTI, 4-D": Odd(nifti(np.stack([VOLUME, VOLUME + 1], -1)), VOLUME + 1, 1),
        "NIfTI, 4-D, no choice": Odd(nifti(np.stack([VOLUME, VOLUME + 1], -1))),
        "NIfTI, big-endian": Odd(
            nib.Nifti1Image(VOLUME, mm, nib.Nifti1Header(endianness=">")).to_bytes(), VOLUME
        ),
        "NIfTI-2": Odd(nifti(VOLUME, kind=nib.Nifti2Image), VOLUME),
        "NIfTI, uint32": Odd(nifti(VOLUME.astype(np.uint32)), VOLUME),
        "NIfTI, float64": Odd(nifti(VOLUME / 3), VOLUME / 3),
        "NIfTI, complex": Odd(nifti(VOLUME.astype(np.complex64))),
        "NIfTI, unknown type": Odd(header(datatype=12345)),
        "NIfTI, packed twice": Odd(gzipped(gzipped(nifti(VOLUME)))),
        "NIfTI, cut short": Odd(nifti(VOLUME)[:-10]),
        "NIfTI, packed, cut short": Odd(gzipped(nifti(VOLUME))[:100]),
        "MGH": Odd(oriented, VOLUME),
        "MGH, no orientation": Odd(unoriented, VOLUME),
        "MGH, cut short": Odd(oriented[:400]),
        "Analyze, a pair in a .zip": Odd(zipped(a_hdr=analyze(VOLUME)[0], a_img=analyze(VOLUME)[1]), VOLUME),
        "Analyze, header alone": Odd(analyze(VOLUME)[0], name="file.hdr"),
        "Analyze, voxels alone": Odd(analyze(VOLUME)[1], name="file.img"),
    }  # fmt: skip


def dicoms():
    monochrome = numbers(5, 6, dtype=np.uint16)
    files = series(VOLUME, HEIGHTS)
    return {
        "DICOM, series": Odd(zipped(*files[::-1]), VOLUME.T),
        "DICOM, files share their UID": Odd(zipped(*series(VOLUME, HEIGHTS, SOPInstanceUID="1.2")), VOLUME.T),
        "DICOM, files lack their UID": Odd(zipped(*series(VOLUME, HEIGHTS, SOPInstanceUID=None)), VOLUME.T),
        "DICOM, copies of files": Odd(zipped(*files, files[2]), VOLUME.T),
        "DICOM, two echoes, numbers equal": Odd(zipped(*echoes(7)), VOLUME.T + 500, 1),
        "DICOM, two echoes, no numbers": Odd(zipped(*echoes()), VOLUME.T + 500, 1),
        "DICOM, two echoes, no choice": Odd(zipped(*echoes(7))),
        "DICOM, volumes 0.002 mm apart": Odd(zipped(*echoes(7, 0.002)), VOLUME.T + 500, 1),
        "DICOM, volumes 0.4 mm apart": Odd(zipped(*echoes(7, 0.4)), VOLUME.T + 500, 1),
        "DICOM, volumes that nothing tells apart": Odd(
            zipped(*series(VOLUME, HEIGHTS, InstanceNumber=1), *series(VOLUME + 1, HEIGHTS, InstanceNumber=1))
        ),
        "DICOM, unequal numbers of slices at places": Odd(zipped(*files, *series(VOLUME[:1], HEIGHTS[:1]))),
        "DICOM, no even distance": Odd(zipped(*files, *series(VOLUME, [height + 0.4 for height in HEIGHTS]))),
        "DICOM, a slice missing": Odd(zipped(*series(VOLUME, (0, 4, 12, 16))), VOLUME.T),
        "DICOM, thickness 0": Odd(dicom(VOLUME[0], SliceThickness=0), VOLUME[:1].T),
        "DICOM, thickness 400 mm": Odd(dicom(VOLUME[0], SliceThickness=400), VOLUME[:1].T),
        "DICOM, no pixel spacing": Odd(dicom(VOLUME[0], PixelSpacing=None), VOLUME[:1].T),
        "DICOM, no orientation": Odd(zipped(*series(VOLUME, HEIGHTS, ImageOrientationPatient=None)), VOLUME.T),
        "DICOM, frames at one position": Odd(multiframe(SpacingBetweenSlices=5), VOLUME.T),
        "DICOM, frames without position": Odd(multiframe(SpacingBetweenSlices=5, ImagePositionPatient=None), VOLUME.T),
        "DICOM, MONOCHROME1": Odd(
            dicom(monochrome, PhotometricInterpretation="MONOCHROME1"), plane(monochrome.max() - monochrome)
        ),
        "DICOM, Siemens mosaic without its header": Odd(
            dicom(VOLUME[0], ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
        ),
        "DICOM, 60,000 x 60,000": Odd(dicom(VOLUME[0], Rows=60000, Columns=60000)),
        "DICOM, cut short": Odd(dicom(VOLUME[0])[:-20]),
        "DICOM, no pixels": Odd(dicom(VOLUME[0], PixelData=None)),
    }


def others():
    text = b"once upon a time " * 50
    return {
        ".npy, flat": Odd(npy(DEEP), plane(DEEP)),
        ".npy, columns first": Odd(npy(np.asfortranarray(VOLUME)), VOLUME),
        ".npy, big-endian": Odd(npy(VOLUME.astype(">i4")), VOLUME),
        ".npy, booleans": Odd(npy(VOLUME > 9), VOLUME > 9),
        ".npy, a line": Odd(npy(VOLUME.ravel())),
        ".npy, objects": Odd(npy(np.array([[{}, {}], [1, 2]], object))),
        ".npy, not finite": Odd(npy(np.where(VOLUME > 9, VOLUME, np.nan)), np.maximum(VOLUME, 10)),
        ".npy, nowhere finite": Odd(npy(np.full((4, 5, 6), np.nan))),
        ".npy, one value": Odd(npy(np.full((4, 5, 6), 3)), np.full((4, 5, 6), 3)),
        ".zip, one image": Odd(zipped(scan_nii=nifti(VOLUME)), VOLUME),
        ".zip, a name with ../": Odd(zipped(**{"../scan_nii": nifti(VOLUME)}), VOLUME),
        ".zip, a file without a name": Odd(zipped(a_nii=nifti(VOLUME)).replace(b"a.nii", b"\0.nii")),
        ".zip, empty": Odd(zipped()),
        ".zip, text": Odd(zipped(a_txt=text, b_txt=text)),
        ".zip in a .zip": Odd(zipped(a_zip=zipped(a_nii=nifti(VOLUME)))),
        ".zip, cut short": Odd(zipped(scan_nii=nifti(VOLUME))[:-30]),
        "gzip, text": Odd(gzipped(text)),
        "gzip, PNG": Odd(gzipped(picture(GRAY))),
        "text": Odd(text),
        "JSON": Odd(json.dumps({"a": 1}).encode() * 90),
        "PDF": Odd(b"%PDF-1.7\n" + bytes(600)),
        "zeros": Odd(bytes(2000)),
        "empty": Odd(b""),
    }


def odd_files():
    """Name of the kind -> its file."""
    kinds = (pngs, jpegs, tiff_types, tiff_kinds, tiff_stacks, niftis, dicoms, others)
    return {name: odd for kind in kinds for name, odd in kind().items()}
