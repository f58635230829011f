"""Which DICOM frames make a volume, and where its slices lie: nothing is mixed, lost or placed without a word."""

import numpy as np
import pytest

from scse_viz.scans.readers import ScanError, VolumeChoice, read
from tests.scan_files import dicom, numbers, series, zipped

VOLUME = numbers(4, 5, 6)  # (slices, rows, columns)
HEIGHTS = (10, 14, 18, 22)
MAGNITUDE, PHASE = (["ORIGINAL", "PRIMARY", letter] for letter in "MP")


def volumes(files, names):
    """Every volume of a .zip of files, after a look at the names among which the reader asks to choose."""
    data = zipped(*files)
    with pytest.raises(VolumeChoice) as caught:
        read(data, "study.zip")
    assert caught.value.names == names
    return [read(data, "study.zip", number).values.T for number in range(caught.value.volumes)]


@pytest.mark.parametrize("uid", ["1.2.3.4", None])
def test_slices_whose_files_share_or_lack_their_uid_are_all_read(uid):
    contents = read(zipped(*series(VOLUME, HEIGHTS, SOPInstanceUID=uid)), "study.zip")
    np.testing.assert_array_equal(contents.values.T, VOLUME)
    assert contents.notes == ()


def test_empty_slices_that_share_a_uid_are_no_copies():
    volume = np.zeros_like(VOLUME)
    assert read(zipped(*series(volume, HEIGHTS, SOPInstanceUID="1.2.3.4")), "study.zip").values.shape == (6, 5, 4)


def test_equal_files_without_uid_are_not_taken_for_copies():
    slices = series(VOLUME, HEIGHTS, SOPInstanceUID=None)
    with pytest.raises(ScanError, match=r"study\.zip: 1 to 2 slices at one position"):
        read(zipped(*slices, slices[1]), "study.zip")


def test_a_copy_of_a_file_is_left_out_with_a_note():
    slices = series(VOLUME, HEIGHTS)
    contents = read(zipped(*slices, slices[1], slices[3]), "study.zip")
    np.testing.assert_array_equal(contents.values.T, VOLUME)
    assert contents.notes == ("2 files are there twice, and counted once.",)


def test_a_slice_whose_header_lacks_its_size_is_left_out_with_a_note_and_a_report_without():
    report = dicom(VOLUME[0], Rows=None, Columns=None, PixelData=None)
    contents = read(zipped(*series(VOLUME[:3], HEIGHTS[:3]), dicom(VOLUME[3], Rows=None), report), "study.zip")
    np.testing.assert_array_equal(contents.values.T, VOLUME[:3])
    assert contents.notes == ("1 file is without the size of its picture, and left out.",)


@pytest.mark.parametrize("number", [7, None])
@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ({"EchoTime": 9.2}, {"EchoTime": 4.6}, ("echo time 4.6 ms", "echo time 9.2 ms")),
        ({"ImageType": PHASE}, {"ImageType": MAGNITUDE}, ("magnitude", "phase")),
        ({"TriggerTime": 300}, {"TriggerTime": 20}, ("trigger time 20 ms", "trigger time 300 ms")),
        ({"DiffusionBValue": 1000.0}, {"DiffusionBValue": 0.0}, ("b-value 0 s/mm²", "b-value 1000 s/mm²")),
        ({"TemporalPositionIdentifier": 2}, {"TemporalPositionIdentifier": 1}, ("time point 1", "time point 2")),
        ({"AcquisitionNumber": 2}, {"AcquisitionNumber": 1}, ("acquisition 1", "acquisition 2")),
        ({"ImageType": MAGNITUDE}, {"ImageType": MAGNITUDE[:2]}, ("image type", "magnitude")),
        ({"StackID": "B"}, {"StackID": "A"}, ("stack A", "stack B")),
        (
            {"DiffusionGradientOrientation": [1.0, 0.0, 0.0]},
            {"DiffusionGradientOrientation": [0.0, 1.0, 0.0]},
            ("gradient 0 1 0", "gradient 1 0 0"),
        ),
        ({"EchoTime": 5}, {"EchoTime": None}, ("no echo time", "echo time 5 ms")),
        ({"EchoNumbers": 2}, {"EchoNumbers": 1}, ("echo 1", "echo 2")),
        ({"RepetitionTime": 500}, {"RepetitionTime": 30.5}, ("repetition time 30.5 ms", "repetition time 500 ms")),
        ({"SequenceName": "*ep_b9"}, {"SequenceName": "*ep_b0"}, ("sequence *ep_b0", "sequence *ep_b9")),
    ],
)
def test_volumes_of_one_series_are_told_apart_by_their_headers(first, second, names, number):
    said = {key: value for key, value in second.items() if value is not None}
    files = [
        *series(VOLUME + 500, HEIGHTS, **first, InstanceNumber=number),
        *series(VOLUME, HEIGHTS, **said, InstanceNumber=number),
    ]
    separated = volumes(files[::2] + files[1::2], names)
    np.testing.assert_array_equal(separated, [VOLUME, VOLUME + 500])


