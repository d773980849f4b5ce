"""Ctrl-C and SIGTERM: one line, and the exit code that shells expect."""

from __future__ import annotations

import signal

import pytest

from phraseproof.cli.stopping import INTERRUPTED, TERMINATED, stoppable


def test_an_interrupt_says_what_was_kept(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped, stoppable():
        raise KeyboardInterrupt("stopped: 3 cells are stored")
    assert stopped.value.code == INTERRUPTED
    assert capsys.readouterr().err == "stopped: 3 cells are stored\n"


def test_an_interrupt_without_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), stoppable():
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "stopped; the same command continues from there\n"


def test_sigterm_is_an_interrupt_with_its_own_code_and_the_handler_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stopped, stoppable():
        signal.raise_signal(signal.SIGTERM)
    assert stopped.value.code == TERMINATED
    assert signal.getsignal(signal.SIGTERM) == before


def test_nothing_happens_without_a_signal() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stoppable():
        pass
    assert signal.getsignal(signal.SIGTERM) == before
