"""Compare, its states: what it shows, and what it says when something cannot be used."""

import io

import numpy as np
import pytest

from scse_viz.models import BLOCK_NAMES
from scse_viz.ui.shell.address import PanelDisplay, read_display
from tests.scan_files import series, zipped
from tests.ui.compare.compare_page import OWN, ball, message, nifti, opened, titles, with_upload


def test_the_first_visit_shows_a_sample_through_four_variants():
    app = opened()
    header = message(app)
    assert titles(app) == ["none", "cSE", "sSE", "scSE"]
    assert [row["title"] for row in header["rows"]] == ["prediction", "disagreement", *BLOCK_NAMES]
    kinds = [cell["kind"] for cell in header["rows"][2]["cells"]]
    assert kinds == ["activation", "none", "gate", "gate"]
    assert header["slice"]["letters"] == ["A", "R", "P", "L"]


def test_without_a_variant_the_page_says_what_to_do():
    app = opened()
    app.button_group(key="variants").set_value([]).run()
    assert not app.exception
    assert "at least one variant" in app.info[0].value


def test_the_address_restores_a_view():
    app = opened(
        variants=["sSE", "scSE"], plane="coronal", coronal="90", blocks=["bottleneck"], opacity="40", scale="magma"
    )
    header = message(app)
    assert titles(app) == ["sSE", "scSE"]
    assert [row["title"] for row in header["rows"]] == ["prediction", "disagreement", "bottleneck"]
    assert "coronal slice 90" in header["slice"]["alt"]
    assert (header["display"]["opacity"], header["display"]["scale"]) == (40, "magma")


def test_values_of_the_address_that_make_no_sense_are_named_and_replaced():
    app = opened(plane="diagonal", axial="9999", opacity="strong", centre="1;2", scan="nobody", variants=["sSE", "xSE"])
    note = next(caption.value for caption in app.caption if "This link has values" in caption.value)
    for key in ("plane", "opacity", "centre", "scan", "variants"):
        assert key in note
    assert message(app)["display"]["opacity"] == 70


def test_a_display_that_the_browser_changed_is_in_the_address():
    display, lost = read_display({"zoom": "2.5", "centre": "80,91.5", "smooth": "true"})
    assert display == PanelDisplay(zoom=2.5, centre=(80, 91.5), smooth=True)
    assert lost == []


def test_a_window_that_is_upside_down_is_not_used():
    assert read_display({"black": "80", "white": "20"}) == (PanelDisplay(), ["black", "white"])


def test_an_uploaded_scan_is_drawn_in_mm():
    app = with_upload("ball.nii", nifti(ball(), np.diag([1.0, 1.5, 2.0, 1.0])), plane="sagittal")
    shown = message(app)["slice"]
    assert (shown["row_mm"], shown["column_mm"]) == (2.0, 1.5)
    assert (shown["rows"], shown["columns"]) == (20, 32)
    assert shown["letters"] == ["S", "A", "I", "P"]


def test_the_name_of_a_file_is_not_read_as_markdown():
    app = with_upload("*a*[b](c).nii", nifti(ball()))
    assert any(element.value.startswith(r"#### \*a\*\[b\](c).nii") for element in app.markdown)


def test_a_bad_upload_says_so_and_keeps_the_picture():
    app = with_upload("ball.nii", nifti(ball()))
    before = message(app)["slice"]
    app.file_uploader(key="scan_file").set_value(("bad.nii", b"not an image", "application/octet-stream"))
    app.run()
    assert not app.exception
    assert "bad.nii" in app.error[0].value
    assert message(app)["slice"] == before


def test_a_file_of_several_volumes_lets_one_be_chosen():
    volumes = np.stack([ball(), 2 * ball() + np.arange(20)], axis=-1)
    app = with_upload("series.nii", nifti(volumes))
    first = message(app)["slice"]["picture"]
    app.number_input(key="volume").set_value(1).run()
    assert not app.exception
    assert message(app)["slice"]["picture"] != first


def test_volumes_that_a_file_names_are_chosen_by_name():
    echoes = [
        file
        for time in (4.6, 9.2)
        for file in series(ball().transpose(2, 1, 0) * int(time * 10), range(20), EchoTime=time, PixelSpacing=[1, 1])
    ]
    app = with_upload("study.zip", zipped(*echoes))
    choice = app.selectbox(key="volume")
    assert choice.options == ["0: echo time 4.6 ms", "1: echo time 9.2 ms"]
    choice.set_value(1).run()
    assert not app.exception
    assert app.session_state["volume"] == 1


def test_labels_that_match_give_dice_and_labels_that_do_not_are_refused():
    app = with_upload("ball.nii", nifti(ball()), compare_part="Predictions")
    app.file_uploader(key="labels_file").upload("labels.nii", nifti(ball() > 0))
    app.run()
    assert not app.exception
    assert list(app.dataframe[0].value.columns) == ["scSE"]
    assert app.dataframe[0].value.index.tolist() == ["cerebral white matter"]
    app.file_uploader(key="labels_file").set_value(
        ("short.nii", nifti(np.zeros((5, 5, 5))), "application/octet-stream")
    )
    app.run()
    assert not app.exception
    assert "short.nii" in app.error[0].value
    assert len(app.dataframe) == 1


def test_labels_of_other_numbers_are_refused_and_the_picture_stays():
    app = with_upload("ball.nii", nifti(ball()))
    app.file_uploader(key="labels_file").upload("freesurfer.nii", nifti(1001 * (ball() > 0)))
    app.run()
    assert not app.exception
    assert "none of its numbers is a class of these networks" in app.error[0].value
    assert message(app)["slice"]["rows"] == 32


def test_a_plane_that_an_image_lacks_is_not_offered():
    stream = io.BytesIO()
    np.save(stream, ball()[:, :, 10])
    app = with_upload("flat.npy", stream.getvalue(), plane="coronal")
    assert app.button_group(key="plane").options == ["axial"]
    assert message(app)["slice"]["letters"] is None


def test_a_link_to_an_upload_shows_a_sample_until_there_is_a_file():
    app = opened(**OWN, variants=["scSE"])
    assert "A link does not contain it" in app.info[0].value
    assert "colin27" in message(app)["slice"]["alt"]


@pytest.mark.parametrize("kind", ["sSE", "none"])
def test_without_channel_gates_there_is_no_chart_of_them(kind):
    app = opened(variants=[kind], compare_part="Channel weights")
    assert "channel weights" in app.info[0].value
    assert not app.get("plotly_chart")


def test_the_uploader_is_there_at_the_first_visit_and_a_file_dropped_on_it_is_opened_at_once():
    app = opened(variants=["scSE"])
    first, other = app.selectbox(key="scan").options[:2]
    assert app.selectbox(key="scan").value == first
    app.file_uploader(key="scan_file").upload("ball.nii", nifti(ball()))
    app.run()
    assert app.selectbox(key="scan").value == OWN["scan"]
    assert message(app)["slice"]["rows"] == 32
    app.selectbox(key="scan").set_value(other).run()  # the file stays, and can be chosen again
    assert message(app)["slice"]["rows"] != 32
    app.selectbox(key="scan").set_value(OWN["scan"]).run()
    assert message(app)["slice"]["rows"] == 32
    app.file_uploader(key="scan_file").set_value(None).run()
    assert app.selectbox(key="scan").value == first
    assert not app.exception
