"""DICOM files of several frames: which frames make a volume, and where they lie."""

import numpy as np
import pydicom
import pytest

from scse_viz.scans.readers import ScanError, VolumeChoice, read
from tests.scan_files import dicom, numbers, zipped

VOLUME = numbers(4, 5, 6)  # (slices, rows, columns)


def multiframe(**elements):
    """A file of four frames; None removes what stands at its top."""
    return dicom(VOLUME, **{"NumberOfFrames": len(VOLUME), **elements})


def sequence(**elements):
    """A sequence of one item."""
    item = pydicom.Dataset()
    for element, value in elements.items():
        setattr(item, element, value)
    return [item]


def test_frames_without_positions_lie_as_far_apart_as_the_header_says_with_a_note():
    contents = read(multiframe(SpacingBetweenSlices=5, ImagePositionPatient=None), "frames.dcm")
    np.testing.assert_array_equal(contents.values.T, VOLUME)
    np.testing.assert_array_equal(np.diag(contents.affine), [3, -2, 5, 1])
    assert not contents.oriented
    assert "SpacingBetweenSlices, 5 mm, lies between" in contents.notes[0]


@pytest.mark.parametrize(
    ("said", "distance", "words"),
    [
        ({"SpacingBetweenSlices": 5}, 5, "SpacingBetweenSlices, 5 mm, is assumed"),
        ({}, 4, "SliceThickness, 4 mm, is assumed"),
        ({"SliceThickness": None}, 1, "1 mm is assumed"),
    ],
)
def test_frames_of_one_position_are_a_stack_with_a_note(said, distance, words):
    contents = read(multiframe(**said), "frames.dcm")
    np.testing.assert_array_equal(contents.values.T, VOLUME)
    np.testing.assert_array_equal(contents.affine, [[-3, 0, 0, 0], [0, -2, 0, 0], [0, 0, distance, 0], [0, 0, 0, 1]])
    assert contents.notes[0].startswith("The file gives one position for its 4 slices; ")
    assert words in contents.notes[0]


def test_frames_of_one_position_and_several_times_are_volumes():
    frames = [sequence(FrameContentSequence=sequence(TemporalPositionIndex=time))[0] for time in (1, 2, 3, 4)]
    data = multiframe(PerFrameFunctionalGroupsSequence=frames)
    with pytest.raises(VolumeChoice) as caught:
        read(data, "frames.dcm")
    assert caught.value.names == ("time point 1", "time point 2", "time point 3", "time point 4")
    np.testing.assert_array_equal(read(data, "frames.dcm", 2).values[..., 0].T, VOLUME[2])


def test_echoes_of_an_enhanced_file_are_volumes():
    frames = [
        sequence(
            PlanePositionSequence=sequence(ImagePositionPatient=[0, 0, height]),
            MREchoSequence=sequence(EffectiveEchoTime=echo),
        )[0]
        for height in (0, 4)
        for echo in (9.2, 4.6)
    ]
    data = multiframe(PerFrameFunctionalGroupsSequence=frames)
    with pytest.raises(VolumeChoice, match=r"0: echo time 4.6 ms; 1: echo time 9.2 ms"):
        read(data, "frames.dcm")
    np.testing.assert_array_equal(read(data, "frames.dcm", 0).values.T, VOLUME[1::2])


def test_multiframe_files_without_positions_follow_one_another_by_their_numbers():
    files = [
        multiframe(number=number, ImagePositionPatient=None, PixelData=values.astype("<u2").tobytes())
        for number, values in ((2, VOLUME + 500), (1, VOLUME))
    ]
    contents = read(zipped(*files), "study.zip")
    np.testing.assert_array_equal(contents.values.T, [*VOLUME, *(VOLUME + 500)])
    assert "stacked by number" in contents.notes[0]


def test_multiframe_files_without_positions_that_share_a_number_are_refused():
    files = [multiframe(ImagePositionPatient=None, PixelData=(VOLUME + added).tobytes()) for added in (0, 500)]
    with pytest.raises(ScanError, match=r"study\.zip: 2 slices at each position, and nothing in the files tells"):
        read(zipped(*files), "study.zip")


def framed(items, **elements):
    """A file with an item of FrameContentSequence for each frame."""
    frames = [sequence(FrameContentSequence=sequence(**item), **elements)[0] for item in items]
    return multiframe(PerFrameFunctionalGroupsSequence=frames)


def test_frames_of_one_position_that_differ_in_their_acquisition_are_a_stack():
    contents = read(framed([{"FrameAcquisitionNumber": number} for number in (1, 2, 3, 4)]), "frames.dcm")
    np.testing.assert_array_equal(contents.values.T, VOLUME)
    assert contents.notes[0].startswith("The file gives one position for its 4 slices; SliceThickness, 4 mm, is assum")


def test_frames_of_one_position_lie_in_the_order_of_their_stack():
    contents = read(framed([{"InStackPositionNumber": place} for place in (4, 2, 3, 1)]), "frames.dcm")
    np.testing.assert_array_equal(contents.values.T, VOLUME[[3, 1, 2, 0]])


def test_frames_of_one_place_in_their_stack_are_volumes_by_their_acquisition():
    data = framed([{"InStackPositionNumber": 1, "FrameAcquisitionNumber": number} for number in (1, 2, 3, 4)])
    with pytest.raises(VolumeChoice, match="0: acquisition 1; 1: acquisition 2; 2: acquisition 3; 3: acquisition 4"):
        read(data, "frames.dcm")


@pytest.mark.parametrize("in_stack", [(1, 1, 2, 2), None])
def test_echoes_of_one_position_are_two_stacks(in_stack):
    frames = [sequence(MREchoSequence=sequence(EffectiveEchoTime=echo))[0] for echo in (1, 2, 1, 2)]
    for frame, number in zip(frames, in_stack or (), strict=False):
        frame.FrameContentSequence = sequence(InStackPositionNumber=number)
    data = multiframe(PerFrameFunctionalGroupsSequence=frames)
    with pytest.raises(VolumeChoice, match=r"0: echo time 1 ms; 1: echo time 2 ms"):
        read(data, "frames.dcm")
    contents = read(data, "frames.dcm", 1)
    np.testing.assert_array_equal(contents.values.T, VOLUME[1::2])
    assert contents.affine[2, 2] == 4
