"""The first thing on the page: what the run says, in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.ranking import WordingRanking
from phraseproof.reports.build.answers import baseline, constant_line
from phraseproof.reports.build.numbers import share_in_percent, value_with_unit
from phraseproof.reports.build.run_tables import TaskTable
from phraseproof.reports.build.text import isolated
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.headline import mean_intervals
from phraseproof.reports.html.sentences import (
    TaskValue,
    between_groups,
    by_wording,
    mean_over_tasks,
    of_current,
    scores_of,
    within_a_task,
)
from phraseproof.scoring.accuracy import METRIC as ACCURACY

if TYPE_CHECKING:
    from phraseproof.analysis.statistics import Robustness
    from phraseproof.store.queries import WordingScore


class LargeFigure(NamedTuple):
    """A large number.

    Attributes:
        label: what it is.
        value: with its unit, as a text.
        detail: a remark below it; may be empty.
    """

    label: str
    value: str
    detail: str = ""


class Headline(NamedTuple):
    """Words, numbers and a picture.

    Attributes:
        warning: what a reader must know before any accuracy; may be empty.
        figures: today's wording or the mean, the best, the worst, and chance.
        sentences: the first says most.
    """

    warning: str
    figures: tuple[LargeFigure, ...]
    sentences: tuple[str, ...]
    chart: Chart


def headline(
    table: TaskTable,
    rankings: Sequence[WordingRanking],
    robustness: Robustness | None,
    current: str | None = None,
    controls: Collection[str] = (),
) -> Headline:
    """What a run says, most important first; every number is also in a table below.

    Args:
        table, rankings: of one run at one number of demonstrations.
        robustness: the same with intervals, where there are any.
        current: the wording in use today.
        controls: groups of wordings that are expected to score low; the page shows them elsewhere. (If the first group
            is one, the others are still compared with it.)
    """
    apart = () if table.summary.groups[0] in controls else controls
    fair = [ranking for ranking in rankings if ranking.group not in apart]
    sentences = [
        by_wording(table, fair, robustness),
        *between_groups(table, robustness, apart),
        within_a_task(fair, table.run.metric),
    ]
    if current is not None:
        sentences.append(of_current(fair, current, table.run.metric))
    line = constant_line(table.answers)
    return Headline(
        f"{isolated(line)}." if line else "",
        tuple(_figures(table, fair, current)),
        tuple(filter(None, sentences)),
        mean_intervals(table, robustness),
    )


def _figures(table: TaskTable, rankings: Sequence[WordingRanking], current: str | None) -> list[LargeFigure]:
    metric = table.run.metric
    by_task: dict[tuple[str, str], list[WordingScore]] = {}
    for ranking in rankings:
        of_task = by_task.setdefault((ranking.category, ranking.task), [])
        of_task += [wording.score for wording in ranking.wordings]
    if not by_task:
        return []
    own = scores_of(rankings, current)
    if own:
        first = LargeFigure("current wording", value_with_unit(mean_over_tasks(own), metric), isolated(current or ""))
    else:
        means = [TaskValue(of[0], fmean(score.mean_score for score in scores)) for of, scores in by_task.items()]
        first = LargeFigure("mean over wordings", value_with_unit(mean_over_tasks(means), metric))
    figures = [first]
    for label, choose in (("best wording", max), ("worst wording", min)):
        chosen = {
            of: choose(scores, key=lambda score: metric.benefit(score.mean_score)) for of, scores in by_task.items()
        }
        value = value_with_unit(
            mean_over_tasks(TaskValue(of[0], score.mean_score) for of, score in chosen.items()), metric
        )
        lone = next(iter(chosen.values())).instruction if len(chosen) == 1 else ""
        figures.append(LargeFigure(label, value, isolated(lone) if lone else "of each task, mean over tasks"))
    if table.answers and table.run.metric.name == ACCURACY.name:
        found = baseline(table.answers)
        figures.append(
            LargeFigure(
                "chance",
                f"{share_in_percent(found.chance)}%",
                f"best constant answer {share_in_percent(found.majority)}%",
            )
        )
    return figures
