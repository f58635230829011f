"""The 3-D view's display in the address, and the viewer that is shipped."""

import hashlib
import re
from pathlib import Path

import pytest

from scse_viz.ui.components.viewer import viewer
from scse_viz.ui.components.viewer.viewer import ViewerDisplay, read_display

NIIVUE = Path(viewer.__file__).parent / "niivue"


def test_a_display_is_read_from_the_address():
    assert read_display("3d,100,60,0,40,1,1,0") == ViewerDisplay("3d", 100, 60, 0, 40, True, True, False)


@pytest.mark.parametrize(
    "text",
    ["", "3d", "4d,100,60,0,40,1,1,0", "3d,101,60,0,40,1,1,0", "3d,-1,60,0,40,1,1,0", "3d,a,60,0,40,1,1,0", "3d,1,2,3",
     "3d,100,60,0,40,1,1,2", "3d,100,60,0,40,1,1,0,1", "3d,1e1,60,0,40,1,1,0"],
)  # fmt: skip
def test_a_display_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match=f"^{re.escape(repr(text))} is no display of the viewer: give a view, four"):
        read_display(text)


def test_the_viewer_is_the_one_that_its_licence_file_describes():
    licence = (NIIVUE / "LICENSE.txt").read_text(encoding="utf-8")
    described = re.search(r"sha256 ([0-9a-f]{64})", licence)
    assert described
    assert described[1] == hashlib.sha256((NIIVUE / "niivue.js").read_bytes()).hexdigest()
    for package in ("NiiVue", "fflate", "gl-matrix", "nifti-reader-js", "array-equal", "@lukeed/uuid"):
        assert re.search(rf"^{package} [0-9.]+ \(", licence, re.MULTILINE), package
    assert viewer.LIBRARY.removeprefix("niivue-") in licence
