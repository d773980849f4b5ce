"""The one rule for answers: one answer_format for a whole file, and no silent choice between readings that differ."""

from __future__ import annotations

from string import ascii_uppercase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.errors import FileError
from phraseproof.tasks.answers import AnswerFormat, ResolvedAnswers, resolve


def answers(
    values: list[Any],
    options: tuple[str, ...] = ("billing", "bug", "praise"),
    answer_format: AnswerFormat | None = None,
) -> ResolvedAnswers:
    return resolve(
        values,
        [options] * len(values),
        column="team",
        answer_format=answer_format,
        where=lambda row: f"rows.csv:{row + 2}",
    )


@pytest.mark.parametrize(
    ("values", "answer_format", "targets"),
    [
        (["bug", "praise"], AnswerFormat.TEXT, [1, 2]),
        (["B", "c"], AnswerFormat.LETTER, [1, 2]),
        (["0", "2"], AnswerFormat.INDEX, [0, 2]),
        ([0, 2.0], AnswerFormat.INDEX, [0, 2]),
    ],
)
def test_each_way(values: list[Any], answer_format: AnswerFormat, targets: list[int]) -> None:
    assert answers(values) == ResolvedAnswers(answer_format, targets)


def test_readings_that_agree_are_no_conflict() -> None:
    assert answers(["0", "1"], ("0", "1", "2")).targets == [0, 1]
    assert answers(["A", "C"], ("A", "B", "C")).targets == [0, 2]


def test_formats_that_differ_are_an_error_that_says_how_to_decide() -> None:
    with pytest.raises(FileError) as caught:
        answers(["2", "1"], ("1", "2", "3"))
    assert str(caught.value) == (
        "rows.csv:2, team: the answer '2' means '2' read as text, but '3' read as index. "
        "Name the format: answer: {column: team, as: text} or as: index"
    )
    assert answers(["2", "1"], ("1", "2", "3"), AnswerFormat.TEXT).targets == [1, 0]
    assert answers(["2", "1"], ("1", "2", "3"), AnswerFormat.INDEX).targets == [2, 1]


def test_one_answer_that_only_fits_one_way_settles_the_file() -> None:
    assert answers(["1", "2", "3"], ("1", "2", "3")) == ResolvedAnswers(AnswerFormat.TEXT, [0, 1, 2])


def test_ways_are_never_mixed() -> None:
    with pytest.raises(FileError, match=r"rows.csv:3, team: the answer 'B' is not one of the options"):
        answers(["bug", "B", "praise"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["bug", "bugg"], r"rows.csv:3, team: the answer 'bugg' .*one of: billing, bug, praise.*Did you mean 'bug'\?"),
        (["1", "3"], "Indices count from 0"),
        (["0", "-1"], "the answer '-1' is not one of the options"),
        (["A", ""], "the answer '' is not one of the options"),
        (["0", "01"], "the answer '01'"),
        (["A", "D"], "the answer 'D'"),
        ([True], "the answer true is not one of the options .*A truth value is the option true or false"),
    ],
)
def test_answers_outside_the_options(values: list[Any], message: str) -> None:
    with pytest.raises(FileError, match=message):
        answers(values)


def test_a_reading_that_was_settled_is_the_only_one_tried() -> None:
    with pytest.raises(FileError, match="Answers are read as letter"):
        answers(["bug"], answer_format=AnswerFormat.LETTER)


def test_json_booleans_are_texts_as_json_writes_them() -> None:
    assert answers([True, False], ("false", "true")) == ResolvedAnswers(AnswerFormat.TEXT, [1, 0])


def test_an_option_given_twice_cannot_be_told_by_text_but_by_letter() -> None:
    with pytest.raises(FileError, match="is not one of the options"):
        answers(["same"], ("same", "same"))
    assert answers(["B"], ("same", "same")).targets == [1]


