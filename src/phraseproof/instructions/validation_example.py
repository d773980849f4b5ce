"""Examples for validation, so that a wording can be rendered before there is a task for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import cast

from phraseproof.core import Example, Kind
from phraseproof.instructions.template import CompiledInstruction

_QUESTIONS: Mapping[Kind, tuple[str, tuple[str, ...]]] = {
    Kind.MULTIPLE_CHOICE: ("Which planet is known as the red planet?", ("Venus", "Mars", "Jupiter", "Saturn")),
    Kind.BINARY: ("Can a penguin fly across the Atlantic?", ("Yes", "No")),
    Kind.MULTI_CLASS: ("My card was charged twice this month.", ("billing", "bug", "praise")),
}

_NO_TASKS: Mapping[str, Kind] = MappingProxyType({})


def validation_example(compiled: CompiledInstruction, kinds: Mapping[str, Kind] = _NO_TASKS) -> Example:
    """Make an example for rendering a wording: of the kind that the wording serves, else multiple choice.

    Choices fit the wording's literal verbalisers; a field other than `question` holds its own name in angle brackets.

    Args:
        compiled: the wording.
        kinds: of tasks that a wording may name, their kinds.
    """
    served = {kinds.get(name, name) for name in compiled.instruction.serves}
    kind = next((kind for kind in Kind if kind in served), Kind.MULTIPLE_CHOICE)
    if not kind.has_options:
        texts = {name: f"<{name}>" for name in sorted(compiled.fields)}
        return Example("made-up", texts, reference="<reference>")
    question, choices = _QUESTIONS[kind]
    for verbaliser in compiled.label_words:
        if isinstance(verbaliser, dict):
            choices = tuple(map(str, cast(dict[object, object], verbaliser)))
        elif isinstance(verbaliser, list):
            listed = cast(Sequence[object], verbaliser)
            choices = (*choices, *(f"<choice {number + 1}>" for number in range(len(choices), len(listed))))[
                : len(listed)
            ]
    fields = {name: question if name == "question" else f"<{name}>" for name in sorted(compiled.fields)}
    scores = tuple(float(index == 0) for index in range(len(choices)))
    return Example("made-up", fields, choices, scores)
