"""Other orders of an example's options: letters stay in their places, and the texts move.

Order 0 is the task's own. Order k is one permutation for every number of options, the same on all examples, tasks,
wordings and machines, so that orders are crossed with everything else. Permutations are drawn at random, each once.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from phraseproof.core import Example, Prompt
from phraseproof.instructions.template import CompiledInstruction

_TRIED = 3
"""Examples by which it is decided whether a wording lists the options; the first one may have equal texts."""

_MANY = 12
"""Options from which the number of orders is larger than any number of orders that is evaluated."""


@lru_cache(maxsize=4096)
def option_permutation(order: int, count: int) -> tuple[int, ...]:
    """Which of the task's own options is shown at each place.

    Args:
        order: the number of the order, from 0; orders beyond the last one begin again.
        count: the number of options.
    """
    if count < _MANY:
        order %= math.factorial(count)
    own = tuple(range(count))
    found = {own: None}
    draw = 0
    while len(found) <= order:
        drawn = tuple(sorted(own, key=lambda place: _rank(draw, count, place)))
        found.setdefault(drawn)
        draw += 1
    return list(found)[order]


def _rank(draw: int, count: int, place: int) -> bytes:
    return hashlib.blake2b(f"{draw}\0{count}\0{place}".encode(), digest_size=16).digest()


def in_order(example: Example, order: int) -> Example:
    """The example with its options in another order, as it is rendered."""
    if not order or not example.choices:
        return example
    shown = option_permutation(order, len(example.choices))
    return replace(
        example,
        choices=tuple(example.choices[place] for place in shown),
        option_scores=tuple(example.option_scores[place] for place in shown),
    )


def in_own_order(prompt: Prompt, order: int) -> Prompt:
    """The prompt of an example `in_order` with its answers in the order of the example's own choices.

    The text stays. Scores of the answers, and choices, are then about the example's own choices.
    """
    if not order or not prompt.options:
        return prompt
    shown = option_permutation(order, len(prompt.options))
    answers = dict(zip(shown, prompt.options, strict=True))
    return replace(prompt, options=tuple(answers[place] for place in range(len(shown))))


def number_of_orders(examples: Sequence[Example], asked: int) -> int:
    """How many of the orders that are asked for exist on every example; 1 where there are no options."""
    fewest = min(len(example.choices) for example in examples)
    return min(asked, math.factorial(min(fewest, _MANY)))


def lists_options(wording: CompiledInstruction, examples: Sequence[Example]) -> bool:
    """Whether the order of the options shows in a wording's prompts.

    It does not where each option has a prompt (`continuation`), nor where a template writes its options as fixed text,
    or not at all. Nor does it where answers are fixed words for first, second and so on that the prompt does not name:
    they would mean other options in another order.
    """
    if wording.instruction.continuation is not None:
        return False
    return any(_shows_order(wording, example) for example in examples[:_TRIED])


def _shows_order(wording: CompiledInstruction, example: Example) -> bool:
    count = len(example.choices)
    # The reverse moves every text but a middle one.
    other = replace(example, choices=example.choices[::-1], option_scores=example.option_scores[::-1])
    text = _text(wording, example)
    if text == _text(wording, other):
        return False
    answers = wording.render_answers(example)
    is_fixed = count > 1 and answers == wording.render_answers(other)
    return not is_fixed or all(answer.strip() in text for answer in answers)


def _text(wording: CompiledInstruction, example: Example) -> str:
    instruction = wording.instruction
    parts = [
        wording.render_system(example),
        wording.render_ask(example) if instruction.ask is not None else None,
        wording.render_layout(example) if instruction.layout is not None else None,
        wording.render_template(example) if instruction.template is not None else None,
    ]
    return "\n".join(part for part in parts if part is not None)
