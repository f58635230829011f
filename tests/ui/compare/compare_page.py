"""The page Compare as tests open it, and what its grids of panels were sent."""

import nibabel as nib
import numpy as np
from streamlit.testing.v1 import AppTest

from scse_viz.ui import lifetime
from tests.ui.shown import messages

APP = lifetime.SCRIPT
OWN = {"scan": "your own file"}


def nifti(voxels: np.ndarray, affine: np.ndarray | None = None) -> bytes:
    image = nib.Nifti1Image(voxels.astype(np.float32), np.eye(4) if affine is None else affine)
    return image.to_bytes()


def ball(shape: tuple[int, int, int] = (24, 32, 20)) -> np.ndarray:
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij"))
    return 100.0 * (np.linalg.norm(grid, axis=0) < 0.8)


def opened(**address: str | list[str]) -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.query_params.update(address)
    app.run()
    assert not app.exception
    return app


def with_upload(name: str, content: bytes, **address: str | list[str]) -> AppTest:
    app = opened(**OWN, variants=["scSE"], **address)
    app.file_uploader(key="scan_file").upload(name, content)
    app.run()
    assert not app.exception
    return app


def message(app: AppTest) -> dict:
    """The header of the only grid, or of the first."""
    return messages(app)[0]


def titles(app: AppTest) -> list[str]:
    return [column["title"] for column in message(app)["columns"]]
