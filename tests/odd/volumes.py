"""Odd NIfTI, MGH and Analyze files."""

import nibabel as nib
import numpy as np

from tests.odd.kinds import VOLUME, Odd
from tests.scan_files import analyze, gzipped, mgh, nifti, zipped


def header(change=None, values=VOLUME, affine=None, **fields):
    """A NIfTI file whose header says something else than nibabel would write."""
    data = nifti(values, affine, change=change)
    fixed = nib.Nifti1Header(data[:348], check=False)
    for field, value in fields.items():
        fixed[field] = value
    return fixed.binaryblock + data[348:]


def nifti_units():
    wide = np.zeros((200, 4, 4), np.int16)

    def unit(word, scale, values=wide):
        return nifti(
            values,
            change=lambda head: (head.set_xyzt_units(word), head.set_sform(np.diag([*[scale] * 3, 1]), code=1)),
        )

    return {
        "NIfTI, numbers in metres": Odd(unit("meter", 0.001), wide),
        "NIfTI, numbers in mm, unit metre": Odd(unit("meter", 1), wide),
        "NIfTI, numbers in mm, unit micron": Odd(unit("micron", 1), wide),
        "NIfTI, small, numbers in mm, unit metre": Odd(unit("meter", 1, wide[:40]), wide[:40]),
        "NIfTI, small, numbers in mm, unit micron": Odd(unit("micron", 1, wide[:40]), wide[:40]),
        "NIfTI, no unit gives a possible size": Odd(unit("micron", 0.02, wide[:40]), wide[:40]),
        "NIfTI, numbers in microns, unit mm": Odd(unit("mm", 1000), wide),
        "NIfTI, voxels of no possible size": Odd(unit("mm", 50), wide),
    }


def nifti_headers():
    return {
        "NIfTI, vox_offset 0": Odd(header(vox_offset=0), VOLUME),
        "NIfTI, vox_offset 100": Odd(header(vox_offset=100), VOLUME),
        "NIfTI, vox_offset -5": Odd(header(vox_offset=-5), VOLUME),
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
        "NIfTI, qform without a distance of slices": Odd(
            header(sform_code=0, qform_code=1, pixdim=[1, 2, 2, 0, 1, 1, 1, 1]), VOLUME
        ),
        "NIfTI, sform, no voxel size": Odd(header(sform_code=1, pixdim=0), VOLUME),
        "NIfTI, no voxel size": Odd(header(sform_code=0, qform_code=0, pixdim=0), VOLUME),
    }


def niftis():
    return {
        "NIfTI, flat": Odd(nifti(VOLUME[..., 0]), VOLUME[..., :1]),
        "NIfTI, a line": Odd(nifti(VOLUME[:, :1, :1])),
        "NIfTI, 4-D": Odd(nifti(np.stack([VOLUME, VOLUME + 1], -1)), VOLUME + 1, 1),
        "NIfTI, 4-D, no choice": Odd(nifti(np.stack([VOLUME, VOLUME + 1], -1))),
        "NIfTI, big-endian": Odd(
            nib.Nifti1Image(VOLUME, np.eye(4), nib.Nifti1Header(endianness=">")).to_bytes(), VOLUME
        ),
        "NIfTI-2": Odd(nifti(VOLUME, kind=nib.Nifti2Image), VOLUME),
        "NIfTI-2, wrong size of the header": Odd(bytes(4) + nifti(VOLUME, kind=nib.Nifti2Image)[4:], VOLUME),
        "NIfTI, uint32": Odd(nifti(VOLUME.astype(np.uint32)), VOLUME),
        "NIfTI, float64": Odd(nifti(VOLUME / 3), VOLUME / 3),
        "NIfTI, complex": Odd(nifti(VOLUME.astype(np.complex64))),
        "NIfTI, unknown type": Odd(header(datatype=12345)),
        "NIfTI, compressed twice": Odd(gzipped(gzipped(nifti(VOLUME)))),
        "NIfTI, cut short": Odd(nifti(VOLUME)[:-10]),
        "NIfTI, compressed, cut short": Odd(gzipped(nifti(VOLUME))[:100]),
    }


def mgh_and_analyze():
    oriented = mgh(VOLUME.astype(np.int32))
    unoriented = oriented[:28] + bytes(2) + oriented[30:]  # goodRASFlag
    return {
        "MGH": Odd(oriented, VOLUME),
        "MGH, no orientation": Odd(unoriented, VOLUME),
        "MGH, cut short": Odd(oriented[:400]),
        "Analyze, a pair in a .zip": Odd(zipped(a_hdr=analyze(VOLUME)[0], a_img=analyze(VOLUME)[1]), VOLUME),
        "Analyze, header alone": Odd(analyze(VOLUME)[0], name="file.hdr"),
        "Analyze, a header with marks of NIfTI": Odd(analyze(VOLUME)[0][:344] + b"n+\0\0", name="file.hdr"),
        "Analyze, voxels alone": Odd(analyze(VOLUME)[1], name="file.img"),
    }
