"""Turns: runs in the order in which they came, some at once, and pages before all of them."""

import threading
import time

from scse_viz.inference.turns import Pages, Queue


def test_runs_go_in_order_and_know_how_many_are_ahead():
    queue = Queue(at_once=2)
    for name in "abcd":
        queue.join(name)
    assert [queue.ahead(name) for name in "abcd"] == [0, 0, 1, 2]
    assert queue.wait("b", 0)
    assert not queue.wait("c", 0)
    queue.leave("a")
    assert queue.wait("c", 0)
    assert [queue.ahead(name) for name in "abcd"] == [None, 0, 0, 1]


def test_one_that_waits_is_woken_when_its_turn_comes():
    queue, began = Queue(at_once=1), threading.Event()
    queue.join("a")
    queue.join("b")
    thread = threading.Thread(target=lambda: queue.wait("b", 30) and began.set())
    thread.start()
    queue.leave("a")
    assert began.wait(5)
    thread.join()


def test_a_run_steps_aside_while_a_page_computes_but_not_for_ever():
    pages, inside, leave = Pages(at_once=1), threading.Event(), threading.Event()

    def compute() -> None:
        with pages.first(), pages.first():  # within itself it needs no second place
            inside.set()
            leave.wait(30)

    page = threading.Thread(target=compute)
    page.start()
    assert inside.wait(5)
    start = time.monotonic()
    pages.step_aside(0.1)
    assert 0.1 <= time.monotonic() - start < 5
    stepped = threading.Event()
    run = threading.Thread(target=lambda: (pages.step_aside(30), stepped.set()))
    run.start()
    assert not stepped.wait(0.05)
    leave.set()
    assert stepped.wait(5)
    page.join()
    run.join()


def test_only_so_many_pages_compute_at_once():
    pages, most, now, lock = Pages(at_once=2), [0], [0], threading.Lock()

    def compute() -> None:
        with pages.first():
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.02)
            with lock:
                now[0] -= 1

    threads = [threading.Thread(target=compute) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [2]
