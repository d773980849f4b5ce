"""The command line, called in this process as a user calls it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from phraseproof.cli import main


class Done(NamedTuple):
    """What a command printed, and its exit code."""

    out: str
    err: str
    code: int


def exit_code(*arguments: str | Path) -> int:
    """Run `phraseproof ARGUMENTS`; what it prints is left to the test's `capsys`."""
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def run_command(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Done:
    """Run `phraseproof ARGUMENTS`."""
    code = exit_code(*arguments)
    captured = capsys.readouterr()
    return Done(captured.out, captured.err, code)
