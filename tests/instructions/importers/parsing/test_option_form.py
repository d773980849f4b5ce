from __future__ import annotations

from typing import Any

import pytest

from phraseproof.core import Example
from phraseproof.instructions.importers.parsing.option_form import QUESTION, option_mark, template_of
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError
from phraseproof.instructions.template import compile_instruction


@pytest.mark.parametrize(
    ("write", "template"),
    [
        (lambda o: QUESTION + "".join(f"\n({'ABCDE'[i]}) {each}" for i, each in enumerate(o)),
         '{{ question }}{{ choices | enumerate("\\n({letter}) {choice}", separator="") }}'),
        (lambda o: f"{QUESTION} " + ", ".join(o[:-1]) + f" or {o[-1]}?",
         '{{ question }} {{ choices | enumerate("{choice}", separator=", ", last=" or ") }}?'),
        (lambda o: "\n".join(f"{i + 1}. {each}" for i, each in enumerate(o)) + QUESTION,
         '{{ choices | enumerate("{number}. {choice}", separator="\\n") }}{{ question }}'),
    ],
)  # fmt: skip
def test_options_of_any_number_become_an_enumeration(write: Any, template: str) -> None:
    texts = {number: write([option_mark(index) for index in range(number)]) for number in (3, 4, 5)}
    result = template_of(texts)
    choices = ("w", "x", "y", "z")
    from phraseproof.core import Instruction

    example = Example("e", {"question": "Why?"}, choices, (1.0, 0.0, 0.0, 0.0))
    for each in (result, template):
        compiled = compile_instruction(Instruction("i", "c", template=each))
        assert compiled.render_template(example) == write(list(choices)).replace(QUESTION, "Why?")


def test_options_that_cannot_be_generalised() -> None:
    with pytest.raises(UnrepresentableError, match="depends on their number"):
        template_of({2: f"{QUESTION} two", 3: f"{QUESTION} three"})
    with pytest.raises(UnrepresentableError, match="nothing of the example"):
        template_of({2: "hello"})
