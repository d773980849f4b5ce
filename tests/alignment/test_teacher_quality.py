"""Answers of reference wordings are compared with the labels that pairs say they have, and with nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from phraseproof.alignment.pairs import ParaphraseSet
from phraseproof.alignment.pairs.paraphrase_set import TeacherRecord
from phraseproof.alignment.teacher_quality import GradedAnswer, judge_answers, judge_references, report_qualities

ANIMALS = ("cat", "dog", "cow", "hen")


def pairs(targets: Sequence[str], options: Sequence[Sequence[str]] | None = None) -> list[ParaphraseSet]:
    """One pair per target."""
    every = [ANIMALS] * len(targets) if options is None else options
    return [
        ParaphraseSet(
            "Name it.", ("Say it.",), f"sound {number}", target, options=tuple(own), task="sounds", example=str(number)
        )
        for number, (target, own) in enumerate(zip(targets, every, strict=True))
    ]


def answered(given: Sequence[ParaphraseSet], targets: Sequence[str]) -> list[ParaphraseSet]:
    record = TeacherRecord("reference", "m")
    return [
        dataclasses.replace(pair, target=target, labelled=False, teacher=record)
        for pair, target in zip(given, targets, strict=True)
    ]


def test_given_labels_grade_the_reference() -> None:
    labels = [*ANIMALS] * 3
    good = [*labels[:9], "hen", "hen", "cat"]
    given = pairs(labels)
    (found,) = judge_references(given, answered(given, good))
    assert (found.task, found.examples, found.judged, found.accuracy, found.chance) == ("sounds", 12, 12, 0.75, 0.25)
    assert found.warnings == ()
    assert found.sentence() == "sounds: the reference wording is right on 75.0% of 12 labelled pairs, chance 25.0%"
    # 5 of 12 with chance 1/4: P(X >= 5) = 1 - sum C(12, k) .25^k .75^(12-k), k = 0..4 = 0.158.
    poor = [*labels[:5], *(ANIMALS[(ANIMALS.index(label) + 1) % 4] for label in labels[5:])]
    (found,) = judge_references(given, answered(given, poor))
    (warning,) = found.warnings
    assert warning.startswith(
        "sounds: the reference wording is not shown to be better than chance: right on 41.7% of 12 "
    )


def test_only_pairs_that_say_so_are_labelled_and_only_answers_of_the_reference_are_graded() -> None:
    given = pairs([*ANIMALS] * 3)
    placeholders = [dataclasses.replace(pair, labelled=False) for pair in given[:6]]
    taught = [dataclasses.replace(pair, teacher=TeacherRecord("ensemble")) for pair in given[6:8]]
    mixed = [*placeholders, *taught, *given[8:]]
    after = answered(mixed, [*ANIMALS] * 3)
    after[6:8] = taught  # a teacher's answer is kept
    (found,) = judge_references(mixed, after)
    assert (found.examples, found.judged, found.accuracy) == (10, 4, 1.0)
    assert judge_references(taught, taught) == ()


def test_one_answer_to_everything_is_doubted_without_labels() -> None:
    given = [dataclasses.replace(pair, target="", labelled=False) for pair in pairs(["cat"] * 20)]
    (found,) = judge_references(given, answered(given, ["cow"] * 18 + ["hen"] * 2))
    assert (found.accuracy, found.share) == (None, 0.9)
    assert found.warnings[0].startswith("sounds: the reference wording answers 'cow' to 90% of 20 pairs.")
    (found,) = judge_references(given, answered(given, ["cow"] * 17 + ["hen"] * 3))
    assert found.warnings == ()


def test_where_options_differ_an_answer_is_a_place() -> None:
    options = [(f"a{number}", f"b{number}") for number in range(10)]
    given = [dataclasses.replace(pair, labelled=False) for pair in pairs([own[0] for own in options], options)]
    (found,) = judge_references(given, answered(given, [own[1] for own in options]))
    assert (found.commonest, found.share) == ("option 2", 1.0)


def test_texts_are_not_graded_but_compared_with_one_another() -> None:
    given = [dataclasses.replace(pair, options=(), task="") for pair in pairs(["cat"] * 10)]
    (found,) = judge_references(given, answered(given, ["The answer is. " * 9] * 10))
    assert (found.judged, found.accuracy) == (0, None)
    assert "the reference wording answers 'The answer is. The answer is. The..." in found.warnings[0]


def test_reports_are_a_line_and_the_warnings() -> None:
    lines: list[str] = []
    graded = [GradedAnswer(number, 1.0, 0.5) for number in range(2)]
    report_qualities(
        [judge_answers("t", ["a", "a"], graded, single=0.5)], lines.append, lambda w: lines.append("!" + w)
    )
    assert lines[0] == "t: the teacher is right on 100.0% of 2 labelled pairs, single wordings on 50.0%, chance 50.0%"
    assert lines[1].startswith("!t: the teacher is not shown to be better than chance")
    assert lines[2].startswith("!t: the teacher answers 'a' to 100% of 2 pairs")


@pytest.mark.parametrize("copies", [1, 5])
def test_pairs_of_one_example_are_one_question(copies: int) -> None:
    given = pairs(["cat", "dog"]) * copies
    (found,) = judge_references(given, answered(given, ["cat", "dog"] * copies))
    # Two of two at chance 1/4 have probability 1/16, however many wordings asked for them.
    assert (found.judged, found.accuracy) == (2 * copies, 1.0)
    assert "not shown to be better than chance" in found.warnings[0]
