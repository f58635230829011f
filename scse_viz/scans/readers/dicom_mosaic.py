"""Siemens mosaics: all slices of a volume tiled in one picture; nibabel reads the private header that says how."""

from dataclasses import replace
from typing import Any

import numpy as np
import pydicom

from scse_viz.scans.readers.contents import ScanError
from scse_viz.scans.readers.dicom_series import Frame


def tiles(dataset: pydicom.Dataset, whole: Frame, name: str) -> list[Frame]:
    """A frame for every slice of a mosaic; whole: the frame that the picture would be."""
    from nibabel.nicom.csareader import CSAReadError, get_scalar  # warns when it is imported, and few files need it
    from nibabel.nicom.dicomwrappers import MosaicWrapper, WrapperError, wrapper_from_data

    try:
        mosaic: Any = wrapper_from_data(dataset)
    except (CSAReadError, WrapperError) as error:
        raise _lost(name) from error
    if not isinstance(mosaic, MosaicWrapper) or mosaic.image_position is None or mosaic.slice_normal is None:
        raise _lost(name)
    rows, columns, count = mosaic.image_shape
    if not 0 < count <= mosaic.mosaic_size**2 or min(rows, columns) < 1:
        raise _lost(name)
    b = get_scalar(mosaic.csa_header, "B_value")
    traits = whole.traits if b is None else {**whole.traits, "b-value": (float(b),)}
    step = mosaic.slice_normal * mosaic.voxel_sizes[2]
    return [
        replace(
            whole,
            index=index,
            shape=(int(rows), int(columns)),
            mosaic=int(mosaic.mosaic_size),
            position=mosaic.image_position + index * step,
            traits=traits,
        )
        for index in range(count)
    ]


def tile(slab: np.ndarray, frame: Frame) -> np.ndarray:
    """(rows, columns) of one slice of the picture."""
    rows, columns = frame.shape
    down, across = divmod(frame.index, frame.mosaic)
    return slab[down * rows : (down + 1) * rows, across * columns : (across + 1) * columns]


def _lost(name: str) -> ScanError:
    return ScanError(
        f"{name}: a Siemens mosaic without the header that says how its slices are tiled; "
        "export it again with private elements, or convert it to NIfTI with dcm2niix"
    )
