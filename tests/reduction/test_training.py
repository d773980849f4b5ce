"""Training for a stored run: its model, tasks and wordings are read from the run."""

from __future__ import annotations

from pathlib import Path

import pytest

import phraseproof
from phraseproof.core import Instruction
from phraseproof.instructions.collections import Collection
from support.command_line import run_command

WORDINGS = "pocket-observed"


@pytest.mark.slow
def test_an_adapter_is_trained_and_measured_on_wordings_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phraseproof.evaluate("pocket", "pocket/has-price", {"g": WORDINGS}, tmp_path / "run", limit=24, self_test=False)
    done = run_command(
        capsys, "reduce", tmp_path / "run", "--train", tmp_path / "trained", "--max-steps", "2", "--quiet"
    )
    assert done.code == 0, done.err
    assert "Trained adapter, on" in done.out
    assert (tmp_path / "trained" / "adapter" / "phraseproof.json").exists()


def test_a_run_of_objects_of_a_program_cannot_be_trained_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wordings = [Instruction(id=f"w{n}", collection="mine", template=f"{n}: {{{{ note }}}}") for n in range(4)]
    phraseproof.evaluate(
        "scripted", "pocket/has-price", {"g": Collection("mine", tuple(wordings))}, tmp_path / "run", limit=24
    )
    done = run_command(capsys, "reduce", tmp_path / "run", "--train", tmp_path / "trained", "--quiet")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "exists only in the program that made the run" in done.err
