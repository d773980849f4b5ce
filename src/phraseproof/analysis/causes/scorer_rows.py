"""Scorers that were compared as rows of the result table."""

from __future__ import annotations

from collections.abc import Iterator

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.causes.run_scorers import RunScorers
from phraseproof.analysis.causes.scorer_sentence import scorer_sentence
from phraseproof.analysis.causes.scorers import ScorerSpread
from phraseproof.analysis.result_rows import Place, RowSource, finding_row
from phraseproof.analysis.results import ResultRow
from phraseproof.core import Finding

_PERCENT = ("%", 100.0)
_TEST = "F test of repeated measures, Greenhouse and Geisser's correction"


def scorer_rows(found: ScorerSpread, run: str) -> Iterator[ResultRow]:
    """The spread under every scorer, its shares, and correlations between scorers.

    A row about several scorers has all their names as its scoring. Shares are there where the wordings differ under
    some scorer by more than chance.

    Args:
        found: of one task.
        run: the folder.
    """
    place = Place(Level.TASK, found.category, found.task)
    of_all = RowSource(run, found.num_fewshot, ",".join(found.scorers), found.metric)
    for scorer, std, p_value in zip(found.scorers, found.stds, found.p_values, strict=True):
        spread = Finding("", std, len(found.wordings), _TEST, p_value=p_value)
        yield finding_row(of_all._replace(scoring=scorer), place, "spread, compared", spread, of_all.unit("std"))
    if not found.is_beyond_chance:
        return
    yield finding_row(of_all, place, "common share", found.common, _PERCENT)
    for scorer, share in zip(found.scorers, found.alone, strict=True):
        yield finding_row(of_all._replace(scoring=scorer), place, "share alone", share, _PERCENT)
    yield finding_row(of_all, place, "noise share, compared", found.noise, _PERCENT)
    for pair, correlation in found.correlations.items():
        source = of_all._replace(scoring=",".join(pair))
        yield finding_row(source, place, "correlation of wordings", correlation, ("", 1.0))


def scorer_notes(found: RunScorers) -> Iterator[str]:
    """The sentence of every task, with its name, then why others have none."""
    for task in found.tasks:
        yield f"{task.task}: {scorer_sentence(task)}"
    yield from found.notes