def test_echoes_of_magnitude_and_phase_are_four_volumes():
    files = [
        file
        for echo in (4.6, 9.2)
        for kind, added in ((MAGNITUDE, 0), (PHASE, 500))
        for file in series(VOLUME + added + int(echo * 10), HEIGHTS, EchoTime=echo, ImageType=kind)
    ]
    names = tuple(f"{kind}, echo time {echo} ms" for kind in ("magnitude", "phase") for echo in (4.6, 9.2))
    np.testing.assert_array_equal(volumes(files, names), [VOLUME + added for added in (46, 92, 546, 592)])


def test_slices_without_positions_of_which_some_lack_numbers_are_in_the_order_of_their_files():
    files = [
        dicom(pixels, directions=[], number=number) for pixels, number in zip(VOLUME, (3, 1, None, 2), strict=True)
    ]
    contents = read(zipped(*files), "study.zip")
    np.testing.assert_array_equal(contents.values.T, VOLUME)
    assert "stacked by the order they came in" in contents.notes[0]


def test_times_that_belong_to_slices_do_not_split_a_volume():
    files = [
        dicom(pixels, (0, 0, height), number=number, TriggerTime=number * 30, AcquisitionNumber=number % 2)
        for number, (pixels, height) in enumerate(zip(VOLUME, HEIGHTS, strict=True))
    ]
    np.testing.assert_array_equal(read(zipped(*files), "study.zip").values.T, VOLUME)


def test_volumes_that_numbers_alone_tell_apart_are_noted():
    files = [
        dicom(VOLUME[time] + place, (0, 0, place), number=10 * time + place) for place in (0, 1, 2) for time in (1, 0)
    ]
    separated = volumes(files, ("1 of 2 by InstanceNumber", "2 of 2 by InstanceNumber"))
    np.testing.assert_array_equal(separated[1], [VOLUME[1] + place for place in (0, 1, 2)])
    notes = read(zipped(*files), "study.zip", 0).notes
    assert notes == ("Nothing but InstanceNumber tells apart the volumes of this series; it gave their order.",)


@pytest.mark.parametrize("number", [1, None])
def test_slices_at_one_position_that_nothing_tells_apart_are_refused(number):
    files = [*series(VOLUME, HEIGHTS, InstanceNumber=number), *series(VOLUME + 500, HEIGHTS, InstanceNumber=number)]
    with pytest.raises(
        ScanError, match=r"study\.zip: 2 slices at each position, and nothing in the files tells their vol"
    ):
        read(zipped(*files), "study.zip")


