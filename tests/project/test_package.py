"""The check of the built package: what it misses, what is too much, and what a step must do."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tools.package import IN_SDIST, CheckFailedError, do, problems_of_sdist, problems_of_wheel
from tools.package_uses import Step

from support.project_files import ROOT

TRACKED = ["src/phraseproof/__init__.py", "src/phraseproof/py.typed"]


def test_a_wheel_has_the_package_and_nothing_else() -> None:
    whole = ["phraseproof/__init__.py", "phraseproof/py.typed", "phraseproof-0.1.0.dist-info/METADATA"]
    assert problems_of_wheel(whole, TRACKED) == []
    assert problems_of_wheel([*whole[:1], "tests/test_a.py"], TRACKED) == [
        "not in the wheel: phraseproof/py.typed",
        "too much in the wheel: tests/test_a.py",
    ]


def test_a_source_archive_has_what_a_build_needs() -> None:
    whole = [f"phraseproof-0.1.0/{name}" for name in (*TRACKED, *IN_SDIST)]
    assert problems_of_sdist(whole, TRACKED) == []
    assert problems_of_sdist([*whole, "phraseproof-0.1.0/src/phraseproof/new.py"], TRACKED) == [
        "too much in the source archive: src/phraseproof/new.py"
    ]


@pytest.mark.skipif(os.name == "nt", reason="a shell script takes the place of the installed command")
def test_a_step_fails_on_another_exit_code_or_text(tmp_path: Path) -> None:
    command = tmp_path / "phraseproof"
    command.write_text('#!/bin/sh\necho "printed $1"\nexit 3\n', encoding="utf-8")
    command.chmod(0o755)
    python = str(tmp_path / "python")
    do(Step("this", "printed this", 3), python, tmp_path)
    for step in (Step("this", "printed this"), Step("this", "printed that", 3)):
        with pytest.raises(CheckFailedError, match="printed this"):
            do(step, python, tmp_path)


def test_steps_cannot_import_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    do(Step("-c import os; print(os.environ.get('PYTHONPATH'))", "None"), sys.executable, tmp_path)
