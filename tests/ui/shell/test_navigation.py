"""The pages as a list: what opening one leaves behind."""

import gc

from scse_viz.ui.shell import navigation


def test_libraries_of_an_opened_page_are_no_longer_gone_through_for_garbage():
    navigation._module.cache_clear()
    assert navigation._module("models").page
    assert gc.get_freeze_count() > 100_000  # torch alone has more
