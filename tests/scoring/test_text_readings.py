"""The ways in which a user may have an option read from a text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.errors import UsageError
from phraseproof.scoring.text_readings import text_reading

LETTERS = ("A", "B", "C")
CHOICES = ("granite", "a pear", "the moon")
NAMES = ("auto", "last_line", "option_text", "conclusion", r"regex:\b([A-C])\b")
REASONED = "Granite is a rock.\nAnswer: A seems wrong, and a pear is a fruit.\nAnswer: B"


def read(name: str, text: str, *, is_cut: bool = False) -> int | None:
    return text_reading(name).read(text, LETTERS, CHOICES, is_cut=is_cut)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # In the order of NAMES: auto, last_line, option_text, conclusion, the last lone letter.
        ("B", (1, 1, None, 1, 1)),
        ("a pear", (1, 1, 1, 1, None)),
        ("It is a pear, I think", (1, 1, 1, 1, None)),
        ("C) the moon\nIt is far away.", (2, None, 2, None, 2)),
        ("Granite or a pear?\nthe moon", (2, 2, None, 2, None)),
        ("A pear is a fruit.\nThe answer is C.\nI hope that this helps.", (2, None, 1, 2, 2)),
        (REASONED, (1, 1, None, 1, 1)),
        ("<think>A?</think>\nB", (1, 1, None, 1, 1)),
        ("<think>The answer is A", (None, None, None, None, None)),
        ('{"answer": "C"}', (2, 2, None, 2, 2)),
        ("A: granite, B: a pear, C: the moon", (None, None, None, None, 2)),
        ("A. granite\nB. a pear\nC. the moon", (None, None, None, None, 2)),
        ("Well:\nA. granite\nB. a pear\n", (None, None, None, None, 1)),
        ("I cannot say.", (None, None, None, None, None)),
        ("", (None, None, None, None, None)),
    ],
)
def test_each_reading_has_its_own_rules(text: str, found: tuple[int | None, ...]) -> None:
    assert tuple(read(name, text) for name in NAMES) == found


def test_the_last_line_of_a_text_that_was_cut_is_no_conclusion() -> None:
    assert read("conclusion", "First, granite is a rock.\nIt could be a pear") == 1
    assert read("conclusion", "First, granite is a rock.\nIt could be a pear", is_cut=True) is None
    assert read("conclusion", "Answer: B\n\nNext question:", is_cut=True) == 1
    assert read("last_line", "First, granite is a rock.\nIt could be a pear", is_cut=True) == 1


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"Result: (.*)", "Result: A\nResult: b.\n", 1),  # the last match
        (r"Result: (.*)", "Result: the moon", 2),
        (r"(?s)\A.*?\b([A-C])\b", "B, and not C", 1),  # the first letter
        (r"[A-C](?=!)", "A? C!", 2),  # no group: the whole match
        (r"(?:first|last) (?P<answer>\w+) (of|from) all", "the last C of all", 2),
        (r"x(A)?", "A x", None),  # a group that took no part
        (r"Result: (.*)", "Result: A or B", None),
        (r"\d", "A", None),
    ],
)
def test_a_pattern_finds_the_answer(pattern: str, text: str, found: int | None) -> None:
    reading = text_reading(f"regex:{pattern}")
    assert reading.read(text, LETTERS, CHOICES) == found
    assert reading.name == f"regex:{pattern}"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("last", r"unknown way to read an option from a text: 'last'.*Did you mean 'last_line'"),
        ("auto:x", "unknown way to read"),
        ("regex", "needs a pattern"),
        ("regex:(", "no regular expression: missing \\)"),
        ("regex:(a)(b)", r"has 2 groups.*\(\?P<answer>"),
    ],
)
def test_what_cannot_read_is_one_line(name: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        text_reading(name)
    assert str(caught.value).startswith("--extract")


@given(st.sampled_from(NAMES), st.text(max_size=120), st.booleans())
def test_any_text_is_read_or_not_and_never_fails(name: str, text: str, is_cut: bool) -> None:
    found = read(name, text, is_cut=is_cut)
    assert found is None or 0 <= found < 3
    assert found is None or re.search("|".join((*LETTERS, *CHOICES)), text, re.IGNORECASE)
