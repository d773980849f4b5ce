"""Scorers that were compared as rows of the result table."""

from __future__ import annotations

from collections.abc import Iterator

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.causes.artefact import Artefact
from phraseproof.analysis.causes.artefact_sentence import artefact_sentence
from phraseproof.analysis.causes.run_scorers import RunScorers
from phraseproof.analysis.causes.scorer_sentence import scorer_sentence
from phraseproof.analysis.causes.scorers import ScorerSpread
from phraseproof.analysis.result_rows import Place, RowSource, finding_row
from phraseproof.analysis.results import ResultRow
from phraseproof.core import Finding
from phraseproof.scoring.metric import Metric

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


def artefact_results(found: RunScorers, run: str) -> Iterator[ResultRow]:
    """The rows of all tasks that were scored by log-likelihoods and by texts."""
    of = {(task.num_fewshot, task.task): task for task in found.tasks}
    for each in found.artefacts:
        task = of[each.num_fewshot, each.task]
        yield from artefact_rows(each, task.category, task.metric, run)


def artefact_rows(found: Artefact, category: str, metric: Metric, run: str) -> Iterator[ResultRow]:
    """How often log-likelihoods and texts lead to the same choice, and the shares of the variance under the first.

    Args:
        found: of one task.
        category: the task's.
        metric: what scores are in.
        run: the folder.
    """
    place = Place(Level.TASK, category, found.task)
    source = RowSource(run, found.num_fewshot, f"{found.options},{found.text}", metric)
    read = int(found.choices.read.sum())
    same = Finding("", found.choices.share, read, "share of the answers that both could be read")
    yield finding_row(source, place, "same choice", same, _PERCENT)
    unread = Finding("", float(found.choices.unread[1]), int(found.choices.prompts.sum()), "share of the answers")
    yield finding_row(source._replace(scoring=found.text), place, "unread", unread, _PERCENT)
    pairs = [("", found.pair)]
    if found.guessed is not None:
        pairs.append((", guesses for unread answers", found.guessed.pair))
    for suffix, pair in pairs:
        if pair is None:
            continue
        yield finding_row(source, place, f"artefact of scoring{suffix}", pair.unshared, _PERCENT)
        yield finding_row(source, place, f"ratio of variances{suffix}", pair.ratio, ("", 1.0))


def scorer_notes(found: RunScorers) -> Iterator[str]:
    """The sentence of every task, with its name, then why others have none."""
    for task in found.tasks:
        yield f"{task.task}: {scorer_sentence(task)}"
    for each in found.artefacts:
        yield f"{each.task}: {artefact_sentence(each)}"
    yield from found.notes
