"""The page docs/files.md says how each file is read, and says it still."""

import pytest

from tests.files_table import PAGE, page, rows_of_shipped, versions


@pytest.fixture(scope="module")
def written():
    return PAGE.read_text(encoding="utf-8")


def test_every_file_that_others_ship_is_read_or_refused_as_the_page_says(written):
    said = dict(line.strip("| \n").split(" | ", 1) for line in written.splitlines() if line.startswith("| `"))
    rows = {f"`{name}`": ending.replace("|", r"\|") for name, ending in rows_of_shipped().items()}
    assert len(rows) > 150
    if versions() in written:
        assert rows == said
    else:  # other releases ship other files
        assert {name: rows[name] for name in rows.keys() & said.keys()}.keys()


def test_the_page_is_not_stale(written):
    until = "## Files that other libraries ship"
    assert page().partition(until)[0] == written.partition(until)[0]
