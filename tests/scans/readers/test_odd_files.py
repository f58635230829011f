"""Every kind of odd and bad file: right voxels, or one sentence."""

import numpy as np
import pytest

from scse_viz.scans import ScanError, read_scan
from scse_viz.scans.readers import read
from tests.odd import odd_files

KINDS = odd_files()


@pytest.mark.parametrize("kind", [kind for kind, odd in KINDS.items() if odd.values is not None])
def test_what_can_be_read_has_the_voxels_that_it_holds(kind):
    odd = KINDS[kind]
    values = read(odd.data, odd.name, odd.volume).values
    assert values.shape == odd.values.shape
    lossy = 2 if kind.startswith("JPEG") else 0
    wanted = odd.values.astype(np.float64)
    finite = np.isfinite(values)
    np.testing.assert_allclose(values[finite].astype(np.float64), wanted[finite], rtol=1e-6, atol=lossy)


@pytest.mark.parametrize("kind", [kind for kind, odd in KINDS.items() if odd.values is None])
def test_what_cannot_be_read_is_refused_in_a_sentence(kind):
    odd = KINDS[kind]
    with pytest.raises(ScanError, match=f"^{odd.name}: "):
        read_scan(odd.data, name=odd.name, volume=odd.volume)


def test_the_kinds_are_many():
    assert len(KINDS) >= 80
