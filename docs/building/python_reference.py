"""The reference of the Python interface: every public name, in groups, described by mkdocstrings from its docstring."""

from __future__ import annotations

import inspect
from enum import Enum
from pathlib import Path
from typing import Final

GROUPS: Final = {
    "evaluate": ("Evaluate a model", ("evaluate", "forecast", "Forecast", "EvaluationSpec", "study", "paraphrase")),
    "results": (
        "Look at results",
        (
            "load_run",
            "Run",
            "table",
            "analyze",
            "compare",
            "report",
            "gate",
            "GateResult",
            "ResultTable",
            "ResultRow",
            "view",
        ),
    ),
    "reduce": (
        "Reduce the spread",
        ("reduce", "choose", "choose_live", "ensemble", "calibrate", "Calibrator", "compare_methods"),
    ),
    "train": ("Train", ("align", "harden", "tune")),
    "material": (
        "Tasks, wordings, models",
        (
            "load_tasks",
            "load_collection",
            "load_model",
            "ModelOptions",
            "Task",
            "Example",
            "Instruction",
            "Kind",
            "Relation",
            "PhraseproofError",
        ),
    ),
}
"""Name of the page -> its title and the names on it."""

FOLDER = "reference/python"


def pages() -> dict[str, str]:
    """Paths in the site's source, and their Markdown."""
    overview = ["# Python", "", "Every public name is an attribute of `phraseproof`, loaded when it is first used.", ""]
    found: dict[str, str] = {}
    for name, (title, members) in GROUPS.items():
        links = ", ".join(f"[`{member}`]({name}.md#phraseproof.{member})" for member in members)
        overview.append(f"* [{title}]({name}.md): {links}")
        found[f"{FOLDER}/{name}.md"] = "\n\n".join(
            [f"# {title}", *(f"::: phraseproof.{member}" for member in members)],
        )
    found[f"{FOLDER}/index.md"] = "\n".join(overview)
    return found


def shown_default(value: object) -> str:
    """A default as a reader would write it: an option's text, a number, or the class of an object with settings.

    A function that is not public is `...`, as in type stubs.
    """
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, Path):
        return repr(value.as_posix())
    if inspect.isroutine(value):
        return "..." if value.__name__.startswith("_") else value.__name__
    is_plain = value is None or isinstance(value, bool | int | float | str | tuple | list | dict)
    return repr(value) if is_plain else f"{type(value).__name__}(...)"
