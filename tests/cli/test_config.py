"""`phraseproof config` and `evaluate --config`: a run's options as a file, and what flags change."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.store.queries import load_run
from support.command_line import Done, run_command
from support.parity_project import write_project


class Commands:
    """A project with one finished run, and its config file."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        project = write_project(folder, examples=4, wordings=3)
        arguments = ["-t", str(project / "task.yaml"), "-i", f"mine={project / 'wordings.yaml'}", "-n", "3", "-q"]
        options = ["--model-arg", "seed=3", "-k", "1", "--fewshot-seed", "4", "-o", str(folder / "first")]
        assert self.call("evaluate", "-m", "scripted", *arguments, *options).code == 0
        self.config = folder / "run.yaml"
        self.config.write_text(self.call("config", str(folder / "first")).out)

    def call(self, *arguments: str) -> Done:
        return run_command(self.capsys, *arguments)

    def again(self, *arguments: str) -> Done:
        return self.call("evaluate", "--config", str(self.config), "-o", str(self.folder / "again"), "-q", *arguments)


@pytest.fixture
def commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(tmp_path, capsys)


def test_the_same_run_comes_from_the_file(commands: Commands) -> None:
    assert commands.again().code == 0
    first, again = load_run(commands.folder / "first"), load_run(commands.folder / "again")
    assert again.cells == first.cells
    assert again.outcomes().equals(first.outcomes())


def test_flags_override_the_file_and_leave_the_rest(commands: Commands) -> None:
    done = commands.again("--dry-run", "--limit", "2", "--num-fewshot", "0")
    assert done.code == 0
    assert done.out.splitlines()[1].split()[:2] == ["prompts", "6"]


def test_a_default_that_is_given_overrides_too(commands: Commands) -> None:
    commands.config.write_text(commands.config.read_text() + "budget: 50%\n")
    assert commands.again("--seed", "0", "--num-fewshot", "0").code == 0
    run = load_run(commands.folder / "again")
    assert {cell.num_fewshot for cell in run.cells} == {0}
    assert run.share < 1


def test_a_mistake_in_the_file_is_one_line(commands: Commands) -> None:
    commands.config.write_text("model: scripted\nlimt: 3\n")
    done = commands.again()
    assert done.code == 2
    assert f"{commands.config}:2, limt: unknown field 'limt'" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("text", ["seed: 0\n", "model: scripted\n", "model: scripted\ntasks: pocket\n"])
def test_what_neither_file_nor_flags_name(commands: Commands, text: str) -> None:
    commands.config.write_text(text)
    option = ("--model", "--tasks", "--instructions")[text.count("\n") - 1 + text.startswith("model")]
    done = commands.again()
    assert done.code == 2
    assert done.err.startswith(f"error: {option}: no ")


def test_not_a_run(commands: Commands) -> None:
    done = commands.call("config", str(commands.folder / "nowhere"))
    assert done.code == 2
    assert "not a run folder" in done.err
