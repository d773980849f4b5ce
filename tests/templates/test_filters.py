from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import Example, Instruction
from phraseproof.instructions.template import compile_instruction, quoted
from phraseproof.templates.filters import letter_of, roman_of

EXAMPLE = Example("e1", {"question": "Why?", "meta": {"a": 1}, "empty": None}, ("x", "y", "z"), (0.0, 1.0, 0.0))


braces = st.text("{}%#-+ab\n'\"\\ ", max_size=30)


def render(template: str, example: Example = EXAMPLE, **fields: Any) -> str:
    return compile_instruction(wording(template, **fields)).render_template(example)


def wording(template: str, **fields: Any) -> Instruction:
    settings: dict[str, Any] = {"id": "w", "collection": "c", "template": template, "origin": "mine.yaml:7"}
    return Instruction(**settings | fields)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("enumerate", "A. x\nB. y\nC. z"),
        ('enumerate("({letter}) {choice}", separator=" ")', "(A) x (B) y (C) z"),
        ('enumerate(" {lower} ) {choice}", separator=" ,")', " a ) x , b ) y , c ) z"),
        ('enumerate("{number}: {choice}")', "1: x\n2: y\n3: z"),
        ('enumerate("{roman}. {choice}", separator="; ")', "i. x; ii. y; iii. z"),
        ('enumerate("- {choice}")', "- x\n- y\n- z"),
        ("enumerate('\"{choice}\"', separator=', ', last=' or ')", '"x", "y" or "z"'),
        ('enumerate("{letter}={choice}={letter}", separator="")', "A=x=AB=y=BC=z=C"),
        ('enumerate("{{{letter}}} {choice}")', "{A} x\n{B} y\n{C} z"),
    ],
)
def test_options_are_enumerated_in_any_style(call: str, text: str) -> None:
    assert render(f"{{{{ choices | {call} }}}}") == text


@given(st.lists(st.text(string.ascii_lowercase, min_size=1), min_size=1, max_size=80), braces)
def test_enumeration_labels_count_up(choices: list[str], separator: str) -> None:
    example = Example("e", {}, tuple(choices), tuple(0.0 for _ in choices))
    call = f"enumerate('{{letter}}{{number}}.{{choice}}', separator={quoted(separator)})"
    written = render(f"{{{{ choices | {call} }}}}", example)
    spreadsheet = [*string.ascii_uppercase, *(a + b for a in string.ascii_uppercase for b in string.ascii_uppercase)]
    expected = [f"{spreadsheet[i]}{i + 1}.{choice}" for i, choice in enumerate(choices)]
    assert written == separator.join(expected)
    assert render("{{ letters | join }}", example) == "".join(spreadsheet[: len(choices)])


@given(st.integers(0, 20_000))
def test_letters_are_numbers_in_base_26_without_a_zero(index: int) -> None:
    value = 0
    for letter in letter_of(index):
        value = value * 26 + ord(letter) - ord("A") + 1
    assert value == index + 1


@given(st.integers(1, 399))
def test_roman_numerals_read_back(number: int) -> None:
    values = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
    digits = [values[digit] for digit in roman_of(number)]
    total = sum(-a if a < b else a for a, b in zip(digits, [*digits[1:], 0], strict=True))
    assert total == number
    assert not any(roman_of(number).count(digit * 4) for digit in "ixc")