@given(data=st.data(), options=st.lists(st.text("abcx01AB ", min_size=1), min_size=2, max_size=6, unique=True))
def test_a_named_format_always_finds_what_was_written(data: st.DataObject, options: list[str]) -> None:
    targets = data.draw(st.lists(st.integers(0, len(options) - 1), min_size=1, max_size=5))
    written = {
        AnswerFormat.TEXT: [options[target] for target in targets],
        AnswerFormat.LETTER: [ascii_uppercase[target] for target in targets],
        AnswerFormat.INDEX: [str(target) for target in targets],
    }
    for answer_format, values in written.items():
        assert answers(values, tuple(options), answer_format) == ResolvedAnswers(answer_format, targets)
        try:
            found = answers(values, tuple(options)).targets
        except FileError as error:
            found = targets if "Name the format" in str(error) else []
        assert found == targets


@pytest.mark.parametrize(
    ("values", "options", "targets"),
    [
        ([False, True], ("no", "yes"), [0, 1]),
        ([False, True], ("yes", "no"), [1, 0]),
        ([True, False], ("False", "True"), [1, 0]),
        (["True", "False"], ("yes", "no"), [0, 1]),
        (["true", "false"], ("False", "True"), [1, 0]),
        (["yes", "no"], ("no", "yes"), [1, 0]),
        ([2, 1], ("1", "2", "5"), [1, 0]),
        ([2.0, 1.0, 5.0], ("1", "2", "5"), [1, 0, 2]),
        (["5.0", "1.0"], ("1", "2", "5"), [2, 0]),
        ([5], ("1.0", "5.00"), [1]),
        ([-1, 0.5], ("-1", "0.50"), [0, 1]),
    ],
)
def test_truth_values_and_numbers_are_found_in_any_plain_spelling(
    values: list[Any], options: tuple[str, ...], targets: list[int]
) -> None:
    assert answers(values, options, AnswerFormat.TEXT).targets == targets


def test_truth_values_are_indices_only_where_the_options_do_not_say_otherwise() -> None:
    assert answers([False, True], ("bad", "good"), AnswerFormat.INDEX).targets == [0, 1]
    assert answers([False, True], ("False", "True"), AnswerFormat.INDEX).targets == [0, 1]
    with pytest.raises(FileError, match="the answer false is not one of the options"):
        answers([False, True], ("yes", "no"), AnswerFormat.INDEX)
    with pytest.raises(FileError, match="as: index makes false the first option"):
        answers([False, True], ("bad", "good"))


def test_an_exact_text_comes_before_a_number_of_the_same_value() -> None:
    assert answers(["1.0", "1"], ("1", "1.0"), AnswerFormat.TEXT).targets == [1, 0]
    with pytest.raises(FileError, match="the answer '01'"):
        answers(["01"], ("1", "2"), AnswerFormat.TEXT)


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        ("cafe\u0301", r"Unicode normal form: 'cafe\\u0301', option 'caf\\xe9'"),
        ("caf\u00e9 ", r"in white space at their ends: 'caf\\xe9 '"),
        ("CAF\u00c9", "in upper and lower case"),
        ("caf\u00e9\u200b", r"look equal or are not seen: 'caf\\xe9\\u200b'"),
        ("green\u00a0tea", r"look equal or are not seen: 'green\\xa0tea', option 'green tea'"),
    ],
)
def test_a_text_that_looks_like_an_option_says_how_it_differs(answer: str, how: str) -> None:
    with pytest.raises(FileError, match=how):
        answers([answer], ("caf\u00e9", "green tea"))


def test_the_datas_own_labels_come_first() -> None:
    rows = [("A", "B", "C"), ("1", "2", "3")]
    options = [("cork", "iron", "lead")] * 2

    def resolved(values: list[Any], answer_format: AnswerFormat | None = None) -> ResolvedAnswers:
        return resolve(
            values, options, column="k", answer_format=answer_format, where=lambda row: f"r:{row}", labels=rows
        )

    assert resolved(["B", "2"]) == ResolvedAnswers(AnswerFormat.LABEL, [1, 1])
    assert resolved(["C", 1]) == ResolvedAnswers(AnswerFormat.LABEL, [2, 0])
    assert resolved(["iron", "lead"]) == ResolvedAnswers(AnswerFormat.TEXT, [1, 2])
    with pytest.raises(FileError, match=r"r:1, k: the answer '4' is not one of the options .expected one of: 1, 2, 3"):
        resolved(["B", "4"], AnswerFormat.LABEL)
    with pytest.raises(FileError, match="the options have no labels"):
        answers(["A"], answer_format=AnswerFormat.LABEL)
