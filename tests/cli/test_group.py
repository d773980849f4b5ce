"""Commands and groups of commands: what their help shows, and what a group does without a command."""

from __future__ import annotations

from typing import Any

import pytest
import typer.main

from phraseproof.cli import app, main
from phraseproof.pocket.recipe import RECIPES


@pytest.mark.parametrize("arguments", [[], ["tasks"], ["instructions"]], ids=" ".join)
def test_a_command_without_its_verb_shows_help_and_no_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.strip().startswith("Usage: ")
    assert "error" not in captured.err


def commands(command: Any) -> list[Any]:
    """A command and all below it."""
    return [command, *(found for member in getattr(command, "commands", {}).values() for found in commands(member))]


@pytest.mark.parametrize("command", commands(typer.main.get_command(app)), ids=lambda command: command.name)
def test_help_names_a_type_only_where_a_value_follows(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    print(command.get_help(typer.Context(command)))
    text = capsys.readouterr().out
    assert "--help" in text
    assert "<bool>" not in text
    assert "range>" not in text
    assert "list[" not in text


def test_a_long_list_of_choices_is_in_the_sentence_and_not_in_the_column(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["plot", "--help"])
    words = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert (
        "--kind -k KIND The chart to draw. One of: headline, strip, heatmap, distance, tsne, scaling, training, "
        "ensemble, gains." in words
    )
    assert "RUN ... A run folder." in words


@pytest.mark.parametrize(
    ("arguments", "choices"),
    [
        (["align"], ("<input|layers>", "<cosine|constant>")),
        (["pocket", "train"], (f"<{'|'.join(RECIPES)}>",)),
    ],
    ids=["align", "pocket train"],
)
def test_help_shows_the_choices(
    arguments: list[str],
    choices: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit):
        main([*arguments, "--help"])
    text = capsys.readouterr().out
    for each in choices:
        assert each in text
