"""The page Understand as tests open it, and what it says."""

import nibabel as nib
import numpy as np
from streamlit.testing.v1 import AppTest

PAGE = """
from scse_viz.ui.shell import sidebar
from scse_viz.ui.understand import page as understand
sidebar.begin()
understand.page()
"""
SMALL = (24, 32, 20)
ERRORS, HISTORY, LEARN = "Attention and error", "Training history", "Learn"


def opened(**address) -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=180)
    app.query_params.update(address)
    app.run()
    assert not app.exception
    return app


def with_upload(labels: np.ndarray | None = None, **address) -> AppTest:
    """The page on a small bright ball in air, with labels or without; the first look is at Learn, which is quick."""
    app = opened(scan="your own file", **{"understand": LEARN, "understand_lesson": "The paper and ours", **address})
    app.file_uploader(key="scan_file").upload("ball.nii", nifti(ball()))
    app.run()
    if labels is not None:
        app.file_uploader(key="labels_file").upload("labels.nii", nifti(labels))
        app.run()
    assert not app.exception
    return app


def nifti(voxels: np.ndarray) -> bytes:
    return nib.Nifti1Image(voxels.astype(np.float32), np.diag([2.0, 2.0, 2.0, 1.0])).to_bytes()


def ball(radius: float = 0.8) -> np.ndarray:
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in SMALL), indexing="ij"))
    return 100.0 * (np.linalg.norm(grid, axis=0) < radius)


def shown(app: AppTest, part: str) -> AppTest:
    app.button_group(key="understand").set_value(part).run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    parts = [app.caption, app.info, app.error, app.subheader, app.markdown, app.success]
    return "\n".join(element.value for kind in parts for element in kind)
