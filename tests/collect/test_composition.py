"""What an annotator wrote becomes a wording whose prompts can be read off by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phraseproof.collect.composition import compose, field_names, usual_layout
from phraseproof.core import Example, Kind, Task
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
    assert _prompt(TEAMS, "Which team?") == (
        "Which team?\n\nI was charged twice\n- billing\n- bug\nAnswer:",
        "billing",
        "bug",
    )
    assert _prompt(TEAMS, "Which team?", shots=1, answer="letter")[0] == (
        "Which team?\n\nIt crashes\nA. billing\nB. bug\nAnswer: B\n\nI was charged twice\nA. billing\nB. bug\nAnswer:"
    )
    text, *options = _prompt(CAPITALS, "Choose.", shots=1)
    assert text == (
        "Choose.\n\nCountry: Peru\nHint: the sea\nA. Cusco\nB. Lima\nAnswer: B\n\n"
        "Country: France\nHint: a river\nA. Paris\nB. Lyon\nAnswer:"
    )
    assert options == ["A", "B"]


def test_options_that_an_ask_lists_are_not_listed_again() -> None:
    text = "Is it {{ choices | join(' or ') }}?"
    assert _prompt(TEAMS, text)[0] == "Is it billing or bug?\n\nI was charged twice\nAnswer:"
    assert compose(TEAMS, text, "ask", answer=None).ask == text


def test_an_ask_that_names_fields_replaces_them_in_the_layout_of_every_example() -> None:
    assert _prompt(CAPITALS, "The capital of {{ country }}?", shots=1)[0] == (
        "The capital of Peru?\n\nHint: the sea\nA. Cusco\nB. Lima\nAnswer: B\n\n"
        "The capital of France?\n\nHint: a river\nA. Paris\nB. Lyon\nAnswer:"
    )
    text = "{{ country }}, {{ hint }}: {{ choices | join(' or ') }}?"
    assert _prompt(CAPITALS, text) == ("France, a river: Paris or Lyon?\n\nAnswer:", "Paris", "Lyon")


def test_a_template_is_used_as_it_is() -> None:
    assert _prompt(TEAMS, "{{ message }} =>", form="template", answer="letter") == ("I was charged twice =>", "A", "B")
    assert _prompt(TEAMS, "Plain", form="template", answer="{{ choice | upper }}") == ("Plain", "BILLING", "BUG")


def test_fields_that_some_examples_lack_or_that_hold_the_answer_are_not_in_the_layout() -> None:
    first, second = CAPITALS.examples
    task = replace(CAPITALS, examples=(first, replace(second, fields={"country": "Peru", "a b": 1})))
    assert usual_layout(task) == "{{ country }}\n{{ choices | enumerate }}\nAnswer:"
    telling = replace(
        TEAMS,
        examples=tuple(
            replace(each, fields={"x_y": 1, "a b": 2, "team": each.choices[each.target]}) for each in TEAMS.examples
        ),
    )
    assert field_names(telling) == ("x_y",)
    assert field_names(replace(telling, examples=TEAMS.examples)) == ("message",)  # not those of another task's name
    assert usual_layout(telling) == '{{ x_y }}\n{{ choices | enumerate("- {choice}") }}\nAnswer:'


def test_free_texts_have_no_options() -> None:
    texts = tuple(Example(str(number), {"article": "Long"}, reference="Short") for number in range(2))
    task = Task("short", Kind.SUMMARIZATION, "short", texts)
    assert _prompt(task, "Sum up.", shots=1) == ("Sum up.\n\nLong\nAnswer: Short\n\nLong\nAnswer:",)


def test_what_cannot_be_a_wording_is_refused() -> None:
    with pytest.raises(InstructionError, match="not a valid template"):
        compose(TEAMS, "{{ open", "ask", answer=None)
    with pytest.raises(InstructionError, match="the answer form is not clear"):
        compose(TEAMS, "{{ choices | enumerate('{letter} {number} {choice}') }}", "template", answer=None)
