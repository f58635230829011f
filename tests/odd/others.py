"""Arrays, archives, and files that are no images."""

import json

import numpy as np

from tests.odd.kinds import DEEP, GRAY, VOLUME, Odd, plane
from tests.scan_files import gzipped, nifti, npy, picture, zipped


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