@pytest.mark.parametrize("off", [0.002, 0.4])
def test_volumes_that_are_shifted_by_less_than_a_slice_are_two(off):
    files = [
        *series(VOLUME, HEIGHTS, EchoTime=1),
        *series(VOLUME + 500, [height + off for height in HEIGHTS], EchoTime=2),
    ]
    separated = volumes(files, ("echo time 1 ms", "echo time 2 ms"))
    np.testing.assert_array_equal(separated, [VOLUME, VOLUME + 500])
    affine = read(zipped(*files), "study.zip", 1).affine
    np.testing.assert_allclose(affine[2], [0, 0, 4, 10 + off])


ECHOES = {"EchoTime": 1}, {"EchoTime": 2}


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        (*ECHOES, ("echo time 1 ms", "echo time 2 ms")),
        ({"ImageType": MAGNITUDE}, {"ImageType": PHASE}, ("magnitude", "phase")),
        ({"TriggerTime": 20}, {"TriggerTime": 300}, ("trigger time 20 ms", "trigger time 300 ms")),
    ],
)
@pytest.mark.parametrize(("step", "off"), [(0.8, 0.4), (1.2, 0.4), (4, 2), (1, 0.2)])
def test_volumes_whose_slices_lie_between_each_others_are_two(step, off, first, second, names):
    files = [
        *series(VOLUME, step * np.arange(4), SliceThickness=step, InstanceNumber=7, **first),
        *series(VOLUME + 500, step * np.arange(4) + off, SliceThickness=step, InstanceNumber=7, **second),
    ]
    np.testing.assert_array_equal(volumes(files, names), [VOLUME, VOLUME + 500])


def test_volumes_of_unequal_length_between_each_others_slices_are_two():
    files = [*series(VOLUME, HEIGHTS, **ECHOES[0]), *series(VOLUME[:3] + 500, (12, 16, 20), **ECHOES[1])]
    first, second = volumes(files, ("echo time 1 ms", "echo time 2 ms"))
    np.testing.assert_array_equal(first, VOLUME)
    np.testing.assert_array_equal(second, VOLUME[:3] + 500)


def test_volumes_between_each_others_slices_are_told_apart_in_any_order_of_their_traits():
    files = [
        file
        for number, (kind, echo) in enumerate([(MAGNITUDE, 1), (MAGNITUDE, 2), (PHASE, 1), (PHASE, 2)])
        for file in series(VOLUME + 100 * number, 4 * np.arange(4) + number, ImageType=kind, EchoTime=echo)
    ]
    names = tuple(f"echo time {echo} ms, {kind}" for echo in (1, 2) for kind in ("magnitude", "phase"))
    np.testing.assert_array_equal(volumes(files, names), [VOLUME + added for added in (0, 200, 100, 300)])


def test_single_slices_nearer_than_half_their_thickness_are_volumes():
    files = [*series(VOLUME[:1], [0], **ECHOES[0]), *series(VOLUME[1:2], [0.4], **ECHOES[1])]
    separated = volumes(files, ("echo time 1 ms", "echo time 2 ms"))
    np.testing.assert_array_equal(separated, [VOLUME[:1], VOLUME[1:2]])


@pytest.mark.parametrize(
    ("element", "values", "said"),
    [
        ("AcquisitionNumber", (1, 2, 1, 2), {}),  # interleaved acquisition of every second slice
        ("TriggerTime", (20, 300, 20, 300), {}),  # two slices at a time
        ("ImageType", (MAGNITUDE, PHASE, MAGNITUDE, PHASE), {"SpacingBetweenSlices": 4}),
        ("ImageType", (MAGNITUDE, MAGNITUDE, PHASE, PHASE), {}),
        ("EchoTime", (1, 2, 3, 4), {}),
    ],
)
def test_elements_that_differ_between_slices_as_far_apart_as_they_should_be_do_not_split_a_volume(
    element, values, said
):
    files = [
        dicom(pixels, (0, 0, height), **{element: value}, **said)
        for pixels, height, value in zip(VOLUME, HEIGHTS, values, strict=True)
    ]
    np.testing.assert_array_equal(read(zipped(*files), "study.zip").values.T, VOLUME)


