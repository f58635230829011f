"""TIFF: pages upright whoever decodes them, and what they count."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps
from tifffile import TiffWriter

from scse_viz.scans.readers import ScanError, VolumeChoice, read
from tests.odd.tiffs import packed_tiff, several, tiff
from tests.scan_files import numbers, picture

STEPS = np.kron(numbers(5, 6) * 8 + 3, np.ones((16, 16))).astype(np.uint8)  # JPEG keeps its blocks
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def seen(pixels, code):
    """Pixels (H, W) as they are seen under an orientation tag, by Pillow's rule for EXIF."""
    image = Image.fromarray(pixels)
    image.getexif()[274] = code
    return np.asarray(ImageOps.exif_transpose(image))


@pytest.mark.parametrize("code", range(2, 9))
@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        *((None, compression) for compression in ("raw", "tiff_adobe_deflate", "tiff_lzw", "packbits", "jpeg")),
        *((mode, "tiff_lzw") for mode in ("RGB", "P", "LA", "CMYK", "I;16", "F")),
        ("RGB", "jpeg"),
        ("1", "group4"),
    ],
)
def test_a_tiff_is_turned_upright_once(mode, compression, code):
    def reading(tags):
        return read(picture(STEPS, "TIFF", mode, compression=compression, tiffinfo=tags), "slice.tif")

    plain, turned = reading({}), reading({274: code})
    wanted = seen(plain.values[..., 0].T.astype(np.float32), code)
    np.testing.assert_array_equal(turned.values[..., 0].T, wanted)
    assert turned.notes[0] == f"The picture was turned upright as its orientation tag ({code}) says."
    if mode == "P":
        np.testing.assert_array_equal(turned.indices[..., 0].T, seen(plain.indices[..., 0].T, code))


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_every_page_is_turned(compression):
    pages = [STEPS, STEPS[::-1].copy()]
    turned = read(picture(pages, "TIFF", compression=compression, tiffinfo={274: 6}), "stack.tif")
    np.testing.assert_array_equal(turned.values.T, [seen(page, 6) for page in pages])


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("tags", [{}, {274: 3}])
def test_an_orientation_beside_the_tag_is_left_out(compression, tags):
    turned = read(picture(STEPS, "TIFF", compression=compression, tiffinfo={700: XMP, **tags}), "slice.tif")
    np.testing.assert_array_equal(turned.values[..., 0].T, seen(STEPS, tags.get(274, 1)))


def test_colours_are_no_channels_of_an_ome_tiff():
    colours = np.repeat(numbers(2, 3, 5, 6, 1, dtype=np.uint8), 3, axis=-1)
    data = tiff(colours, ome=True, photometric="rgb", metadata={"axes": "TZYXS"})
    with pytest.raises(VolumeChoice, match=r"2 volumes; choose one \(0: time 1; 1: time 2\)"):
        read(data, "stack.ome.tif")
    np.testing.assert_allclose(read(data, "stack.ome.tif", 1).values.T, colours[1, ..., 0], rtol=1e-6)


@pytest.mark.parametrize("ome", [False, True])
def test_images_of_one_file_are_asked_for(ome):
    stacks = [numbers(3, 5, 6, dtype=np.uint16) + np.uint16(1000 * image) for image in range(2)]
    with pytest.raises(VolumeChoice, match=r"2 volumes; choose one \(0: image 1; 1: image 2\)"):
        read(several(*stacks, ome=ome), "stacks.tif")
    for image, stack in enumerate(stacks):
        np.testing.assert_array_equal(read(several(*stacks, ome=ome), "stacks.tif", image).values.T, stack)
    with pytest.raises(ScanError, match=r"stacks\.tif: 2 images of different numbers of slices or channels; save one"):
        read(several(stacks[0], stacks[1][:2], ome=ome), "stacks.tif", 0)


def test_an_image_of_an_ome_tiff_has_its_own_spacing():
    file = io.BytesIO()
    with TiffWriter(file, ome=True) as writer:
        for side in (0.5, 2):
            sizes = {f"PhysicalSize{axis}": side for axis in "XYZ"}
            units = {f"PhysicalSize{axis}Unit": "mm" for axis in "XYZ"}
            writer.write(numbers(3, 5, 6), photometric="minisblack", metadata={"axes": "ZYX", **sizes, **units})
    for image, side in enumerate((0.5, 2)):
        np.testing.assert_array_equal(np.diag(read(file.getvalue(), "x", image).affine), [side, -side, side, 1])


def test_pages_that_the_description_does_not_count_have_a_note():
    stack = numbers(4, 5, 6, dtype=np.uint16)
    data = tiff(stack, ome=True, photometric="minisblack", metadata={"axes": "ZYX"}).replace(b'SizeZ="4"', b'SizeZ="9"')
    contents = read(data, "stack.tif")
    np.testing.assert_array_equal(contents.values.T, stack)
    assert contents.notes[0] == "The file describes other pages than it holds; each page is shown as a slice."


@pytest.mark.parametrize("bits", [10, 14, 24])
def test_bits_that_neither_library_unpacks_are_named(bits):
    with pytest.raises(ScanError, match=f"slice.tif: TIFF of {bits} bits a pixel; save it as 8 or 16 bits"):
        read(packed_tiff(numbers(5, 6), bits), "slice.tif")
