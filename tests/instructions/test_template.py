"""The template language: what it says, what it needs, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phraseproof.core import Example, Instruction, Kind, Task
from phraseproof.errors import InstructionError
from phraseproof.instructions.template import check_against, compile_instruction, literal, quoted

EXAMPLE = Example("e1", {"question": "Why?", "meta": {"a": 1}, "empty": None}, ("x", "y", "z"), (0.0, 1.0, 0.0))

any_text = st.text(st.characters(exclude_categories=["Cs"]))
braces = st.text("{}%#-+ab\n'\"\\ ", max_size=30)


def render(template: str, example: Example = EXAMPLE, **fields: Any) -> str:
    return compile_instruction(wording(template, **fields)).render_template(example)


def answers(answer: str, example: Example = EXAMPLE) -> tuple[str, ...]:
    return compile_instruction(wording("?", answer=answer)).render_answers(example)


def wording(template: str, **fields: Any) -> Instruction:
    settings: dict[str, Any] = {"id": "w", "collection": "c", "template": template, "origin": "mine.yaml:7"}
    return Instruction(**settings | fields)


# --------------------------------------------------------------------------------------------------------- what it says


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ question }}\n", "Why?\n"),
        ("{{ choices | join(', ') }}", "x, y, z"),
        ("A. {{ choices[0] }} or B. {{ choices[1] }}", "A. x or B. y"),
        ("{% for choice in choices %}{{ letters[loop.index0] }}) {{ choice }};{% endfor %}", "A) x;B) y;C) z;"),
        ("{% for c in choices %}{{ c }}{{ ', ' if not loop.last }}{% endfor %}", "x, y, z"),
        ("{% for c in choices if c != 'y' %}{{ loop.index }}{{ c }}{% endfor %}", "1x2z"),
        ("{{ choice_count }} of them", "3 of them"),
        ("{% if choice_count > 2 %}many{% else %}few{% endif %}", "many"),
        ("{% set q = question | upper %}{{ q }}{{ q | length + 1 }}", "WHY?5"),
        ("{{ question.replace('y', 'o').upper() ~ '!' }}", "WHO?!"),
        ("{{ meta.a }}{{ meta['a'] + 1 }}{{ meta.get('b', 0) }}", "120"),
        ("{{ hint | default('none given') }}{{ ', ' ~ hint if hint is defined }}", "none given"),
        ("{% raw %}{{ question }}{% endraw %}{# a remark #}", "{{ question }}"),
        ("  {{ question }}  \n\n", "  Why?  \n\n"),
        ("{%- if true %}\n{{ question }}\n{%- endif %}", "\nWhy?"),
        ("{{ choices | map('upper') | join }}", "XYZ"),
        ("{{ ', '.join(choices) }}", "x, y, z"),
        ("{% for a, b in [['p', choices[0]], ('q', letters[1])] %}{{ a }}{{ b }}{% endfor %}", "pxqB"),
        ("{% set a, b = 1, 2 %}{{ b }}{% for k, v in meta.items() %}{{ k }}{{ v }}{% endfor %}", "2a1"),
        ("{{ {'x': question}['x'] }}", "Why?"),
        ("<b>{{ '&' }}</b>", "<b>&</b>"),
        ("{{ range(3) | list }}{{ 2 ** 5 }}{{ '-' * 3 }}{{ [1] + [2] }}{{ 7 % 4 }}", "[0, 1, 2]32---[1, 2]3"),
    ],
)
def test_templates_say(template: str, text: str) -> None:
    assert render(template) == text


@given(any_text, st.lists(any_text, max_size=6))
def test_what_fields_and_choices_hold_comes_out_as_it_is_and_is_never_run(question: str, choices: list[str]) -> None:
    example = Example("e", {"question": question}, tuple(choices), tuple(0.0 for _ in choices))
    assert render("{{ question }}", example) == question
    assert render("{{ choices | join('|') }}", example) == "|".join(choices)
    assert render('{{ choices | enumerate("{choice}", separator="|") }}', example) == "|".join(choices)


@given(braces)
def test_template_code_in_a_field_stays_text(question: str) -> None:
    for text in (question, "{{ 7 * 7 }}", "{% raw %}", "{choice}{letter}", "{# #}"):
        example = Example("e", {"question": text}, (text, "b"), (1.0, 0.0))
        assert render("{{ question }}", example) == text
        assert render("{{ choices | enumerate('{choice}') }}", example) == f"{text}\nb"


@given(any_text | braces, braces)
@example(text="{\r", more="{")
def test_any_text_can_be_written_literally(text: str, more: str) -> None:
    assert render(literal(text) or "") == text
    assert render(literal(text) + "{{ question }}" + literal(more)) == f"{text}Why?{more}"
    assert render(f"{{{{ {quoted(text)} }}}}") == text


# -------------------------------------------------------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("answer", "written"),
    [
        ("{{ letter }}", ("A", "B", "C")),
        ("{{ choice }}", ("x", "y", "z")),
        ("{{ letter | lower }}", ("a", "b", "c")),
        ("({{ letter }}) {{ choice }}", ("(A) x", "(B) y", "(C) z")),
        ("{{ index + 1 }} {{ question }}", ("1 Why?", "2 Why?", "3 Why?")),
        ('{{ ["no", "maybe", "yes"][index] }}', ("no", "maybe", "yes")),
        ('{{ choice | verbalise(["no", "maybe", "yes"]) }}', ("no", "maybe", "yes")),
        ('{{ choice | verbalise({"z": "last", "x": "first", "y": 2}) }}', ("first", "2", "last")),
    ],
)
def test_answers_are_written(answer: str, written: tuple[str, ...]) -> None:
    assert answers(answer) == written


def test_answers_are_written_anew_for_other_choices() -> None:
    for answer in ("{{ letter }}", "{{ choice }}", "{{ question }}{{ index }}"):
        compiled = compile_instruction(wording("?", answer=answer))
        for count in (2, 3, 2):
            for prefix in ("p", "q"):
                choices = tuple(f"{prefix}{index}" for index in range(count))
                example = Example(prefix, {"question": prefix}, choices, tuple(0.0 for _ in choices))
                fresh = compile_instruction(wording("?", answer=answer)).render_answers(example)
                assert compiled.render_answers(example) == fresh
                assert len(fresh) == count


def test_free_text_has_no_answers() -> None:
    assert answers("{{ letter }}", Example("e", {}, reference="anything")) == ()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("the same", "choices 1 and 2 have the same answer 'the same'"),
        ("{{ '' }}", "the answer for choice 1 is empty"),
        ("{{ ' ' if index == 2 else letter }}", "the answer for choice 3 is empty"),
        ('{{ choice | verbalise(["a", "b"]) }}', "2 answers are given for 3 choices"),
        ('{{ choice | verbalise({"x": "a", "y": "b"}) }}', "no answer for the choice 'z'"),
        ("{{ choice | verbalise('abc') }}", "verbalise takes a list or a mapping"),
        ("{{ [1][index] }}", "has no element 1"),
    ],
)
def test_answers_that_cannot_be_told_apart_are_refused(answer: str, problem: str) -> None:
    with pytest.raises(InstructionError) as caught:
        answers(answer)
    assert problem in str(caught.value)
    assert "mine.yaml:7, answer" in str(caught.value)
    assert "'c/w'" in str(caught.value)
    assert "'e1'" in str(caught.value)


def test_choices_that_are_the_same_in_the_data_may_have_the_same_answer() -> None:
    twice = Example("e", {}, ("x", "y", "x"), (1.0, 0.0, 0.0))
    assert answers("{{ choice }}", twice) == ("x", "y", "x")
    assert answers("{{ letter }}", twice) == ("A", "B", "C")
    compiled = compile_instruction(wording("?", answer="{{ 'one' }}"))
    assert compiled.render_answers(Example("e", {}, ("x", "x"), (1.0, 0.0))) == ("one", "one")
    with pytest.raises(InstructionError, match="same answer"):
        compiled.render_answers(Example("f", {}, ("x", "y"), (1.0, 0.0)))


# ------------------------------------------------------------------------------------------------------- what it needs


def test_needed_fields_are_found_without_rendering() -> None:
    compiled = compile_instruction(
        Instruction(
            id="w",
            collection="c",
            ask="{% if hint is defined %}{{ hint }}{% endif %}{{ tone | default('') }}{{ choices | enumerate }}",
            layout="{% set x = story %}{{ x }}{% for c in letters %}{{ c }}{{ loop.index }}{% endfor %}{{ range(2) }}",
            answer="{{ choice }}{{ letter }}{{ index }}{{ style }}",
        )
    )
    assert compiled.fields == {"story", "style"}


def task(**fields: Any) -> Task:
    return Task("tickets", Kind.MULTI_CLASS, "mine", (Example("e1", fields, ("x", "y", "z"), (1.0, 0.0, 0.0)),))


def test_a_wording_fits_a_task() -> None:
    check_against(wording("{{ question }}", answer='{{ choice | verbalise(["a", "b", "c"]) }}'), task(question="q"))


@pytest.mark.parametrize(
    ("fields", "needles"),
    [
        (
            {"template": "{{ massage }}"},
            ("'massage'", "'tickets'", "mine.yaml:7, template", "message, choices, letters"),
        ),
        ({"template": "{{ letter }}"}, ("'letter'", "are known only in answer")),
        ({"template": "?", "answer": "{{ nothing }}"}, ("'nothing'", "mine.yaml:7, answer", "choice, letter, index")),
        ({"template": "?", "answer": '{{ choice | verbalise({"x": "a"}) }}'}, ("no answer for the choice 'y'",)),
        ({"template": "{{ lipsum() }}{{ cycler }}"}, ("'cycler'",)),
    ],
)
def test_a_wording_that_does_not_fit_a_task_is_refused_in_one_line(fields: dict[str, Any], needles: tuple[str]) -> None:
    with pytest.raises(InstructionError) as caught:
        check_against(wording(**fields), task(message="m"))
    assert "\n" not in str(caught.value)
    for needle in needles:
        assert needle in str(caught.value)


def test_a_field_that_one_example_lacks_is_named_with_the_example() -> None:
    examples = tuple(Example(f"e{i}", {"a": 1} if i else {"a": 1, "b": 2}) for i in range(2))
    with pytest.raises(InstructionError, match=r"'b'.*in its example 'e1'"):
        check_against(wording("{{ b }}"), Task("t", Kind.BINARY, "t", examples))


# ------------------------------------------------------------------------------------------------------ what it refuses


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{ nothing }}", "'nothing' is undefined. Known here: choice_count, choices, empty, letters, meta, question"),
        ("{{ meta.b }}", "has no attribute 'b'"),
        ("{{ choices[9] }}", "has no element 9"),
        ("{{ empty }}", "a value is None"),
        ("{{ question + 1 }}", "cannot be rendered: can only concatenate str"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ choices | map('upper') }}", "is not text"),
        ("{{ question.upper }}", "is not text"),
        ("{{ choices | enumerate('{label}') }}", "unknown placeholder '{label}' in enumerate"),
        ("{{ choices | enumerate('{') }}", "unknown placeholder '{'"),
        ("{{ question | replace }}", "missing 2 required positional arguments"),
    ],
)
def test_what_cannot_be_rendered_names_wording_part_and_example(template: str, problem: str) -> None:
    with pytest.raises(InstructionError) as caught:
        render(template)
    assert problem in str(caught.value)
    assert "mine.yaml:7, template" in str(caught.value)
    assert "wording 'c/w', example 'e1'" in str(caught.value)


@pytest.mark.parametrize(
    "fields", [{}, {"ask": "a", "template": "t"}, {"template": "t", "layout": "l"}], ids=["none", "both", "layout"]
)
def test_a_wording_has_an_ask_or_a_template(fields: dict[str, Any]) -> None:
    with pytest.raises(InstructionError):
        compile_instruction(Instruction(id="w", collection="c", **fields))


def test_ask_and_layout_are_rendered_apart() -> None:
    compiled = compile_instruction(
        Instruction(id="w", collection="c", ask="Pick {{ letters[0] }}.", layout="{{ question }}")
    )
    assert compiled.render_ask(EXAMPLE) == "Pick A."
    assert compiled.render_layout(EXAMPLE) == "Why?"
    with pytest.raises(InstructionError, match="has no template"):
        compiled.render_template(EXAMPLE)


def test_a_field_may_not_hide_a_built_in_name() -> None:
    example = Example("e", {"choices": "mine", "letter": "mine", "range": "mine"}, ("x", "y"), (1.0, 0.0))
    assert render("{{ choices | join }}{{ letter }}{{ range }}", example) == "xyminemine"
    assert answers("{{ letter }}", example) == ("A", "B")


def in_prompt(**changes: Any) -> Instruction:
    parts: dict[str, Any] = {
        "template": "{{ question }} It is {{ choice }} ({{ letter }}, {{ index }}),",
        "continuation": "{{ why }}",
        "answer": "{{ choice }}",
    }
    return Instruction("in-prompt", "mine", **(parts | changes))


def test_options_in_the_prompt_are_known_to_its_layout_only() -> None:
    example = Example("1", {"question": "Q?", "why": "because"}, ("one", "two"), (0.0, 1.0))
    task = Task("t", Kind.MULTIPLE_CHOICE, "T", (example,))
    check_against(in_prompt(), task)
    compiled = compile_instruction(in_prompt())
    assert compiled.fields == {"question", "why"}
    assert compiled.render_contexts(example) == ("Q? It is one (A, 0),", "Q? It is two (B, 1),")
    assert compiled.render_continuation(example) == "because"
    apart = in_prompt(template=None, ask="Finish it.", layout="{{ choice }}:")
    assert compile_instruction(apart).render_contexts(example) == ("one:", "two:")
    for wording, problem in (
        (in_prompt(continuation=None), "known only in answer, and in the layout with a continuation"),
        (in_prompt(continuation="{{ choice }}"), "needs 'choice'"),
        (replace(apart, ask="{{ choice }}?"), "needs 'choice'"),
        (in_prompt(template=None, ask="{{ question }}"), "a continuation needs a layout, or a template"),
        (in_prompt(template="{{ question }} {{ choices }}"), "choices 1 and 2 have the same prompt"),
        (in_prompt(continuation="{{ why[:0] }}"), "the continuation is empty"),
    ):
        with pytest.raises(InstructionError, match=problem):
            check_against(wording, task)
    with pytest.raises(InstructionError, match="the continuation is empty"):
        compiled.render_continuation(replace(example, fields={"question": "Q?", "why": " "}))
    with pytest.raises(InstructionError, match="there are no options"):
        compiled.render_continuation(replace(example, choices=()))
