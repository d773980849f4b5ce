"""The reference of the command line: a page per command, made of the parser that users run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main
from docs.building.markdown import prose

from phraseproof.cli import app

FOLDER = "reference/cli"


def pages() -> dict[str, str]:
    """Paths in the site's source, and their Markdown: an overview, and a page per command or group of commands."""
    root = _command()
    commands: dict[str, Any] = root.commands
    found = {f"{FOLDER}/index.md": _overview(commands)}
    for name, command in commands.items():
        lines = [f"# phraseproof {name}", ""]
        for words, each in _walk(command, (name,)):
            if len(words) > 1:
                lines += [f"## {' '.join(words)}", ""]
            lines += _described(words, each)
        found[f"{FOLDER}/{name}.md"] = "\n".join(lines)
    return found


def _command() -> Any:
    return typer.main.get_command(app)


def _walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield words, command
    for name, member in getattr(command, "commands", {}).items():
        yield from _walk(member, (*words, name))


def _overview(commands: dict[str, Any]) -> str:
    """All commands, under the headings of `phraseproof --help`."""
    panels: dict[str, list[str]] = {}
    for name, command in commands.items():
        text = command.short_help or command.help.partition("\n")[0]
        panels.setdefault(command.rich_help_panel, []).append(f"* [`{name}`]({name}.md): {_prose(text)}")
    lines = [
        "# Command line",
        "",
        "Made of the program's own parser. `phraseproof COMMAND --help` prints the same. Exit codes: 0 success,",
        "1 internal error, 2 wrong input, 3 a gate failed, 4 finished but some cells failed.",
        "",
        "`phraseproof --install-completion` completes commands, options and names in your shell.",
    ]
    for title, found in panels.items():
        lines += ["", f"## {title}", "", *found]
    return "\n".join(lines)


def _described(words: tuple[str, ...], command: Any) -> list[str]:
    """What a command does, its usage, examples, arguments and options."""
    context: Any = command.context_class(command, info_name=" ".join(("phraseproof", *words)))
    lines = [_prose(command.help or ""), ""]
    if not getattr(command, "commands", None):
        lines += ["```text", command.get_usage(context).removeprefix("Usage: ").strip(), "```", ""]
    _, _, examples = (command.epilog or "").partition("\n\n")
    if examples:
        lines += ["```bash", *(line.strip() for line in examples.split("\n\n")), "```", ""]
    panels: dict[str, list[Any]] = {}
    for parameter in command.get_params(context):
        if "--help" in parameter.opts or getattr(parameter, "hidden", False):
            continue
        is_argument = parameter.param_type_name == "argument"
        title = "Arguments" if is_argument else (parameter.rich_help_panel or "Options")
        panels.setdefault(title, []).append(parameter)
    for title, parameters in panels.items():
        lines += [f"**{title}**", ""]
        for parameter in parameters:
            lines += _parameter(parameter, context)
    return lines


def _parameter(parameter: Any, context: Any) -> list[str]:
    """One option as an item of a definition list."""
    shown, text = parameter.get_help_record(context) or (parameter.metavar or parameter.name, parameter.help)
    if parameter.param_type_name == "argument":
        shown = parameter.metavar or parameter.name.upper()
    return [f"`{_spaced(shown)}`", f":   {_prose(text)}", ""]


def _spaced(names: str) -> str:
    return " ".join(names.split())


def _prose(text: str) -> str:
    return prose(text, FOLDER)
