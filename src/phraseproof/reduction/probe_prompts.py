"""Prompts that show what a model prefers whatever the example: without content, or with permuted options.

Content is every text of an example's fields that is not the same in all examples of the task, as a subject's name is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from phraseproof.core import Example, Prompt, Task
from phraseproof.errors import InstructionError
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.run import Evaluation

CONTENT_FREE = ("N/A", "[MASK]", "")
"""The inputs of Zhao et al. 2021 (arXiv 2102.09690, section 5)."""

_FEWEST_PERMUTED = 10
_SHARE_PERMUTED = 0.05
"""The share of the examples that PriDe permutes (Zheng et al. 2023, section 4.2), of which there are at least ten."""


class Probe(NamedTuple):
    """A prompt, and the id of the example that it was made of; empty for a prompt without content."""

    prompt: Prompt
    example: str


def without_content(evaluation: Evaluation, planned: PlannedCell) -> list[Probe]:
    """One prompt per content-free input that the wording can be rendered with.

    Where the examples' choices differ, as those of a quiz with letters as answers, they are replaced as well.
    """
    examples = planned.task.examples
    are_shared = all(set(example.choices) == set(examples[0].choices) for example in examples)
    found: list[Probe] = []
    for text in CONTENT_FREE:
        example = _emptied(planned.task, examples[0], text)
        if not are_shared:
            example = replace(example, choices=(text,) * len(example.choices))
        try:
            (prompt,) = evaluation.prompts(planned, [example])
        except InstructionError:
            continue  # as for an answer that is an empty choice
        if len(set(prompt.options)) == len(prompt.options):
            found.append(Probe(prompt, ""))
    return found


def without_example(evaluation: Evaluation, planned: PlannedCell) -> list[Probe]:
    """The prompt of every example without its content, and with its own options."""
    task = planned.task
    emptied = [_emptied(task, example, "") for example in task.examples]
    prompts = evaluation.prompts(planned, emptied)
    return [Probe(prompt, example.id) for prompt, example in zip(prompts, emptied, strict=True)]


def permuted(evaluation: Evaluation, planned: PlannedCell) -> list[Probe]:
    """Some examples with their choices in every cyclic order, one order after the other.

    Returns:
        Nothing if the answers are not labels that stay where they are when the choices move.
    """
    task = planned.task
    count = min(len(task.examples), max(_FEWEST_PERMUTED, round(_SHARE_PERMUTED * len(task.examples))))
    chosen = sorted(task.examples, key=_rank)[:count]
    turned = [_turned(example, turn) for example in chosen for turn in range(len(example.choices))]
    prompts = evaluation.prompts(planned, turned)
    if any(prompt.options != prompts[0].options for prompt in prompts):
        return []
    return [Probe(prompt, example.id) for prompt, example in zip(prompts, turned, strict=True)]


def _turned(example: Example, turn: int) -> Example:
    choices, credit = example.choices, example.option_scores
    return replace(
        example,
        choices=(*choices[turn:], *choices[:turn]),
        option_scores=(*credit[turn:], *credit[:turn]),
    )


def _emptied(task: Task, example: Example, text: str) -> Example:
    """The example with `text` in place of its content."""
    first = task.examples[0].fields
    differing = {
        name
        for name in example.fields
        if len(task.examples) == 1 or any(other.fields.get(name) != first.get(name) for other in task.examples)
    }
    fields: Mapping[str, object] = {
        name: _with_text(value, text) if name in differing else value for name, value in example.fields.items()
    }
    return replace(example, fields=fields)


def _with_text(value: object, text: str) -> object:
    return text if isinstance(value, str) else value


def _rank(example: Example) -> bytes:
    return hashlib.blake2b(f"permuted\0{example.id}".encode(), digest_size=16).digest()


def options_of(probes: Sequence[Probe]) -> tuple[str, ...]:
    """The options of the first prompt; nothing if there is none."""
    return probes[0].prompt.options if probes else ()
