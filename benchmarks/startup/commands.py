"""The names of all commands, as a user types them."""

from __future__ import annotations

import typer.main

from phraseproof.cli import app


def command_names() -> list[str]:
    """`evaluate`, `tasks list` and so on."""
    return _below(typer.main.get_command(app), "")


def _below(command: object, path: str) -> list[str]:
    members: dict[str, object] = getattr(command, "commands", {})
    return [name for key, each in members.items() for name in _below(each, f"{path} {key}".strip())] or [path]