@pytest.mark.parametrize("number", [lambda place, echo: 2 * place + echo, lambda place, echo: place + 10 * echo])
@pytest.mark.parametrize("sizes", [(4, 4), (4, 3)])
def test_volumes_without_positions_are_told_apart_by_their_contents(number, sizes):
    files = [
        dicom(VOLUME[place] + 500 * echo, number=number(place, echo), ImagePositionPatient=None, **ECHOES[echo])
        for echo in (0, 1)
        for place in range(sizes[echo])
    ]
    for echo, separated in enumerate(volumes(files, ("echo time 1 ms", "echo time 2 ms"))):
        np.testing.assert_array_equal(separated, VOLUME[: sizes[echo]] + 500 * echo)


def test_slices_at_no_even_distance_are_refused():
    files = [*series(VOLUME, HEIGHTS), *series(VOLUME + 500, [height + 0.4 for height in HEIGHTS])]
    with pytest.raises(ScanError, match=r"study\.zip: slices 0\.4 to 3\.6 mm apart, which is no even volume; choose"):
        read(zipped(*files), "study.zip")


def test_one_slice_too_close_to_its_neighbour_is_refused():
    with pytest.raises(ScanError, match=r"study\.zip: slices 0\.4 to 4 mm apart, which is no even volume"):
        read(zipped(*series(VOLUME[[0, 1, 2, 3, 0]], (0, 4, 8, 8.4, 12))), "study.zip")


def test_a_slice_of_another_pixel_size_is_not_part_of_its_series():
    files = [*series(VOLUME, HEIGHTS), *series(VOLUME[:1], [26], PixelSpacing=[4, 6])]
    assert read(zipped(*files), "study.zip").values.shape == (6, 5, 4)


def test_a_far_slice_does_not_make_one_place_of_the_others():
    with pytest.raises(ScanError, match=r"study\.zip: slices 1\.25 to 202 mm apart, which is no even volume"):
        read(zipped(*series(VOLUME, (0, 202, 203.25, 204.5), SliceThickness=1.25)), "study.zip")


def test_directions_that_jitter_are_one_series():
    files = [
        dicom(pixels, (0, 0, height), (1, jitter, 0, -jitter, 1, 0), number=number)
        for number, (pixels, height, jitter) in enumerate(
            zip(VOLUME, HEIGHTS, (0.005, 0.004998, 0.005002, 0.005), strict=True)
        )
    ]
    contents = read(zipped(*files), "study.zip")
    np.testing.assert_array_equal(contents.values.T, VOLUME)
    assert contents.notes == ()


@pytest.mark.parametrize("thickness", [0, 400, None])
def test_a_thickness_that_cannot_be_keeps_what_else_is_known_of_a_slice(thickness):
    contents = read(dicom(VOLUME[0], (1, 2, 3), SliceThickness=thickness), "slice.dcm")
    assert contents.oriented
    np.testing.assert_array_equal(contents.affine, [[-3, 0, 0, -1], [0, -2, 0, -2], [0, 0, 1, 3], [0, 0, 0, 1]])
    assert contents.notes == ("The file gives no thickness of its slice; 1 mm is assumed.",)


def test_slices_that_are_shifted_within_their_plane_are_noted():
    files = [dicom(pixels, (50 * (place == 1), 0, 4 * place)) for place, pixels in enumerate(VOLUME)]
    assert "Slices are shifted by up to 50 mm within their plane" in read(zipped(*files), "study.zip").notes[0]


def test_slices_of_very_many_directions_are_refused():
    angles = 0.004 * np.arange(1002)
    turned = [(np.cos(angle), np.sin(angle), 0, -np.sin(angle), np.cos(angle), 0) for angle in angles]
    files = [dicom(VOLUME[0], (0, 0, 0), directions) for directions in turned]
    with pytest.raises(ScanError, match=r"study\.zip: slices of over 1,000 directions in one series; choose the files"):
        read(zipped(*files), "study.zip")
