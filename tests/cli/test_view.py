"""`phraseproof view` as a process: its address, and a clean end by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from phraseproof.cli import main
from support.viewed_runs import write_options_run


def test_it_answers_until_ctrl_c(tmp_path: Path) -> None:
    run = write_options_run(tmp_path / "run")
    with subprocess.Popen(
        [sys.executable, "-m", "phraseproof", "view", str(run), "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HF_HUB_OFFLINE": "0"},
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            with urllib.request.urlopen(f"{url}/example?run=.&example=e1") as answer:
                assert answer.status == 200
        finally:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "note: Ctrl-C ends it\n")


def test_wrong_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["view", str(tmp_path / "none")])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
