"""Whether reference wordings are worth learning from: how often they are right on the pairs that have a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from textwrap import shorten
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet
from phraseproof.alignment.reference_answers import most_probable_options
from phraseproof.alignment.teacher_quality import REFERENCE, RIGHT, GradedAnswer, TeacherQuality, judge_answers
from phraseproof.core.classes import shared_options

if TYPE_CHECKING:
    from phraseproof.models.huggingface.trainable import ModelToTrain

MOST_ASKED = 100
"""The most labelled pairs of one reference wording that the model is asked about."""

FEWEST = 10
"""The fewest pairs that are judged by themselves: of one reference wording, or else of one task."""

ADVICE = (
    "Learning from it may teach noise. Train on labels with the method lora+paft+choice, which has no reference, or "
    "let the calibrated ensemble answer in place of labels (pairs from-task --teacher ensemble; @ensemble in a search)"
)
ADVICE_FOR_KL = f"{ADVICE}; otherwise lower --lambda"

_PREFERS = "prefers the target to that of another pair in"
_SHOWN = 40
"""The most characters of an answer or a wording that are shown."""


class _Group(NamedTuple):
    """Pairs that are judged together: what messages call them, and their places."""

    name: str
    places: list[int]


def judge_references(given: Sequence[ParaphraseSet], answered: Sequence[ParaphraseSet]) -> tuple[TeacherQuality, ...]:
    """How good the answers of reference wordings are, on the pairs whose target they are.

    Labels are those of pairs that say they are labelled, and that have options. Wordings and tasks with few pairs are
    judged together (`FEWEST`).

    Args:
        given: the pairs as they were given.
        answered: the same with the references' answers (`reference_answers.with_reference_answers`).
    """
    both = [(one, other) for one, other in zip(given, answered, strict=True) if one.teacher is not other.teacher]
    return tuple(
        _judged(name, [both[place][0] for place in places], [both[place][1].target for place in places], ADVICE)
        for name, places in _groups([one for one, _ in both])
    )


def ask_references(
    pairs: Sequence[ParaphraseSet], model: Callable[[], ModelToTrain], *, prompt_format: str
) -> tuple[TeacherQuality, ...]:
    """Ask a model about labelled pairs under their reference wordings, and compare its answers with the labels.

    At most `MOST_ASKED` pairs of a wording are asked about, and none if there are fewer than `FEWEST` in all. A pair
    without options has two: its target, and that of another pair, so that chance is 50%.

    Args:
        pairs: any pairs; those without a label, and those with a teacher's answer, are left out.
        model: gives the model before training; called if anything is asked.
        prompt_format: the format of prompts.
    """
    labelled = [pair for pair in pairs if pair.labelled and pair.teacher is None]
    kinds = {
        RIGHT: [pair for pair in labelled if pair.target in pair.options],
        _PREFERS: _with_two_options([pair for pair in labelled if not pair.options]),
    }
    groups = [
        (name, [own[place] for place in _spread(places)], right)
        for right, own in kinds.items()
        for name, places in _groups(own)
    ]
    asked = [pair for _, own, _ in groups for pair in own]
    if len(asked) < FEWEST:
        return ()
    answers = iter(most_probable_options(asked, model(), prompt_format))
    return tuple(_judged(name, own, [next(answers) for _ in own], ADVICE_FOR_KL, right) for name, own, right in groups)


def _judged(
    name: str, pairs: Sequence[ParaphraseSet], answers: Sequence[str], advice: str, right: str = RIGHT
) -> TeacherQuality:
    both = list(zip(pairs, answers, strict=True))
    graded = [
        GradedAnswer(
            (pair.example, pair.input or pair.instruction), float(pair.target == answer), 1 / len(pair.options)
        )
        for pair, answer in both
        if pair.labelled and pair.target in pair.options
    ]
    is_shared = shared_options(pair.options for pair in pairs) is not None
    classes = [_class(pair, answer, is_shared=is_shared) for pair, answer in both] if right == RIGHT else []
    return judge_answers(name, classes, graded, teacher=REFERENCE, right=right, advice=advice)


def _groups(pairs: Sequence[ParaphraseSet]) -> list[_Group]:
    """Pairs by reference wording; those of wordings with few pairs by task, and those of tasks with few together."""
    found: list[_Group] = []
    rest = list(range(len(pairs)))
    of_tasks = Counter(pair.task for pair in pairs)
    for key in (_of_wording, _of_task):
        by_key: dict[tuple[str, ...], list[int]] = {}
        for place in rest:
            by_key.setdefault(key(pairs[place]), []).append(place)
        large = {of: places for of, places in by_key.items() if len(places) >= FEWEST}
        rest = [place for place in rest if key(pairs[place]) not in large]
        for (task, *wording), places in large.items():
            is_part = len(places) < of_tasks[task]
            named = [task, *(repr(_shown(text)) for text in wording if is_part)]
            found.append(_Group(", ".join(part for part in named if part), places))
    if rest:
        tasks = list(dict.fromkeys(pairs[place].task for place in rest))
        found.append(_Group(tasks[0] if len(tasks) == 1 else f"{len(tasks)} tasks", rest))
    return found


def _of_wording(pair: ParaphraseSet) -> tuple[str, ...]:
    return pair.task, pair.instruction


def _of_task(pair: ParaphraseSet) -> tuple[str, ...]:
    return (pair.task,)


def _with_two_options(pairs: Sequence[ParaphraseSet]) -> list[ParaphraseSet]:
    """With the target and that of the next pair with another one, as options; none if all targets are equal."""
    found: list[ParaphraseSet] = []
    for place, pair in enumerate(pairs):
        others = (pairs[(place + step) % len(pairs)].target for step in range(1, len(pairs)))
        other = next((target for target in others if target != pair.target), None)
        if other is None:
            return []
        found.append(replace(pair, options=(pair.target, other)))
    return found


def _class(pair: ParaphraseSet, answer: str, *, is_shared: bool) -> str:
    """The answer; its place among the options where every example has options of its own."""
    return f"option {pair.options.index(answer) + 1}" if pair.options and not is_shared else _shown(answer)


def _spread(places: list[int]) -> list[int]:
    """At most `MOST_ASKED` of the places, evenly spread."""
    return places[:: -(-len(places) // MOST_ASKED)]


def _shown(text: str) -> str:
    return shorten(text, _SHOWN, placeholder="...")
