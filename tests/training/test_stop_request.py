"""Signals wait for the end of a step, then act as they would have."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from phraseproof.training.stop_request import STOP_SIGNALS, StopRequest


@pytest.fixture(autouse=True)
def signals_as_python_has_them() -> Iterator[None]:
    """A suite that was started in the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_first_signal_is_remembered_and_then_acts() -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.number == signal.SIGINT
        with pytest.raises(KeyboardInterrupt, match="after step 3"):
            stop.deliver("after step 3")
    assert signal.getsignal(signal.SIGINT) is before


def test_the_second_signal_acts_at_once() -> None:
    with StopRequest():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_the_callers_handler_receives_the_signal() -> None:
    seen: list[int] = []

    def handler(number: int, _frame: FrameType | None) -> None:
        seen.append(number)

    before = signal.signal(signal.SIGTERM, handler)
    try:
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGTERM)
            assert not seen
            stop.deliver("stopped")
        assert seen == [signal.SIGTERM]
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_signals_that_are_ignored_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert stop.number is None
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_the_first_signal_is_reported_at_once(number: signal.Signals) -> None:
    seen: queue.Queue[signal.Signals] = queue.Queue()
    handler = signal.signal(number, signal.default_int_handler)
    wakeup = signal.set_wakeup_fd(-1)
    try:
        with StopRequest(seen.put) as stop:
            signal.raise_signal(number)
            assert seen.get(timeout=10) is number
            assert stop.number == number
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(number, handler)


def test_the_second_signal_ends_a_process_that_does_not_return_to_python() -> None:
    program = (
        "import hashlib\n"
        "from phraseproof.training import stop_request\n"
        "stop_request.SECONDS_TO_REACT = 0.1\n"
        "with stop_request.StopRequest(lambda number: print(number.name, flush=True)):\n"
        "    print('busy', flush=True)\n"
        "    hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "busy\n"
        child.send_signal(signal.SIGTERM)
        assert child.stdout.readline() == "SIGTERM\n"
        assert child.poll() is None
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=60) == 128 + signal.SIGTERM


def test_other_threads_leave_signals_alone() -> None:
    found: list[object] = []

    def work() -> None:
        with StopRequest():
            found.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]
