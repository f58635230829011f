"""The store: made once, the least recently used goes first, and nothing stays of what nobody has open."""

import gc
import threading
import time

import numpy as np
import pandas as pd
import pytest

from scse_viz.memory import Hold, Store
from scse_viz.memory.sizes import SMALL, size_of

KB = 1000


def never() -> bytes:
    raise AssertionError("made again")


def fill(store: Store, *names: str) -> None:
    for name in names:
        store.get((name,), lambda: bytes(KB))


def names(store: Store) -> set[str]:
    return {"".join(key) for key in list(store._entries)}


def test_a_value_is_made_once_and_the_least_recently_used_goes_first():
    store = Store(4 * KB)
    fill(store, "a", "b", "c")
    store.get(("a",), never)
    fill(store, "d")
    assert names(store) == {"a", "c", "d"}
    assert store.nbytes <= 4 * KB


def test_the_newest_value_stays_even_where_it_is_beyond_the_limit():
    store = Store(4 * KB)
    fill(store, "a", "b")
    assert len(store.get(("large",), lambda: bytes(9 * KB))) == 9 * KB
    assert names(store) == {"large"}


def test_threads_that_ask_for_one_value_wait_for_the_one_that_makes_it():
    store, made = Store(KB), []

    def make() -> str:
        time.sleep(0.05)
        made.append(threading.get_ident())
        return "value"

    values = []
    threads = [threading.Thread(target=lambda: values.append(store.get(("key",), make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), values) == (1, ["value"] * 8)


def test_an_error_is_raised_to_its_own_caller_and_another_one_tries_again():
    store = Store(KB)
    with pytest.raises(AssertionError, match="made again"):
        store.get(("key",), never)
    assert store.get(("key",), lambda: "value") == "value"


def test_a_pinned_value_stays_until_it_is_put_unpinned():
    store = Store(3 * KB)
    store.put(("run",), bytes(2 * KB), pinned=True)
    fill(store, "a", "b", "c")
    assert names(store) == {"run", "c"}
    assert store.fixed >= 2 * KB
    store.put(("run",), bytes(2 * KB))
    fill(store, "d", "e")
    assert names(store) == {"d", "e"}
    assert store.fixed == 0


def test_what_was_evicted_but_is_still_in_use_counts_and_is_found_again():
    store = Store(5 * KB)
    used = store.get(("array",), lambda: np.zeros(3 * KB, np.uint8))
    fill(store, "a", "b")
    assert names(store) == {"b"}, "what is in use leaves room for one"
    assert store.fixed >= 3 * KB
    assert store.get(("array",), never) is used
    fill(store, "c", "d")
    del used
    assert store.fixed == 0


def test_what_belongs_to_a_closed_session_goes_and_what_others_have_open_stays():
    store = Store(100 * KB)
    mine, shared, other = Hold(("mine",), 7 * KB), Hold(("shared",), KB), Hold(("shared",), KB)
    for hold in (mine, shared, other):
        store.hold(hold)
    assert store.fixed == 9 * KB
    for digest in ("mine", "shared", "a sample"):
        store.put(("result", (digest, "axial", 3)), bytes(KB))
    del mine, shared, hold
    assert store.sweep() == 1
    assert {key[1][0] for key in store._entries} == {"shared", "a sample"}
    assert store.fixed == KB
    store.put(("late result", ("mine", "axial", 4)), bytes(KB))
    assert store.sweep() == 1
    del other
    assert store.sweep() == 1
    store.sweep()
    assert store._holds == {}


def test_a_hold_in_a_cycle_ends_with_it():
    store = Store(KB)
    cycle: list = [Hold(("mine",), 1)]
    cycle.append(cycle)
    store.hold(cycle[0])
    store.put(("result", "mine"), b"")
    del cycle
    gc.disable()
    try:
        assert store.sweep() == 1
    finally:
        gc.enable()


def test_a_hold_that_was_ended_keeps_nothing_while_it_is_still_referenced():
    store, hold = Store(100 * KB), Hold(("mine",), 7 * KB)
    store.hold(hold)
    store.put(("result", ("mine", "axial", 3)), bytes(KB))
    assert store.sweep() == 0
    hold.end()
    assert store.sweep() == 1
    assert store.nbytes == 0


def test_the_size_of_a_value_is_that_of_its_arrays_each_counted_once():
    array = np.zeros((10, 100), np.float32)
    assert size_of({"a": array, "b": (array, [b"12345"])}) == pytest.approx(4000 + 5, abs=8 * SMALL)
    assert size_of(np) == 0  # of modules and classes nothing belongs to a value


def test_the_size_of_a_table_is_that_of_its_columns_and_of_the_arrays_in_its_cells(tmp_path):
    weights = [list(np.linspace(0, 1, 500)) for _ in range(20)]
    pd.DataFrame({"name": [f"scan{number}" for number in range(20)], "weights": weights}).to_parquet(tmp_path / "t")
    table = pd.read_parquet(tmp_path / "t")  # as a page has it: cells are views of one array
    assert size_of(table) == pytest.approx(20 * 500 * 8, rel=0.1)
    assert size_of(table["weights"]) >= 20 * 500 * 8
    assert size_of(table.set_index("name")) >= 20 * (500 * 8 + len("scan10"))
