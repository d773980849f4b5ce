"""What a person sees while writing: rendered examples, what is scored, problems, and similar wordings."""

from __future__ import annotations

import pytest

from phraseproof.collect.preview import MAX_CHARACTERS, MAX_SHOWN, preview_of
from phraseproof.core import Example, Kind, Task
from support.collect_tasks import CHOICES, tickets


def kinds(text: str, answer: str | None = None) -> list[tuple[str, str]]:
    task = tickets(with_answer=True)
    problems = preview_of(task, text, "zero-shot", answer=answer, form="template").problems
    return [(problem.level, problem.kind) for problem in problems]


def test_an_ask_is_shown_in_the_usual_layout() -> None:
    preview = preview_of(tickets(), "Which team should answer?", "zero-shot")
    assert preview.is_usable
    assert [prompt.example_id for prompt in preview.prompts] == ["0", "1"]
    first = preview.prompts[0]
    assert first.text.startswith("Which team should answer?\n\nMessage: I was charged twice.")
    assert (first.options, first.target, first.reference, first.is_cut) == (CHOICES, 0, None, False)


def test_few_shot_has_one_solved_example_first() -> None:
    text = preview_of(tickets(), "Which team should answer?", "few-shot", answer="text").prompts[0].text
    assert text.count("Message:") == 2
    assert text.count("Which team should answer?") == 1


def test_free_text_shows_what_is_expected() -> None:
    prompt = preview_of(tickets(kind=Kind.FREE_TEXT), "Name the team.", "zero-shot").prompts[0]
    assert (prompt.options, prompt.target, prompt.reference) == ((), None, "billing")


def test_a_single_example_has_no_solved_one() -> None:
    task = Task("one", Kind.FREE_TEXT, "one", (Example("1", {"question": "Why?"}, reference="So."),))
    assert preview_of(task, "Answer.", "few-shot").prompts[0].text == "Answer.\n\nWhy?\nAnswer:"


def test_an_unknown_field_is_named_with_the_one_that_is_meant() -> None:
    problem = preview_of(tickets(), "{{ mesage }}", "zero-shot").problems[0]
    assert (problem.kind, problem.name, problem.suggestion) == ("unknown-field", "mesage", "message")
    assert problem.message == "no field is called 'mesage'; the fields are message, sent_at"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ("error", "empty")),
        ("  \n", ("error", "empty")),
        ("x" * (MAX_CHARACTERS + 1), ("error", "too-long")),
        ("{{ message", ("error", "template")),
        ("{{ message.nothing }}", ("error", "template")),
        ("{{ message }} is about {{ team }}", ("error", "gives-away")),
        ("{{ message }} Which team?", ("warning", "options")),
    ],
)
def test_problems(text: str, found: tuple[str, str]) -> None:
    assert found in kinds(text)


def test_labels_that_do_not_fit_the_answers_are_an_error() -> None:
    assert ("error", "options") in kinds("{{ message }} Answer with a letter.", answer="letter")
    assert ("error", "answers") in kinds(
        '{{ message }}\n{{ choices | enumerate("{number}) {choice}") }}', answer="letter"
    )


def test_errors_come_first_and_name_no_draft() -> None:
    preview = preview_of(tickets(), "{{ message.nothing }} {{ team }}", "zero-shot")
    assert preview.problems[0].level == "error"
    assert "draft" not in preview.problems[0].message
    assert preview.prompts == ()


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(1000) %}{% for b in range(1000) %}{{ message }}{% endfor %}{% endfor %}",
        "{{ message }}{{ 'x' * 900000 }}",
        "{% set x = 'a' * 90000 %}{% for a in range(1000) %}{{ x | upper }}{% endfor %}{{ message }}",
        "{{ message.__class__ }}",
        "{{ cycler.__init__.__globals__ }}{{ message }}",
        "{" * 3_000,
        "{{ " + "(" * 2_000 + ")" * 2_000 + " }}",
    ],
)
def test_hostile_texts_end_as_problems(text: str) -> None:
    preview = preview_of(tickets(), text, "zero-shot", form="template")
    assert preview.problems
    assert not preview.is_usable


def test_a_long_prompt_is_shown_at_both_ends() -> None:
    examples = tuple(
        Example(str(row), {"article": f"{row} start " + "word " * 4_000 + "end"}, reference="x") for row in (1, 2)
    )
    prompt = preview_of(Task("long", Kind.SUMMARIZATION, "long", examples), "Summarise.", "zero-shot").prompts[0]
    assert prompt.is_cut
    assert len(prompt.text) < MAX_SHOWN + 10
    assert prompt.text.startswith("Summarise.")
    assert prompt.text.endswith("end\nAnswer:")


def test_similar_wordings_are_shown_with_their_rouge_2() -> None:
    others = ["Which team should answer this?", "which  team should answer?", "Name a colour.", "Name a colour."]
    similar = preview_of(tickets(), "Which team should answer?", "zero-shot", others=others).similar
    assert [(each.text, each.is_same) for each in similar] == [(others[1], True), (others[0], False)]
    # Three shared pairs of words: 2 * 3 / (3 + 4) and 2 * 3 / (3 + 3).
    assert [each.rouge2 for each in similar] == [pytest.approx(1), pytest.approx(6 / 7)]


def test_options_are_scored_as_their_texts_where_the_text_gives_no_labels() -> None:
    text = "{{ message }} Is this billing, bug or praise? It is"
    preview = preview_of(tickets(), text, "zero-shot", form="template")
    assert preview.prompts[0].options == CHOICES
    assert preview.prompts[0].text == "I was charged twice. Is this billing, bug or praise? It is"
