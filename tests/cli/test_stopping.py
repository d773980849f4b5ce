"""Signals: one line, and the exit code that shells expect."""

from __future__ import annotations

import signal

import pytest

from phraseproof.cli.stopping import stoppable


def test_an_interrupt_says_what_was_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped, stoppable():
        raise KeyboardInterrupt("stopped: 3 cells are stored")
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "stopped: 3 cells are stored\n"


def test_an_interrupt_without_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), stoppable():
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "stopped; the same command continues from there\n"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGUSR1, 138)])
def test_a_signal_is_an_interrupt_with_its_own_code_and_the_handler_is_put_back(
    number: signal.Signals, code: int
) -> None:
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as stopped, stoppable():
            signal.raise_signal(number)
        assert stopped.value.code == code
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_nothing_happens_without_a_signal() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stoppable():
        pass
    assert signal.getsignal(signal.SIGTERM) == before
