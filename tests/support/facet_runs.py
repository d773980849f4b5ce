"""Runs with several draws of demonstrations and orders of options, of a model that follows a rule."""

from __future__ import annotations

import json
from pathlib import Path

import phraseproof
from phraseproof.core import Example, Kind, Prompt, Task
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import Run

COLOURS = ("red", "green", "blue")
LISTED = "{% for choice in choices %}{{ letters[loop.index0] }}. {{ choice }} {% endfor %}"


def colour_task(examples: int = 12) -> Task:
    return Task(
        "colours",
        Kind.MULTIPLE_CHOICE,
        "colours",
        tuple(
            Example(f"q{n}", {"question": f"Question {n}?"}, COLOURS, tuple(float(n % 3 == c) for c in range(3)))
            for n in range(examples)
        ),
    )


def half_right(prompt: Prompt, option: str) -> float:
    """A rule that reads every part of a prompt: wording, demonstrations, question, and the order of the options."""
    return float(sum(ord(letter) * (place % 7) for place, letter in enumerate(prompt.text + option)) % 101) / 20


def drawn_run(folder: Path, *, shots: tuple[int, ...] = (0, 1), draws: int = 3, orders: int = 2) -> Run:
    """Four wordings, one of which does not list the options, in two groups."""
    folder.mkdir(exist_ok=True)
    entries = [{"id": f"w{n}", "template": f"Say {'so ' * n}{{{{ question }}}} {LISTED}"} for n in range(3)]
    entries.append({"id": "unlisted", "template": "{{ question }}", "answer": "text"})
    paths: dict[str, Path] = {}
    for group, of_group in (("mine", entries), ("other", entries[:2])):
        paths[group] = folder / f"{group}.yaml"
        paths[group].write_text(json.dumps({"name": group, "instructions": of_group}))  # JSON is YAML
    return phraseproof.evaluate(
        ScriptedModel(half_right),
        colour_task(),
        paths,
        folder / "run",
        num_fewshot=shots,
        fewshot_draws=draws,
        option_orders=orders,
        self_test=False,
    )
