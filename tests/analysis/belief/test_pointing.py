"""Where the mass of a map lies, by hand, and against shifted copies."""

import numpy as np
import pytest

from scse_viz.analysis.belief.pointing import COPIES, one_sided_p, pointing

HEAD = np.ones((20, 20), dtype=bool)
SQUARE = np.zeros((20, 20), dtype=bool)
SQUARE[4:8, 4:8] = True


def test_shares_of_a_flat_map_are_those_of_areas():
    shares = pointing(np.ones((20, 20)), SQUARE, HEAD, border=1)
    assert shares.inside == pytest.approx(16 / 400)
    assert shares.border == pytest.approx((36 - 16) / 400)
    assert shares.leakage == pytest.approx(364 / 400)
    assert shares.copies == pytest.approx(np.full(COPIES, 16 / 400))
    assert shares.hit == 0, "a map that is the same everywhere points nowhere"


def test_a_map_on_the_structure_exceeds_every_copy_and_points_at_it():
    shares = pointing(SQUARE.astype(float), SQUARE, HEAD)
    assert (shares.inside, shares.border, shares.leakage, shares.hit) == (1, 0, 0, 1)
    assert shares.copies.max() <= 0.5, "copies share at most half of their pixels with the structure"
    assert one_sided_p(shares.inside, shares.copies) == pytest.approx(1 / (1 + COPIES))


def test_a_map_elsewhere_exceeds_none():
    shares = pointing(1 - SQUARE, SQUARE, HEAD)
    assert (shares.inside, shares.hit) == (0, 1), "its highest pixels include those of the border"
    assert one_sided_p(shares.inside, shares.copies) == 1


def test_pixels_that_do_not_count_have_no_mass_and_hold_no_copy():
    head = np.zeros((20, 20), dtype=bool)
    head[2:12, 2:12] = True
    shares = pointing(np.ones((20, 20)), SQUARE, head)
    assert shares.inside == pytest.approx(16 / 100)
    with pytest.raises(ValueError, match="no pixel that counts"):
        pointing(np.ones((20, 20)), SQUARE, ~head)


def test_where_there_is_no_room_for_copies_there_is_no_p():
    shares = pointing(np.ones((4, 4)), np.ones((4, 4), dtype=bool), np.ones((4, 4), dtype=bool))
    assert len(shares.copies) == 0
    assert np.isnan(one_sided_p(shares.inside, shares.copies))
    assert np.isnan(shares.hits_by_chance)
