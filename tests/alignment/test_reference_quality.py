"""Reference wordings are compared with the labels that pairs say they have, and with nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from phraseproof.alignment.pairs import ParaphraseSet
from phraseproof.alignment.pairs.paraphrase_set import TeacherRecord
from phraseproof.alignment.reference_quality import ask_references, judge_references
from phraseproof.alignment.teacher_quality import TeacherQuality
from phraseproof.core import OptionScores, Prompt

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


@pytest.mark.parametrize("copies", [1, 5])
def test_pairs_of_one_example_are_one_question(copies: int) -> None:
    given = pairs(["cat", "dog"]) * copies
    (found,) = judge_references(given, answered(given, ["cat", "dog"] * copies))
    # Two of two at chance 1/4 have probability 1/16, however many wordings asked for them.
    assert (found.judged, found.accuracy) == (2 * copies, 1.0)
    assert "not shown to be better than chance" in found.warnings[0]


class Answerer:
    """Finds one option most probable, by how the prompt ends."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.answers, self.asked = answers, 0

    def score_options(self, prompts: Sequence[Prompt], **_: object) -> list[OptionScores]:
        self.asked += len(prompts)
        return [
            OptionScores(tuple(float(option.strip() == self._answer(prompt.text)) for option in prompt.options), 0, 0)
            for prompt in prompts
        ]

    def _answer(self, text: str) -> str:
        (found,) = (answer for key, answer in self.answers.items() if text.rstrip().endswith(key))
        return found


def ask(given: Sequence[ParaphraseSet], model: Answerer) -> tuple[TeacherQuality, ...]:
    return ask_references(given, lambda: cast("Any", model), prompt_format="plain")


def test_labelled_pairs_are_asked_about() -> None:
    labels = [*ANIMALS] * 5
    given = pairs(labels)
    answers = {pair.input: ANIMALS[(ANIMALS.index(pair.target) + (n >= 12)) % 4] for n, pair in enumerate(given)}
    model = Answerer(answers)
    taught = dataclasses.replace(given[0], teacher=TeacherRecord("ensemble"))
    bare = dataclasses.replace(given[1], target="", labelled=False)
    (found,) = ask([*given, taught, bare], model)
    assert (model.asked, found.judged, found.accuracy, found.warnings) == (20, 20, 0.6, ())
    assert ask(given[:9], model) == ()
    assert model.asked == 20, "fewer than ten are not asked about"
    (poor,) = ask(given[8:], model)
    # 4 of 12 at chance 1/4: P(X >= 4) = 0.351.
    assert "right on 33.3% of 12 labelled pairs, chance 25.0%. Learning from it may teach noise" in poor.warnings[0]
    assert "otherwise lower --lambda" in poor.warnings[0]


def test_each_reference_of_a_task_is_judged_by_itself_and_rare_ones_together() -> None:
    given = pairs([*ANIMALS] * 8)
    other = [dataclasses.replace(pair, instruction="Which letter?") for pair in given[:10]]
    few = [dataclasses.replace(pair, instruction=f"Now {n}.", task=f"t{n % 2}") for n, pair in enumerate(given[:6])]
    model = Answerer({pair.input: pair.target for pair in given})
    found = ask([*given, *other, *few], model)
    assert [(each.task, each.judged) for each in found] == [
        ("sounds, 'Name it.'", 32),
        ("sounds, 'Which letter?'", 10),
        ("2 tasks", 6),
    ]


def test_at_most_a_hundred_pairs_of_a_wording_are_asked_about() -> None:
    given = pairs([*ANIMALS] * 60)
    model = Answerer({f"sound {number}": "cat" for number in range(240)})
    (found,) = ask(given, model)
    # Every third pair: the label is one of four in turn.
    assert (model.asked, found.judged, found.accuracy) == (80, 80, 0.25)
    assert found.warnings[1].startswith("sounds: the reference wording answers 'cat' to 100% of 80 pairs")


def test_a_text_is_compared_with_that_of_the_next_pair_with_another_one() -> None:
    texts = ["It rains.", "It rains.", "Snow.", "Wind and sun."] * 3
    given = [dataclasses.replace(pair, options=()) for pair in pairs(texts)]
    model = Answerer({pair.input: "Snow." for pair in given})
    (found,) = ask(given, model)
    # Between "It rains." and "Snow." it prefers "Snow."; between "Wind and sun." and "It rains." neither, so the first.
    assert (found.judged, found.accuracy, found.chance) == (12, 0.5, 0.5)
    assert found.sentence() == (
        "sounds: the reference wording prefers the target to that of another pair in 50.0% of 12 labelled pairs, "
        "chance 50.0%"
    )
    assert found.warnings[0].startswith("sounds: the reference wording is not shown to be better than chance: prefers")
    assert ask([dataclasses.replace(pair, target="Snow.") for pair in given], model) == (), "all texts are equal"
