"""Ctrl-C while the command line's modules are imported ends without a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "module"),
    [("doctor", "typer"), ("align", "phraseproof.cli.options"), ("evaluate", "phraseproof.cli.draw_options")],
)
def test_an_interrupt_during_imports_prints_no_traceback(command: str, module: str) -> None:
    """Python itself reports each import, so the signal comes after a known one and not after some time.

    The command line's own modules are imported first, those of the named command later.
    """
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", "phraseproof", command, "--help"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, inherited)
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.split("|")[-1].strip() == module:
                process.send_signal(signal.SIGINT)
                break
        said = process.stderr.read()
    assert process.returncode == 130, said[-2000:]
    assert "Traceback" not in said
