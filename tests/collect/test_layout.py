"""What a person writes becomes the wording that is meant: an ask with the usual layout, or a whole prompt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.collect.layout import field_names, form_of, unknown_names, usual_layout, written_instruction
from phraseproof.core import Kind
from phraseproof.instructions.collections import load_collection
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction
from phraseproof.instructions.validate import validate
from phraseproof.instructions.writing import write_collection
from support.collect_tasks import CHOICES, tickets


def prompt(text: str, answer: str | None = None) -> tuple[str, tuple[str, ...]]:
    task = tickets()
    compiled = compile_instruction(written_instruction(task, text, answer=answer))
    made = build_prompt(compiled, task.examples[0], demonstrations=(), prompt_format="plain")
    return made.text, made.options


def test_a_text_without_fields_is_an_ask_before_the_usual_layout() -> None:
    text, options = prompt("Which team should answer?")
    assert text == (
        "Which team should answer?\n\nMessage: I was charged twice.\nSent at: 0 May\n\n"
        "A. billing\nB. bug\nC. praise\n\nAnswer:"
    )
    assert options == ("A", "B", "C")


def test_answers_by_text_list_the_options_without_letters() -> None:
    text, options = prompt("Which team should answer?", "text")
    assert "- billing\n- bug\n- praise" in text
    assert options == CHOICES


def test_options_that_the_text_lists_are_not_listed_again() -> None:
    text, options = prompt("One of {{ choices | join(', ') }}: who answers?")
    assert text.count("billing") == 1
    assert options == CHOICES


def test_a_text_that_names_a_field_is_the_whole_prompt() -> None:
    assert prompt("{{ message }} Team:") == ("I was charged twice. Team:", CHOICES)
    assert prompt('{{ message }}\n{{ choices | enumerate("{number}) {choice}") }}')[1] == ("1", "2", "3")
    assert prompt("{{ message }}\n{{ choices | enumerate }}", "text")[1] == CHOICES


def test_the_usual_layout_leaves_out_a_field_that_holds_the_answer() -> None:
    assert field_names(tickets()) == ("message", "sent_at")
    assert "team" not in usual_layout(tickets())


def test_free_text_has_no_options() -> None:
    task = tickets(kind=Kind.FREE_TEXT)
    assert usual_layout(task) == "Message: {{ message }}\nSent at: {{ sent_at }}\n\nAnswer:"
    assert validate([written_instruction(task, "Name the team.")], [task]) == []


@pytest.mark.parametrize("text", ["{{ message", "{% include 'x' %}", "{% for %}"])
def test_a_malformed_text_is_kept_as_it_is(text: str) -> None:
    assert written_instruction(tickets(), text).template == text
    assert unknown_names(tickets(), text) == ()


def test_the_form_may_be_given() -> None:
    ask = "About '{{ message }}': which team?"
    assert form_of(tickets(), ask) == "template"
    made = written_instruction(tickets(), ask, form="ask", answer="{{ choice | upper }}")
    assert (made.ask, made.template, made.answer) == (ask, None, "{{ choice | upper }}")
    assert made.layout == usual_layout(tickets())


def test_unknown_names() -> None:
    assert unknown_names(tickets(), "{{ mesage }} {{ choices }} {{ zip }} {{ message }}") == ("mesage", "zip")


def test_what_is_made_is_what_a_collection_file_gives_back(tmp_path: Path) -> None:
    made = [
        replace(written_instruction(tickets(), text, answer=answer), id=str(index), author="Ada", licence="CC0-1.0")
        for index, (text, answer) in enumerate(
            [("Which team?", None), ("Which team?", "text"), ("{{ message }}\n{{ choices | enumerate }}", None)]
        )
    ]
    write_collection(tmp_path / "c.yaml", "collected", made)
    assert list(load_collection(str(tmp_path / "c.yaml")).instructions) == made
