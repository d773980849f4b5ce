"""What option a text names."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.scoring.extraction import read_option

LETTERS = ("A", "B", "C", "D")
CHOICES = ("granite", "a pear", "a hammer", "the moon")


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("B", 1),
        (" b.", 1),
        ("**B**", 1),
        ("(B)", 1),
        ("B) a pear", 1),
        ("B. a pear is a fruit, unlike granite", 1),
        ("a pear", 1),
        ("A pear.", 1),
        ("The answer is B.", 1),
        ("The answer is A pear", 1),
        ("Answer: (C)", 2),
        ("The correct answer is: **D**", 3),
        ("I first thought that the answer is A. The answer is B", 1),
        ("Granite is a rock.\nA hammer is a tool.\nSo the final answer is \\boxed{B}", 1),
        ("Granite, a hammer and the moon are no fruits.\nB", 1),
        ("It must be a pear, of course!", 1),
        ("<think>A? C? The answer is A.</think>\n\nB", 1),
        ('{"answer": "B"}', 1),
        ('```json\n{"answer": "the moon"}\n```', 3),
        # Nothing that is certain.
        ("", None),
        ("I do not know.", None),
        ("A or B", None),
        ("A) or B)?", None),
        ("Between C and D", None),
        ("The answer is not A", None),
        ("It is not a pear", None),
        ("Granite or a pear", None),
        ("A good question that I cannot answer", None),
        ("<think>The answer is B. But wait", None),
        ("a", 0),
        ("E", None),
    ],
)
def test_texts_as_models_write_them(text: str, index: int | None) -> None:
    assert read_option(text, LETTERS, CHOICES) == index


def test_a_choice_inside_a_longer_one_and_one_that_denies() -> None:
    assert read_option("I would take the apple pear, please", ("pear", "apple pear")) == 1
    assert read_option("The premise does it: not entailment, I think", ("entailment", "not entailment")) == 1
    assert read_option("Yes, it is", ("Yes", "No")) == 0
    assert read_option("No", ("Yes", "No")) == 1
    assert read_option("Noah knows", ("Yes", "No")) is None


def test_equal_choices_are_not_told_apart() -> None:
    assert read_option("ice", LETTERS[:2], ("ice", "ice")) is None


FORMS = (
    "{}",
    " {}\n",
    "{}.",
    "**{}**",
    "({})",
    "{})",
    "Answer: {}",
    "The answer is {}.",
    "Let me see.\nThe best choice is {}",
    "Reasons first.\n\n{}",
    "<think>A, B, C or D? The answer is C.</think>{}",
)


@given(st.integers(0, 3), st.sampled_from(FORMS))
def test_every_letter_is_read_from_every_form(index: int, form: str) -> None:
    assert read_option(form.format(LETTERS[index]), LETTERS, CHOICES) == index


@given(st.integers(0, 3), st.sampled_from(FORMS))
def test_the_letters_order_and_names_play_no_part(index: int, form: str) -> None:
    assert read_option(form.format(LETTERS[index]), LETTERS[::-1], CHOICES[::-1]) == 3 - index


words = st.text(st.characters(categories=("L", "N")), min_size=2, max_size=8)


@given(st.lists(words, min_size=2, max_size=5, unique_by=str.casefold), st.data())
def test_a_choice_alone_and_in_json_is_read_whatever_its_text(choices: list[str], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(choices) - 1))
    assert read_option(choices[index], choices) == index
    assert read_option(json.dumps({"answer": choices[index]}), choices) == index


@given(st.text(max_size=200))
def test_any_text_is_read_or_not_and_never_fails(text: str) -> None:
    found = read_option(text, LETTERS, CHOICES)
    assert found is None or 0 <= found < 4


@given(st.text(st.characters(categories=("Ll", "Zs", "Po")), max_size=80).filter(lambda text: "{" not in text))
def test_a_text_without_any_name_of_an_option_is_unread(text: str) -> None:
    bare = text.casefold()
    if not any(letter.casefold() in bare for letter in "ABCD"):
        assert read_option(text, LETTERS, ("xx1", "xx2", "xx3", "xx4")) is None


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("A: granite, B: a pear, C: a hammer, D: the moon", None),
        ("A) granite\nB) a pear\nC) a ha", None),
        ("A. granite B", None),
        ("granite\na pear\na hammer\nthe moon", None),
        ("The options are: A) granite B) a pear. The answer is A) granite, B) a pear or C) a hammer", None),
        ("The options are:\nA) granite\nB) a pear\nC) a hammer\nD) the moon", None),
        ("My choice:\n\na hammer\nthe moon\n", None),
        # What follows the list is read.
        ("A: granite\nB: a pear\nC: a hammer\nD: the moon\n\nB: a pear", 1),
        ("A) granite\nB) a pear\nThe answer is C.", 2),
        # These are no lists.
        ("A) granite, because B) a pear is a fruit", 0),
        ("B) a pear\n\nThe correct answer is:", 1),
        ("B. a pear\nA. granite", 1),
    ],
)
def test_a_list_of_the_options_chooses_none(text: str, index: int | None) -> None:
    assert read_option(text, LETTERS, CHOICES) == index


def test_lists_of_options_that_are_written_with_marks() -> None:
    options = ("(a)", "(b)", "(c)")
    assert read_option("(a) granite\n(b) a pear\n(c) a hammer", options, CHOICES[:3]) is None
    assert read_option("(b) a pear\n\nThe correct answer is", options, CHOICES[:3]) == 1


def test_a_letter_is_read_in_capitals_where_the_wording_marks_small_ones() -> None:
    options = ("(a)", "(b)", "(c)")
    assert read_option("B) fruit\n\nThe correct answer is B) fruit.", options, CHOICES[:3]) == 1
    assert read_option("I think: C.", options, CHOICES[:3]) == 2
    assert read_option("The answer is a thing that falls", options, CHOICES[:3]) is None
