"""Which way to answer is recommended on a task, and one sentence that says why. The answer may be to do nothing."""

from __future__ import annotations

from typing import NamedTuple

from phraseproof.analysis.reductions.judging import JudgedTask, JudgedWay

TOLERANCE = 0.02
"""A loss of accuracy, or a spread, that does not matter where the spread is what a user wants to reduce."""


class Recommendation(NamedTuple):
    """What is recommended on one task.

    Attributes:
        way: the name of the way; `None` for nothing.
        sentence: why.
        remarks: further sentences: a cheaper way, a constant answer that scores more.
    """

    way: str | None
    sentence: str
    remarks: tuple[str, ...] = ()


def recommend(task: JudgedTask) -> Recommendation:
    """The way with the largest gain that is shown, then one that reduces the spread at no loss, then nothing.

    A gain is shown where its interval, which holds for all ways at once, is above 0. A way that is not shown to score
    more than the best constant answer is not recommended for its gain: it may only give that answer more often.
    """
    base, *others = task.ways
    gaining = [way for way in others if way.gain.low > 0]
    shown = [way for way in gaining if way.above_constant.low > 0]
    if shown:
        best = max(shown, key=lambda way: (way.gain.low, -way.calls))
        return Recommendation(best.way.name, _gain(best, base), _cheaper(best, shown))
    if gaining:
        best = max(gaining, key=lambda way: (way.accuracy, -way.calls))
        return Recommendation(None, _no_skill(best, task))
    remarks = (_constant(task),) if task.majority > max(way.accuracy for way in task.ways) else ()
    steady = [way for way in others if way.gain.low > -TOLERANCE and way.spread < base.spread / 2]
    if base.spread < TOLERANCE:  # nothing that matters can be reduced
        steady = []
    if steady:
        best = min(steady, key=lambda way: (way.spread, way.calls))
        sentence = (
            f"{_named(best)} reduces the spread from {_points(base.spread)} to {_points(best.spread)} points; "
            f"a gain of accuracy is not shown ({best.gain.in_points})."
        )
        return Recommendation(best.way.name, sentence, remarks)
    largest = max(others, key=lambda way: way.gain.estimate)
    sentence = (
        "Do nothing: no way is shown to gain accuracy. "
        f"The largest gain is that of {_mentioned(largest)}: {largest.gain.in_points}."
    )
    return Recommendation(None, sentence, remarks)


def _gain(best: JudgedWay, base: JudgedWay) -> str:
    calls = "" if best.calls == 1 else f", {best.calls} calls per answer"
    elsewhere = (
        "also with other wordings of the same kind"
        if best.gain_elsewhere.low > 0
        else "with these wordings; with others it is not shown"
    )
    return (
        f"{_named(best)}: from {100 * base.accuracy:.1f} to {100 * best.accuracy:.1f}%, a gain of "
        f"{_points(best.gain.estimate)} points (at least {_points(best.gain.low)}){calls}, {elsewhere}."
    )


def _cheaper(best: JudgedWay, shown: list[JudgedWay]) -> tuple[str, ...]:
    cheaper = [way for way in shown if way.calls < best.calls]
    if not cheaper:
        return ()
    found = max(cheaper, key=lambda way: (-way.calls, way.gain.low))
    calls = "1 call" if found.calls == 1 else f"{found.calls} calls"
    return (f"With {calls} per answer: {_mentioned(found)}, {found.gain.in_points}.",)


def _no_skill(best: JudgedWay, task: JudgedTask) -> str:
    return (
        f"Do nothing: {_mentioned(best)} gets {100 * best.accuracy:.1f}%, but {task.examples} examples do not show "
        f"that this is more than the {100 * task.majority:.1f}% of {constant_name(task)}."
    )


def _constant(task: JudgedTask) -> str:
    return f"No way gets more than {constant_name(task)}: {100 * task.majority:.1f}%."


def constant_name(task: JudgedTask) -> str:
    """The best constant answer, as a phrase."""
    return f"always answering {task.majority_class!r}" if task.majority_class else "the best constant answers"


def _named(way: JudgedWay) -> str:
    return f"{way.way.name[0].upper()}{way.way.name[1:]}"


def _mentioned(way: JudgedWay) -> str:
    return f"“{way.way.name}”"


def _points(share: float) -> str:
    return f"{100 * share:.1f}"
