"""What a run draws reaches the browser in order: the page, then its sidebar, and nothing is lost."""

import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.RootContainer_pb2 import RootContainer
from streamlit.testing.v1 import AppTest

from scse_viz.ui.shell import delivery

PATIENCE_S = 10.0
owner = ContextVar("owner", default="nobody")


class Run:
    """A run of a script, as far as it sends messages; `sent` are the names of the elements that arrived."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.owners: list[str] = []
        self.arrived = threading.Event()
        self.yield_check: Callable[[], None] = lambda: None

    def enqueue(self, message: ForwardMsg) -> None:
        self.sent.append(message.hash or str(message.WhichOneof("type")))
        self.owners.append(owner.get())
        self.arrived.set()

    def draw(self, *names: str) -> None:
        """Elements by name; those of the sidebar begin with an s."""
        for name in names:
            root = RootContainer.SIDEBAR if name.startswith("s") else RootContainer.MAIN
            message = ForwardMsg(hash=name)
            message.metadata.delta_path[:] = [root, 0]
            message.delta.new_element.empty.SetInParent()
            self.enqueue(message)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A later run of a session."""
    made = Run()
    monkeypatch.setattr(delivery, "get_script_run_ctx", lambda: made)
    monkeypatch.setattr(st, "session_state", {delivery._BEGUN: True})
    return made


def test_the_page_comes_before_the_sidebar_and_each_in_its_order(run: Run) -> None:
    with delivery.page_first():
        run.draw("s1", "m1", "s2", "m2")
        assert run.sent == []
    assert run.sent == ["m1", "m2", "s1", "s2"]
    run.draw("s3", "m3")
    assert run.sent[4:] == ["s3", "m3"]


def test_the_address_follows_the_page(run: Run) -> None:
    with delivery.page_first():
        address = ForwardMsg()
        address.page_info_changed.query_string = "axial=3"
        run.enqueue(address)
        run.draw("m")
    assert run.sent == ["m", "page_info_changed"]


def test_the_first_run_of_a_session_sends_as_it_draws(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})
    with delivery.page_first():
        run.draw("s", "m")
        assert run.sent == ["s", "m"]
    with delivery.page_first():
        run.draw("s", "m")
    assert run.sent[2:] == ["m", "s"]


def test_nothing_waits_longer_than_its_limit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "HOLD_S", 0.01)
    with delivery.page_first():
        run.draw("s1", "m1")
        assert run.arrived.wait(PATIENCE_S)
        run.draw("s2", "m2")
    assert run.sent == ["m1", "s1", "s2", "m2"]


@pytest.mark.parametrize("where", ["while it draws", "in the pause"])
def test_a_run_that_a_newer_one_ends_still_sends_all_of_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """The sidebar's messages set the values of widgets, which would be lost with them."""

    def end() -> None:
        raise InterruptedError

    def draw() -> None:
        with delivery.page_first():
            run.draw("s", "m")
            if where == "while it draws":
                end()
            run.yield_check = end

    monkeypatch.setattr(delivery, "PAUSE_S", PATIENCE_S)
    with pytest.raises(InterruptedError):
        draw()
    assert run.sent == ["m", "s"]


def test_each_message_is_sent_in_the_context_of_its_making(run: Run) -> None:
    """Streamlit keeps there whether the app or one of its pages draws."""
    with delivery.page_first():
        for name in ("app", "page"):
            token = owner.set(name)
            run.draw(f"s of {name}")
            owner.reset(token)
    assert run.owners == ["app", "page"]


def test_a_page_is_whole_in_every_run() -> None:
    def script() -> None:
        import streamlit as st

        from scse_viz.ui.shell import delivery

        with delivery.page_first():
            number = st.sidebar.number_input("Number", 0, 9, key="number")
            st.write(f"{number}")

    app: Any = AppTest.from_function(script).run()
    app.number_input(key="number").set_value(4).run()
    assert [text.value for text in app.markdown] == ["4"]
    assert app.sidebar.number_input[0].value == 4
