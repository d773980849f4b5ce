"""The reference of the Python interface: every public name, in groups, described by mkdocstrings from its docstring."""

from __future__ import annotations

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
