"""Image files of every format, made in memory by the formats' own libraries."""

import gzip
import io
import zipfile

import nibabel as nib
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid


def numbers(*shape, dtype=np.int16):
    """An array in which every voxel has its own value."""
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


def nifti(values, affine=None, *, kind=nib.Nifti1Image, change=None):
    """Bytes of a .nii; change: what to do to the header before it is written."""
    image = kind(values, np.eye(4) if affine is None else affine)
    if change:
        change(image.header)
        image = kind(values, None, image.header)  # without an affine, which would overwrite sform and qform
    return image.to_bytes()


def mgh(values, affine=None):
    return nib.MGHImage(values, np.eye(4) if affine is None else affine).to_bytes()


def analyze(values):
    """Bytes of the two halves of a pair."""
    files = {"header": io.BytesIO(), "image": io.BytesIO()}
    image = nib.AnalyzeImage(values, None)
    image.header.set_zooms((2, 3, 4))
    image.to_file_map({key: nib.FileHolder(fileobj=file) for key, file in files.items()})
    return files["header"].getvalue(), files["image"].getvalue()


def picture(values, kind="PNG", mode=None, **options):
    """Bytes of a picture; a list of arrays becomes its pages."""
    pages = [Image.fromarray(page) for page in (values if isinstance(values, list) else [values])]
    if mode:
        pages = [page.convert(mode) for page in pages]
    file = io.BytesIO()
    pages[0].save(file, kind, **({"save_all": True, "append_images": pages[1:]} if len(pages) > 1 else {}), **options)
    return file.getvalue()


def npy(values):
    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)
    return file.getvalue()


def dicom(pixels, position=(0, 0, 0), directions=(1, 0, 0, 0, 1, 0), *, number=1, series="1.2.3", **elements):
    """Bytes of one slice (rows, columns); elements replace or, as None, remove what is usual."""
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()  # stands for that of the image where it lacks one
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.SeriesInstanceUID = MRImageStorage, generate_uid(), series
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 15, 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelSpacing, dataset.SliceThickness, dataset.InstanceNumber = [2, 3], 4, number
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = list(position), list(directions)
    dataset.PixelData = pixels.astype("<u2").tobytes()
    for element, value in elements.items():
        if value is None:
            del dataset[element]
        else:
            setattr(dataset, element, value)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def series(volume, heights, **elements):
    """Slices of volume (N, rows, columns), each at its height in mm."""
    return [
        dicom(pixels, (0, 0, height), number=number, **elements)
        for number, (pixels, height) in enumerate(zip(volume, heights, strict=True))
    ]


def zipped(*files, **named):
    """Bytes of a .zip of files; they are named by number, or by keyword with _ for the dot."""
    names = [*(f"{number}.dcm" for number in range(len(files))), *(key.replace("_", ".") for key in named)]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in zip(names, [*files, *named.values()], strict=True):
            archive.writestr(name, data)
    return file.getvalue()


def gzipped(data):
    return gzip.compress(data, compresslevel=1)
