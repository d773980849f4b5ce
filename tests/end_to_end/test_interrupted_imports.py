"""Ctrl-C while the command line's modules are imported ends without a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("module", ["typer", "phraseproof.cli.align", "phraseproof.cli.evaluate"])
def test_an_interrupt_during_imports_prints_no_traceback(module: str) -> None:
    """Python itself reports each import, so the signal comes after a known one and not after some time."""
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-X", "importtime", "-m", "phraseproof", "doctor"],
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
