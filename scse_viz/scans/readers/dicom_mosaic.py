"""Siemens mosaics: all slices of a volume tiled in one picture; nibabel reads the private header that says how."""

from dataclasses import replace

import numpy as np
import pydicom

from scse_viz.scans.readers.contents import ScanError
from scse_viz.scans.readers.dicom_series import Frame


def tiles(dataset: pydicom.Dataset, whole: Frame) -> list[Frame]:
    """A frame for every slice of a mosaic; whole: the frame that the picture would be."""
    from nibabel.nicom.csareader import CSAReadError, get_scalar  # warns when it is imported, and few files need it
    from nibabel.nicom.dicomwrappers import WrapperError, wrapper_from_data

    try:
        mosaic = wrapper_from_data(dataset)
        rows, columns, count = mosaic.image_shape
        positions = mosaic.image_position + np.outer(range(count), mosaic.slice_normal * mosaic.voxel_sizes[2])
        if not 0 < count <= mosaic.mosaic_size**2 or min(rows, columns) < 1:
            raise WrapperError("more slices than tiles")
    except (CSAReadError, WrapperError, AttributeError, TypeError, ValueError) as error:  # the last three: no mosaic
        raise ScanError(
            "a Siemens mosaic without the header that says how its slices are tiled; "
            "export it again with private elements, or convert it to NIfTI with dcm2niix"
        ) from error
    b = get_scalar(mosaic.csa_header, "B_value")
    traits = whole.traits if b is None else {**whole.traits, "b-value": (float(b),)}
    tile = replace(whole, shape=(int(rows), int(columns)), mosaic=int(mosaic.mosaic_size), traits=traits)
    return [replace(tile, index=index, position=position) for index, position in enumerate(positions)]


def cut(slab: np.ndarray, frame: Frame) -> np.ndarray:
    """(rows, columns) of one slice of the picture."""
    rows, columns = frame.shape
    down, across = divmod(frame.index, frame.mosaic)
    return slab[down * rows : (down + 1) * rows, across * columns : (across + 1) * columns]
