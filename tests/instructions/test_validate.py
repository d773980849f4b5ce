"""What `validate` finds in a collection, alone and on a task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from phraseproof.core import Example, Instruction, Kind, Task
from phraseproof.instructions.validate import validate


def wording(identifier: str = "w", **parts: Any) -> Instruction:
    parts = {"template": "{{ text }}\n{{ choices | enumerate }}", "answer": "{{ letter }}"} | parts
    if "ask" in parts:
        del parts["template"]
    return Instruction(identifier, "mine", **parts)


def task(*, columns: dict[str, list[str]] | None = None) -> Task:
    choices = ("red", "blue", "green")
    columns = columns or {"text": ["A rose.", "The sky.", "Moss.", "Blood."]}
    rows = len(next(iter(columns.values())))
    examples = tuple(
        Example(
            str(row),
            {name: values[row] for name, values in columns.items()},
            choices,
            tuple(float(index == row % len(choices)) for index in range(len(choices))),
        )
        for row in range(rows)
    )
    return Task("colours", Kind.MULTI_CLASS, "colours", examples)


def kinds(*given: Instruction, on: Task | None = None) -> list[tuple[str, str]]:
    return [(problem.level, problem.kind) for problem in validate(given, [on] if on else [])]


def test_a_good_wording_has_no_problems() -> None:
    assert kinds(wording()) == []
    assert kinds(wording(), on=task()) == []
    assert (
        kinds(wording(template="{{ text }} Is it {{ choices | join(' or ') }}?", answer="{{ choice }}"), on=task())
        == []
    )


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"ask": "Which colour?"}, ("error", "example")),
        ({"template": "{{ text }} {{ label }} {{ choices | enumerate }}"}, ("warning", "gives-away")),
        ({"template": "{{ text }} {{ choices | enumerate('{number}. {choice}') }}"}, ("error", "answers")),
        ({"template": "{{ text }} Answer by letter."}, ("error", "options")),
        ({"template": "{{ text }} {{ letter }} {{ choices | enumerate }}"}, ("error", "template")),
    ],
)
def test_a_wording_alone(parts: dict[str, Any], problem: tuple[str, str]) -> None:
    assert problem in kinds(wording(**parts))


def test_labels_written_by_hand_are_labels() -> None:
    assert kinds(wording(template="{{ text }}\nA. {{ one }}\nB. {{ two }}")) == []


def test_a_name_that_the_task_lacks() -> None:
    (problem,) = validate([wording(template="{{ txt }} {{ choices | enumerate }}")], [task()])[:1]
    assert (problem.level, problem.kind) == ("error", "template")
    assert "needs 'txt', which task 'colours' does not have" in problem.message


def test_options_that_are_not_shown() -> None:
    assert kinds(wording(template="{{ text }} Which?", answer="{{ choice }}"), on=task()) == [("warning", "options")]
    assert ("error", "options") in kinds(wording(template="{{ text }} Which?"), on=task())


def test_answers_that_the_options_do_not_contain() -> None:
    other = '{{ choice | verbalise(["crimson", "azure", "lime"]) }}'
    assert kinds(wording(answer=other), on=task()) == [("error", "answers")]
    shown = "{{ text }}: crimson, azure or lime?"
    assert kinds(wording(template=shown, answer=other), on=task()) == []


def test_a_verbaliser_that_does_not_fit() -> None:
    assert kinds(wording(answer='{{ choice | verbalise(["a", "b"]) }}'), on=task()) == [("error", "template")]


def test_a_field_that_holds_the_answer() -> None:
    columns = {"text": ["A rose.", "The sky.", "Moss."], "said": ["red", "blue", "green"], "key": ["A", "B", "C"]}
    for name in ("said", "key"):
        found = validate(
            [wording(template=f"{{{{ text }}}} {{{{ {name} }}}} {{{{ choices | enumerate }}}}")],
            [task(columns=columns)],
        )
        errors = [problem for problem in found if problem.level == "error"]
        assert [problem.kind for problem in errors] == ["gives-away"]
        assert f"{name!r} holds it" in errors[0].message
    assert kinds(
        wording(template="{{ text }} {{ said }}"),
        on=task(columns={"text": ["a", "b", "c"], "said": ["red", "red", "red"]}),
    )


def test_an_ask_that_names_one_option_only() -> None:
    leading = wording(template="{{ text }} Is this red?", answer="{{ choice }}")
    found = validate([leading], [task()])
    assert ("warning", "gives-away") in [(problem.level, problem.kind) for problem in found]
    assert any("only 'red' is named" in problem.message for problem in found)
    fair = wording(template="{{ text }} Is this red, green or blue?", answer="{{ choice }}")
    assert kinds(fair, on=task()) == []


def test_fields_that_are_left_out() -> None:
    columns = {"text": ["one", "two", "three"], "title": ["four", "five", "six"]}
    full = wording("full", template="{{ title }} {{ text }} {{ choices | enumerate }}")
    found = validate([full, wording("half")], [task(columns=columns)])
    assert [(problem.kind, problem.wording) for problem in found] == [("unused-field", "mine/half")]
    assert "leaves out 'title'" in found[0].message


def test_a_field_that_holds_the_whole_prompt_shows_the_others() -> None:
    columns = {
        "text": ["one", "two", "three"],
        "title": ["four", "five", "six"],
        "lm_eval_prompt": ["one?", "two?", "three?"],
    }
    whole = wording("whole", template="{{ lm_eval_prompt }} {{ choices | enumerate }}")
    full = wording("full", template="{{ title }} {{ text }} {{ choices | enumerate }}")
    assert validate([full, whole], [task(columns=columns)]) == []
    assert validate([whole], [task(columns=columns)]) == []
    alone = validate([wording("half")], [task(columns=columns)])
    assert ["no wording shows 'title'" in problem.message for problem in alone] == [True]


def test_the_shipped_collections_have_no_errors() -> None:
    from phraseproof.instructions.collections import load_collection, shipped_collections

    for name in shipped_collections():
        problems = validate(load_collection(name).instructions)
        assert [problem for problem in problems if problem.level == "error"] == []


def test_free_text_has_no_options_to_show_and_may_be_given_away() -> None:
    examples = tuple(
        Example(
            f"{n}", {"text": f"text {n}", "gist": f"Other {n}"}, reference=f"one {n}", other_references=(f"other {n}",)
        )
        for n in range(4)
    )
    notes = Task("notes", Kind.SUMMARIZATION, "c", examples)
    plain = Instruction(
        "w", "c", ask="Sum up:", layout="{{ text }}"
    )  # its answer is a letter, which has no meaning here
    assert kinds(plain, on=notes) == []
    assert kinds(replace(plain, serves=("summarization", "translation"))) == []
    assert ("error", "options") in kinds(replace(plain, serves=("summarization", "binary")))
    assert kinds(replace(plain, layout="{{ text }} {{ gist }}"), on=notes) == [("error", "gives-away")]
    assert kinds(replace(plain, layout="{{ text }} {{ summary }}", serves=("summarization",))) == [
        ("warning", "gives-away")
    ]


def test_options_may_be_in_the_prompt() -> None:
    good = wording(template="{{ choice }} is the colour of", continuation="{{ text }}")
    assert kinds(good, on=task()) == kinds(good) == []
    assert kinds(replace(good, continuation=None), on=task())[-1] == ("error", "template")
    blind = replace(good, template="{{ choices | join }} is the colour of")
    assert kinds(blind, on=task()) == [("error", "template")]
