"""Odd and bad files of every format, made in memory: what each holds in truth is beside it, where it can be read."""

from tests.odd.dicoms import dicoms
from tests.odd.kinds import Odd
from tests.odd.others import others
from tests.odd.pictures import jpegs, pngs
from tests.odd.tiffs import tiff_channels, tiff_kinds, tiff_stacks, tiff_types, tiff_whites
from tests.odd.volumes import mgh_and_analyze, nifti_headers, nifti_units, niftis

__all__ = ["Odd", "odd_files"]


def odd_files() -> dict[str, Odd]:
    """Name of the kind -> its file."""
    of_volumes = (nifti_units, nifti_headers, niftis, mgh_and_analyze)
    kinds = (pngs, jpegs, tiff_types, tiff_kinds, tiff_whites, tiff_channels, tiff_stacks, *of_volumes, dicoms, others)
    return {name: odd for kind in kinds for name, odd in kind().items()}
