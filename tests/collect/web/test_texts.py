"""Sentences that the code chooses: every problem, status and refusal has one."""

from __future__ import annotations

import pytest

from phraseproof.collect.preview import PreviewProblem, preview_of
from phraseproof.collect.records import STATUSES
from phraseproof.collect.web import texts
from phraseproof.core import Kind
from support.collect_tasks import tickets


def same(text: str) -> str:
    return text


def test_every_kind_and_status_has_a_text() -> None:
    assert len({texts.kind_hint(kind, same) for kind in Kind}) == len(Kind)
    assert [texts.status_name(status, same) for status in STATUSES] == list(STATUSES)
    assert texts.table_hint("zero-shot", same) != texts.table_hint("few-shot", same)
    assert texts.action_name("imported", same) == "imported"
    assert texts.table_name("few-shot", same) == "Few-shot"


def test_percent_signs_in_a_text_are_kept() -> None:
    problem = PreviewProblem("error", "template", "expected token 'end of print statement', got '%'")
    assert "got '%'." in texts.problem_text(problem, same)
    assert texts.problem_text(PreviewProblem("warning", "a-new-kind", "100 %"), same) == "100 %"


@pytest.mark.parametrize(
    ("text", "others", "sentence"),
    [
        ("{{ nothing }}", [], "No field is called “nothing”."),
        ("Which team?", [], "It can be used."),
        ("Which team?", ["which team?"], "It can be used, but the same text exists already."),
        ("Which team should answer?", ["Which team should answer this?"], "It can be used. Similar texts exist."),
    ],
)
def test_a_preview_in_one_sentence(text: str, others: list[str], sentence: str) -> None:
    assert texts.preview_summary(preview_of(tickets(), text, "zero-shot", others=others), same) == sentence


def test_a_warning_is_part_of_the_sentence() -> None:
    preview = preview_of(tickets(), "{{ message }} Which team?", "zero-shot", form="template")
    assert texts.preview_summary(preview, same).startswith("It can be used. Please look at this: The model would not")


def test_refusals_have_a_heading_and_a_sentence() -> None:
    assert texts.refusal("rate", same)[0] == "Too many requests"
    assert texts.refusal("something new", same) == texts.refusal("conflict", same)
