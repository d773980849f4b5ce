"""A command is imported when it is named; the list of commands is the same without them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import typer.main

from phraseproof.cli import app, main
from phraseproof.cli.commands import COMMANDS, app_of, list_of_commands


def test_every_command_is_listed_as_it_calls_itself() -> None:
    every: Any = typer.main.get_command(app_of(COMMANDS))
    assert {each.name for each in COMMANDS} == set(every.commands)
    for each in COMMANDS:
        assert every.commands[each.name].short_help == each.help
        assert hasattr(every.commands[each.name], "commands") == each.is_group


def test_the_list_is_the_same_without_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    texts: list[str] = []
    for each in (app_of(COMMANDS), list_of_commands()):
        command: Any = typer.main.get_command(each)
        print(command.get_help(typer.Context(command, info_name="phraseproof")))
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert "table" in texts[0]


def test_app_has_all_commands() -> None:
    assert {*typer.main.get_command(app).commands} == {each.name for each in COMMANDS}  # pyright: ignore[reportAttributeAccessIssue] - a group


def test_a_command_that_does_not_exist_is_compared_with_all(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["evalute"])
    assert stopped.value.code == 2
    assert "Did you mean 'evaluate'?" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "imported"), [(["table", "--help"], {"table"}), (["--help"], set[str]())])
def test_no_other_command_is_imported(arguments: list[str], imported: set[str]) -> None:
    code = f"""
import sys
from phraseproof.cli import main
try:
    main({arguments!r})
except SystemExit:
    print(*[name for name in sys.modules if name.startswith('phraseproof.cli.')], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = {name.split(".")[2] for name in done.stderr.split()}
    assert names & {each.home for each in COMMANDS} == imported
