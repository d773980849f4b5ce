"""Causes of spread as rows of the result table."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.causes.components import CAUSES
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.analysis.causes.spread import SpreadCauses
from phraseproof.analysis.result_rows import Place, RowSource, finding_row
from phraseproof.analysis.results import WORDING, ResultRow
from phraseproof.core import Finding

_PERCENT = ("%", 100.0)
_POINTS = ("points", 100.0)
_OF_FREED = "prior estimated on other examples; p of no skill, after Holm's correction"


def cause_rows(found: SpreadCauses, source: RowSource, *, by_wording: bool = True) -> Iterator[ResultRow]:
    """The spread of a task, the shares of its causes, and of each wording what moves its accuracy.

    Shares are there where the wordings differ by more than chance. The rows are over the wordings of all groups, except
    controls.
    """
    task = Place(Level.TASK, found.category, found.task)
    test = "F test of repeated measures, Greenhouse and Geisser's correction"
    spread = Finding("spread", found.std, len(found.wordings), test, p_value=found.p_value)
    yield finding_row(source, task, "spread", spread, _PERCENT)
    yield finding_row(source, task, "spread beyond chance", found.std_beyond, _PERCENT)
    if found.is_beyond_chance:
        for name, share in found.shares.items():
            yield finding_row(source, task, f"{name} share", share, _PERCENT)
        for name, share in found.other_wordings.items():
            yield finding_row(source, task, f"{name} share, other wordings", share, _PERCENT)
    skilled = Finding("wordings with skill", found.skilled, len(found.wordings), "p < 0.05 after Holm's correction")
    yield finding_row(source, task, skilled.name, skilled, ("", 1.0))
    if by_wording:
        yield from _of_wordings(found, source)


def cause_notes(found: SpreadCauses) -> tuple[str, ...]:
    """The sentence of a task, with its name."""
    return (f"{found.task}: {cause_sentence(found)}",)


def _of_wordings(found: SpreadCauses, source: RowSource) -> Iterator[ResultRow]:
    for row, (group, wording) in enumerate(zip(found.groups, found.wordings, strict=True)):
        place = Place(WORDING, found.category, found.task, group, wording)
        n = found.examples
        yield finding_row(source, place, "accuracy", Finding("", float(found.accuracy[row]), n, "mean"), _PERCENT)
        without = Finding("", float(found.without_prior[row]), n, _OF_FREED, p_value=float(found.skill_p[row]))
        yield finding_row(source, place, "accuracy without prior", without, _PERCENT)
        for cause, effects in zip(CAUSES, np.asarray(found.effects), strict=True):
            effect = Finding("", float(effects[row]), n, "effect on accuracy, against the mean of the wordings")
            yield finding_row(source, place, f"{cause} effect", effect, _POINTS)
