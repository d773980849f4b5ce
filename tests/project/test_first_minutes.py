"""The walk through README and tutorial: which commands it takes from the pages, and its table."""

from __future__ import annotations

import os
from math import nan
from pathlib import Path

import pytest
from docs.building.blocks import blocks_of
from tools.first_minutes import TUTORIAL, Taken, by_step, environment, table, timed, tutorial_commands, write_files


def test_commands_are_those_of_the_tutorial() -> None:
    steps = by_step(tutorial_commands(with_install=True))
    assert [step.split(".")[0] for step, _ in steps] == ["1", "2", "3", "4", "5", "6", "7"]
    assert any("pip install" in command for command in steps[0][1])
    assert any(command.startswith("phraseproof evaluate --model smollm2") for command in steps[2][1])
    assert steps[-1][1][0].startswith("python - <<'END'\nimport phraseproof\n")
    assert by_step(tutorial_commands(with_install=False)) == steps[1:]


def test_files_are_those_of_the_tutorial(tmp_path: Path) -> None:
    write_files(blocks_of(TUTORIAL), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"tickets.csv", "tickets.yaml", "prompt.yaml"}


def test_a_part_of_a_step_does_not_count_twice() -> None:
    assert table([Taken("a", 60, 30), Taken("part of b", 30, nan), Taken("b", 90, 45), Taken("c", 30, 1)]) == (
        "| step | seconds | CPU seconds | minutes so far |\n|---|---|---|---|\n| a | 60 | 30 | 1.0 |\n"
        "| part of b | 30 |  | 1.5 |\n| b | 90 | 45 | 2.5 |\n| c | 30 | 1 | 3.0 |"
    )


@pytest.mark.skipif(os.name == "nt", reason="commands are for bash")
def test_a_command_that_fails_ends_the_walk(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"2\. Your data: exit code 3\nshown"):
        timed("2. Your data", ["echo shown", "(exit 3)", "touch later"], tmp_path, environment(tmp_path))
    assert not (tmp_path / "later").exists()
