from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import Instruction, Prompt
from phraseproof.instructions.collections import Collection
from phraseproof.instructions.layout_formats import BETWEEN_OPTIONS, CASES, LINES, SEPARATORS, LayoutFormat, restyle
from phraseproof.instructions.perturb import formatted
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction
from phraseproof.instructions.validation_example import validation_example

LETTERED = Instruction(
    "lettered",
    "mine",
    ask="Choose well.",
    layout='Question: {{ question }}\nOptions:\n{{ choices | enumerate("({letter}) {choice}") }}\nAnswer:',
)


def prompt_of(wording: Instruction) -> Prompt:
    compiled = compile_instruction(wording)
    return build_prompt(compiled, validation_example(compiled), demonstrations=(), prompt_format="plain")


def only(*wordings: Instruction) -> Collection:
    return Collection("mine", wordings)


def test_a_format_by_hand() -> None:
    style = LayoutFormat("upper", " - ", "\n\n", "{lower}) {choice}", "; ")
    variant = restyle(LETTERED, style)
    assert prompt_of(variant).text == (
        "Choose well.\n\nQUESTION - Which planet is known as the red planet?\n\nOptions:\n\n"
        "a) Venus; b) Mars; c) Jupiter; d) Saturn\n\nANSWER -"
    ).replace("Options:\n\n", "OPTIONS - ")
    assert prompt_of(variant).options == ("a", "b", "c", "d")
    assert restyle(LETTERED, LayoutFormat()) == LETTERED


def letters_only(text: str) -> str:
    """A prompt's words in order, without labels of options (and other single letters)."""
    return " ".join(re.findall(r"[^\W\d_]{2,}", text.lower()))


@given(
    st.builds(
        LayoutFormat,
        st.sampled_from(CASES),
        st.sampled_from(SEPARATORS),
        st.sampled_from(LINES),
        st.none(),
        st.sampled_from(BETWEEN_OPTIONS),
    )
)
def test_answers_change_only_with_the_labels(style: LayoutFormat) -> None:
    assert restyle(LETTERED, style).answer == LETTERED.answer


@pytest.mark.parametrize(
    "wording",
    [
        replace(LETTERED, ask="Write its letter."),
        replace(LETTERED, ask="Choose A, B or C."),
        replace(LETTERED, answer="({{ letter }})"),
    ],
)
def test_labels_that_the_words_speak_of_are_kept(wording: Instruction) -> None:
    found = formatted(only(wording), 40, seed=3).instructions
    assert len(found) == 40
    assert {each.answer for each in found} == {wording.answer}
    assert all(compile_instruction(each).labels == {"letter"} for each in found)


def test_labels_change_where_nothing_speaks_of_them() -> None:
    answers = {each.answer for each in formatted(only(LETTERED), 60, seed=3).instructions}
    assert answers == {"{{ letter }}", "{{ letter | lower }}", "{{ index + 1 }}"}


def test_code_that_is_no_plain_enumeration_stays() -> None:
    odd = replace(LETTERED, layout='{{ choices[:2] | enumerate("{letter} {choice}") }}{{ choices | enumerate(form) }}')
    assert restyle(odd, LayoutFormat(None, None, None, "{number} {choice}", "; ")).layout == odd.layout


@pytest.mark.parametrize("extra", ['separator=" or "', 'separator=", ", last=" and "'])
def test_words_between_options_stay(extra: str) -> None:
    worded = replace(
        LETTERED, layout=f'{{{{ question }}}} {{{{ choices | enumerate("({{letter}}) {{choice}}", {extra}) }}}}'
    )
    for variant in formatted(only(worded), 30).instructions:
        assert letters_only(prompt_of(variant).text) == letters_only(prompt_of(worded).text)
