"""A page of an AppTest on a file of noise, and what it shows: the messages of its components, and its charts."""

import json
from collections.abc import Iterator

import nibabel as nib
import numpy as np
from streamlit.testing.v1 import AppTest

from tests.packed import header_of


def noise(*shape: int) -> bytes:
    """A NIfTI file of this shape."""
    voxels = np.random.default_rng(0).random(shape).astype(np.float32)
    return nib.Nifti1Image(voxels, np.eye(4)).to_bytes()


def opened_on(scan: bytes, page: str, **address: str | list[str]) -> AppTest:
    """A page, given as a script, after the upload of a NIfTI file, without an error."""
    app = AppTest.from_string(page, default_timeout=120)
    app.query_params.update({"scan": "your own file", **address})
    app.run()
    app.file_uploader(key="scan_file").upload("noise.nii", scan)
    app.run()
    assert not app.exception
    assert not app.error
    return app


def messages(app: AppTest) -> list[dict]:
    """The headers of what the grids of panels and the drawing of the network were sent."""
    return [header_of(part.proto.bytes) for part in app.get("bidi_component") if part.proto.bytes]


def figures(app: AppTest) -> dict[str, dict]:
    return {chart.proto.id.rpartition("-")[2]: json.loads(chart.proto.spec) for chart in app.get("plotly_chart")}


def bound_keys(app: AppTest) -> Iterator[str]:
    """The keys of the widgets whose value the address holds."""
    for node in [*app.main, *app.sidebar]:
        for proto in (getattr(node, "proto", None), getattr(getattr(node, "proto", None), "tab_container", None)):
            if key := getattr(proto, "query_param_key", ""):
                yield key
