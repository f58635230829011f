"""Odd DICOM files and series."""

import numpy as np

from tests.odd.kinds import VOLUME, Odd, plane
from tests.scan_files import dicom, numbers, series, zipped

HEIGHTS = (10, 14, 18, 22)


def multiframe(**elements):
    return dicom(VOLUME, **{"NumberOfFrames": len(VOLUME), **elements})


def echoes(number=None, off=0.0, **elements):
    """Two volumes of one series, by echo time."""
    return [
        file
        for echo, added in ((4.6, 0), (9.2, 500))
        for file in series(
            VOLUME + added,
            [height + off * (echo > 5) for height in HEIGHTS],
            EchoTime=echo,
            InstanceNumber=number,
            **elements,
        )
    ]


def swallowed(data):
    """A file in which the length of one element covers all that follows it, the pixels too."""
    place = data.index(b"\x28\0\x30\0DS") + 6
    return data[:place] + b"\xff\x7f" + data[place + 2 :]


def dicoms():
    monochrome = numbers(5, 6, dtype=np.uint16)
    files = series(VOLUME, HEIGHTS)
    return {
        "DICOM, series": Odd(zipped(*files[::-1]), VOLUME.T),
        "DICOM, files share their UID": Odd(zipped(*series(VOLUME, HEIGHTS, SOPInstanceUID="1.2")), VOLUME.T),
        "DICOM, files lack their UID": Odd(zipped(*series(VOLUME, HEIGHTS, SOPInstanceUID=None)), VOLUME.T),
        "DICOM, copies of files": Odd(zipped(*files, files[2]), VOLUME.T),
        "DICOM, a slice without its number of rows": Odd(zipped(*files[:3], dicom(VOLUME[3], Rows=None)), VOLUME[:3].T),
        "DICOM, two echoes, numbers equal": Odd(zipped(*echoes(7)), VOLUME.T + 500, 1),
        "DICOM, two echoes, no numbers": Odd(zipped(*echoes()), VOLUME.T + 500, 1),
        "DICOM, two echoes, no choice": Odd(zipped(*echoes(7))),
        "DICOM, volumes 0.002 mm apart": Odd(zipped(*echoes(7, 0.002)), VOLUME.T + 500, 1),
        "DICOM, volumes 0.4 mm apart": Odd(zipped(*echoes(7, 0.4)), VOLUME.T + 500, 1),
        "DICOM, volumes between each other's slices": Odd(zipped(*echoes(7, 2)), VOLUME.T + 500, 1),
        "DICOM, volumes between each other's slices, no choice": Odd(zipped(*echoes(7, 2))),
        "DICOM, two echoes without positions": Odd(zipped(*echoes(None, ImagePositionPatient=None)), VOLUME.T + 500, 1),
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
        "DICOM, frames without position in two files": Odd(
            zipped(*[multiframe(number=number, ImagePositionPatient=None) for number in (1, 2)]),
            np.concatenate([VOLUME, VOLUME]).T,
        ),
        "DICOM, offsets of frames as heights": Odd(
            multiframe(GridFrameOffsetVector=[-57, -52, -47, -42], ImagePositionPatient=[0, 0, -57]), VOLUME.T
        ),
        "DICOM, 400,000 frames": Odd(multiframe(NumberOfFrames=400_000)),
        "DICOM, more frames than pixels": Odd(multiframe(NumberOfFrames=400)),
        "DICOM, MONOCHROME1": Odd(
            dicom(monochrome, PhotometricInterpretation="MONOCHROME1"), plane(monochrome.max() - monochrome)
        ),
        "DICOM, Siemens mosaic without its header": Odd(
            dicom(VOLUME[0], ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
        ),
        "DICOM, 60,000 x 60,000": Odd(dicom(VOLUME[0], Rows=60000, Columns=60000)),
        "DICOM, cut short": Odd(dicom(VOLUME[0])[:-20]),
        "DICOM, a length that covers the pixels": Odd(swallowed(dicom(VOLUME[0]))),
        "DICOM, no pixels": Odd(dicom(VOLUME[0], PixelData=None)),
    }
