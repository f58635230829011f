"""Keys of the keyboard: each press counts once, in the order of pressing."""

from functools import partial
from types import SimpleNamespace

import pytest

from scse_viz.ui.components.keys import keys


@pytest.fixture
def session(monkeypatch) -> dict:
    state: dict = {}
    monkeypatch.setattr(keys.st, "session_state", state)
    return state


def test_presses_that_came_together_are_handled_in_their_order(session):
    done: list[str] = []
    actions = {key: partial(done.append, key) for key in "12"}
    session["listener"] = SimpleNamespace(presses=[[10, "2"], [11, "1"], [12, "2"]])
    keys._act("listener", actions)
    assert done == ["2", "1", "2"]


def test_a_press_that_is_sent_again_is_not_handled_again(session):
    done: list[str] = []
    actions = {"1": partial(done.append, "1")}
    session["listener"] = SimpleNamespace(presses=[[10, "1"]])
    keys._act("listener", actions)
    session["listener"] = SimpleNamespace(presses=[[10, "1"], [11, "1"]])
    keys._act("listener", actions)
    assert done == ["1", "1"]


def test_a_key_that_has_no_action_any_more_is_passed_over(session):
    session["listener"] = SimpleNamespace(presses=[[10, "4"]])
    keys._act("listener", {})
    assert session["listener_handled"] == 10


def test_presses_are_handled_at_the_start_of_a_page_and_only_those_of_its_own_listeners(session, monkeypatch):
    done: list[str] = []
    monkeypatch.setattr(keys, "_keys", lambda **_: None)
    keys.listen({"1": partial(done.append, "here")}, key="here")
    keys.listen({"1": partial(done.append, "elsewhere")}, key="elsewhere")
    session["here"] = SimpleNamespace(presses=[[10, "1"]])  # that of the other page is gone
    keys.begin()
    keys.begin()
    assert done == ["here"]


def test_the_later_listener_of_a_page_comes_after_the_earlier_in_every_run(session, monkeypatch):
    orders: list[int] = []
    monkeypatch.setattr(keys, "_keys", lambda data, **_: orders.append(data["order"]))
    for _ in range(2):
        keys.begin()
        keys.listen({}, key="sidebar")
        keys.listen({}, key="page")
    assert orders == [1, 2, 1, 2]
