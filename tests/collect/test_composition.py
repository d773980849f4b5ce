"""What an annotator wrote becomes a wording whose prompts can be read off by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phraseproof.collect.composition import compose, usual_layout
from phraseproof.core import Task
from phraseproof.errors import InstructionError
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction
from support.collecting import CAPITALS, TEAMS


def _prompt(task: Task, text: str, *, shots: int = 0, form: str = "ask", answer: str | None = None) -> tuple[str, ...]:
    wording = compose(task, text, form, answer=answer)  # type: ignore[arg-type]
    prompt = build_prompt(
        compile_instruction(wording),
        task.examples[0],
        demonstrations=task.examples[1 : 1 + shots],
        prompt_format="plain",
    )
    return (prompt.text, *prompt.options)


def test_an_ask_comes_before_the_usual_layout_once() -> None:
    assert _prompt(TEAMS, "Billing or bug?") == ("Billing or bug?\n\nI was charged twice", "billing", "bug")
    assert _prompt(TEAMS, "Billing or bug?", shots=1)[0] == ("Billing or bug?\n\nIt crashes bug\n\nI was charged twice")
    text, *options = _prompt(CAPITALS, "Choose.", shots=1)
    assert text == (
        "Choose.\n\nCountry: Peru\nHint: the sea\nA. Cusco\nB. Lima B\n\n"
        "Country: France\nHint: a river\nA. Paris\nB. Lyon"
    )
    assert options == ["A", "B"]


def test_an_ask_that_names_fields_replaces_them_in_the_layout_of_every_example() -> None:
    assert _prompt(CAPITALS, "The capital of {{ country }}?", shots=1)[0] == (
        "The capital of Peru?\n\nHint: the sea\nA. Cusco\nB. Lima B\n\n"
        "The capital of France?\n\nHint: a river\nA. Paris\nB. Lyon"
    )
    text = "{{ country }}, {{ hint }}: {{ choices | join(' or ') }}?"
    assert _prompt(CAPITALS, text) == ("France, a river: Paris or Lyon?", "Paris", "Lyon")


def test_a_template_is_used_as_it_is() -> None:
    assert _prompt(TEAMS, "{{ message }} =>", form="template", answer="letter") == ("I was charged twice =>", "A", "B")
    assert _prompt(TEAMS, "Plain", form="template", answer="{{ choice | upper }}") == ("Plain", "BILLING", "BUG")


def test_fields_that_some_examples_lack_are_not_in_the_layout() -> None:
    task = replace(
        CAPITALS, examples=(CAPITALS.examples[0], replace(CAPITALS.examples[1], fields={"country": "Peru", "a b": 1}))
    )
    assert usual_layout(task) == "{{ country }}\n{{ choices | enumerate }}"
    odd = replace(TEAMS, examples=tuple(replace(each, fields={"x_y": 1, "a b": 2}) for each in TEAMS.examples))
    assert usual_layout(odd) == "{{ x_y }}"


def test_what_cannot_be_a_wording_is_refused() -> None:
    with pytest.raises(InstructionError, match="not a valid template"):
        compose(TEAMS, "{{ open", "ask", answer=None)
    with pytest.raises(InstructionError, match="the answer form is not clear"):
        compose(TEAMS, "{{ choices | enumerate('{letter} {number} {choice}') }}", "template", answer=None)
