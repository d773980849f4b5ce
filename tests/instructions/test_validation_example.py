from __future__ import annotations

import pytest

from phraseproof.core import Example, Instruction, Kind
from phraseproof.instructions.template import compile_instruction
from phraseproof.instructions.validation_example import validation_example


def example(template: str, *serves: str, answer: str = "{{ choice }}") -> Example:
    return validation_example(
        compile_instruction(Instruction("w", "c", template=template, serves=serves, answer=answer))
    )


def test_fields_hold_their_names() -> None:
    made = example("{{ question }} {{ context }}")
    assert made.fields["context"] == "<context>"
    assert made.fields["question"] == "Which planet is known as the red planet?"


@pytest.mark.parametrize(("kind", "count"), [("multiple_choice", 4), ("binary", 2), ("multi_class", 3)])
def test_choices_are_those_of_the_kind_it_serves(kind: str, count: int) -> None:
    assert len(example("{{ question }}", kind).choices) == count


def test_choices_fit_the_label_words() -> None:
    mapped = example("{{ q }}", answer='{{ choice | verbalise({"a": "x", "b": "y"}) }}')
    assert mapped.choices == ("a", "b")
    listed = example("{{ q }}", answer='{{ choice | verbalise(["1", "2", "3", "4", "5", "6"]) }}')
    assert listed.choices[-1] == "<choice 6>"
    assert len(listed.choices) == 6


@pytest.mark.parametrize("served", ["summarization", "translation", "free_text", "mine/notes"])
def test_free_text_has_a_reference_and_no_choices(served: str) -> None:
    compiled = compile_instruction(Instruction("w", "c", ask="Sum up:", layout="{{ text }}", serves=(served,)))
    made = validation_example(compiled, {"mine/notes": Kind.SUMMARIZATION})
    assert (made.choices, made.references, made.fields) == ((), ("<reference>",), {"text": "<text>"})
