"""What the sidebar chooses by itself, and what it says."""

from streamlit.testing.v1 import AppTest

PAGE = """
from scse_viz.ui.shell import sidebar
sidebar.begin()
"""
ALONE = "The malc networks were trained on coronal slices alone."


def sidebar(**address: str) -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=60)
    app.query_params.update(address)
    app.run()
    assert not app.exception
    return app


def plane(app: AppTest) -> str:
    return str(app.get("button_group")[0].value)


def captions(app: AppTest) -> list[str]:
    return [caption.value for caption in app.caption]


def test_networks_of_one_plane_are_opened_on_it():
    app = sidebar(anatomy="malc")
    assert plane(app) == "coronal"
    assert ALONE not in captions(app)
    assert plane(sidebar(anatomy="brain")) == "axial"


def test_a_change_of_anatomy_leaves_a_plane_that_its_networks_do_not_know():
    app = sidebar(anatomy="brain", plane="sagittal")
    assert plane(app) == "sagittal"
    app.selectbox(key="anatomy").select("malc").run()
    assert plane(app) == "coronal"
    app.selectbox(key="anatomy").select("brain").run()
    assert plane(app) == "coronal"


def test_another_plane_is_kept_where_a_link_asks_for_it_and_the_sidebar_says_so():
    app = sidebar(anatomy="malc", plane="axial")
    assert plane(app) == "axial"
    assert ALONE in captions(app)
