"""The pages as a list: what opening one leaves behind."""

import gc

from scse_viz.ui import pages


def test_libraries_of_an_opened_page_are_no_longer_gone_through_for_garbage():
    pages._module.cache_clear()
    assert pages._module("models").page
    assert gc.get_freeze_count() > 100_000  # torch alone has more
