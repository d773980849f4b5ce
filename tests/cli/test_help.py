"""Help: every command and option says what it does, at once and without loading anything heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
import typer.main

from phraseproof.cli import app, main

# Not pydantic: typer itself reads the options of commands with it. The help of `phraseproof` does without.
HEAVY = ("torch", "transformers", "datasets", "duckdb", "pyarrow", "jinja2", "yaml", "scipy", "numpy")


def commands(command: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every command by its words, the root's being none."""
    found = {path: command}
    for name, member in getattr(command, "commands", {}).items():
        found |= commands(member, (*path, name))
    return found


COMMANDS = commands(typer.main.get_command(app))


def test_the_verbs_are_all_there() -> None:
    assert {"demo", "evaluate", "table", "doctor", "tasks", "instructions"} <= {path[0] for path in COMMANDS if path}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_says_what_every_option_does(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    command = COMMANDS[path]
    assert command.help, "the command says what it does"
    for parameter in command.params:
        text = getattr(parameter, "help", None)
        assert text, f"{parameter.name} says what it does"
        assert text.endswith((".", "...", ")")), f"{parameter.name}: a sentence ends in a full stop"
    with pytest.raises(SystemExit) as stopped:
        main([*path, "--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert out.strip().startswith("Usage: ")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_list_of_commands_cuts_no_sentence_short(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([*path, "--help"])
    listed = capsys.readouterr().out
    for name, member in getattr(COMMANDS[path], "commands", {}).items():
        text = member.short_help or member.help.partition("\n")[0]
        assert " ".join(text.split()) in " ".join(listed.replace("│", " ").split()), f"{name} is listed whole"


def test_model_options_are_in_a_panel_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    printed = capsys.readouterr().out
    _, _, panel = printed.partition("─ Model ─")
    assert "--adapter" in panel.partition("╰")[0]


def test_shell_completion_is_printed_and_completes_names() -> None:
    command = [sys.executable, "-c", "from phraseproof.cli import main; main()"]
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = subprocess.run(
        [*command, "--show-completion", "bash"], capture_output=True, text=True, env=environment, check=False
    )
    assert script.returncode == 0, script.stderr
    assert "COMPLETE" in script.stdout
    environment |= {
        "_PHRASEPROOF_COMPLETE": "complete_bash",
        "COMP_WORDS": "phraseproof evaluate --tasks mmlu/anat",
        "COMP_CWORD": "3",
    }
    code = "from phraseproof.cli import app; app(prog_name='phraseproof')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.stdout.split() == ["mmlu/anatomy"], done.stderr


def test_options_of_one_name_mean_the_same_everywhere() -> None:
    texts: dict[str, set[str]] = {}
    for path, command in COMMANDS.items():
        for parameter in command.params:
            if path == ("evaluate",) and parameter.name == "device":
                continue  # the one command that takes several
            if parameter.name in {"data_dir", "adapter", "dtype", "device", "batch_size", "max_length", "revision"}:
                texts.setdefault(parameter.name, set()).add(parameter.help)
    assert {name for name, different in texts.items() if len(different) > 1} == set()


def test_a_mistyped_command_names_the_help_that_helps(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["tasks", "shwo"])
    assert stopped.value.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "Did you mean 'show'? See " in err
    assert err.endswith("tasks --help\n")


def test_help_of_every_command_loads_nothing_heavy() -> None:
    code = f"""
import contextlib, io, sys
from phraseproof.cli import main
for path in {list(COMMANDS)!r}:
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main([*path, "--help"])
    loaded = set({HEAVY!r}) & set(sys.modules)
    assert not loaded, (path, loaded)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
