"""The sections of the HTML report on one run at one number of demonstrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.ranking import WordingRanking
from phraseproof.core import Relation
from phraseproof.errors import NotEnoughDataError
from phraseproof.reports.build.answers import chance_levels
from phraseproof.reports.build.run_tables import (
    RunScores,
    TaskTable,
    difference_name,
    present_groups,
    rows_for_people,
    task_tables,
    title,
    wording_tables,
)
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.distance import distance
from phraseproof.reports.charts.heatmap import heatmap
from phraseproof.reports.charts.strip import strip
from phraseproof.reports.charts.tsne import tsne
from phraseproof.reports.html.answers import TaskMatrices, task_matrices
from phraseproof.reports.html.causes import CausesView, causes_view
from phraseproof.reports.html.disagreements import DisagreementsView, disagreements_view
from phraseproof.reports.html.facets import FacetsView, facets_view
from phraseproof.reports.html.flips import Flip, find_flips
from phraseproof.reports.html.headline import Headline, headline
from phraseproof.reports.html.quality import QualityTable, quality_table
from phraseproof.reports.html.reductions import MOST_VALUES, ReductionsView, reductions_view
from phraseproof.reports.html.statistics import StatisticsTable, statistics_table
from phraseproof.reports.html.texts import TextSpread, text_spreads
from phraseproof.reports.html.wordings import CategoryRanking, category_rankings, rendered_examples

if TYPE_CHECKING:
    from phraseproof.analysis.controls import ControlResult
    from phraseproof.analysis.robustness import Row
    from phraseproof.analysis.statistics import Robustness
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run
    from phraseproof.store.representations import RepresentationMap

_MAPS_SHOWN = 4


@dataclass(frozen=True)
class View:
    """One run at one number of demonstrations, ready to be shown.

    Attributes:
        id: of its section; run: its place among the runs.
        remark: what to know before reading any number; may be empty.
        out_of_date: what to know of the charts of representations; may be empty.
        left_out: which sections are missing, and why.
    """

    id: str
    run: int
    name: str
    table: TaskTable
    remark: str
    rows: Sequence[Row]
    difference_names: Mapping[str, str]
    headline: Headline
    strip: Chart
    heatmaps: Sequence[Chart]
    category_rankings: Sequence[CategoryRanking]
    has_prompts: bool
    texts: Mapping[tuple[str, str], str]
    flips: Sequence[Flip] = ()
    disagreements: DisagreementsView | None = None
    spreads: Sequence[TextSpread] = ()
    answers: Sequence[TaskMatrices] = ()
    causes: CausesView | None = None
    reductions: ReductionsView | None = None
    facets: FacetsView | None = None
    statistics: StatisticsTable | None = None
    quality: QualityTable | None = None
    control_results: Sequence[ControlResult] = ()
    representations: Sequence[Chart] = field(default_factory=list[Chart])
    out_of_date: str = ""
    left_out: Sequence[str] = ()

    def charts(self) -> dict[str, Chart]:
        """By the id of the figure that the template gives them."""
        found = {f"{self.id}-headline-chart": self.headline.chart, f"{self.id}-strip-chart": self.strip}
        found |= {f"{self.id}-heat-{n}": chart for n, chart in enumerate(self.heatmaps, 1)}
        if self.causes is not None and self.causes.chart is not None:
            found[f"{self.id}-causes-chart"] = self.causes.chart
        if self.reductions is not None:
            found[f"{self.id}-reductions-chart"] = self.reductions.chart
        return found | {f"{self.id}-representation-{n}": chart for n, chart in enumerate(self.representations, 1)}

    def sections(self) -> list[tuple[str, str]]:
        """Id and name of each section that there is something in."""
        named = [
            ("headline", "In short", True),
            ("strip", "Every wording", True),
            ("heat", "Task by wording", True),
            ("wordings", "Wordings, ranked", True),
            ("causes", "Causes", self.causes is not None),
            ("reductions", "What helps", self.reductions is not None),
            ("facets", "Draws", self.facets is not None),
            ("answers", "Answers", bool(self.answers)),
            ("flips", "Flips", bool(self.flips)),
            ("disagreements", "Scorings", self.disagreements is not None),
            ("texts", "Texts", bool(self.spreads)),
            ("representations", "Representations", bool(self.representations)),
            ("controls", "Controls", bool(self.control_results)),
            ("table", "By task", True),
            ("statistics", "Statistics", self.statistics is not None),
            ("quality", "Quality", self.quality is not None),
            ("left-out", "Left out", bool(self.left_out)),
        ]
        return [(f"{self.id}-{part}", name) for part, name, there in named if there]


def run_views(run: Run, scores: RunScores, number: int, current: str | None = None) -> list[View]:
    """One view per number of demonstrations of a run; `number` is its place among the runs."""
    from phraseproof.analysis.causes.run import controls_line, run_causes
    from phraseproof.analysis.causes.run_scorers import run_scorers
    from phraseproof.analysis.facets.run import run_facets
    from phraseproof.analysis.reductions.run import run_reductions
    from phraseproof.reports.build.quality import causes_and_quality
    from phraseproof.store.representations import load_map, out_of_date

    robust = _robustness(run, scores)
    rankings = {table.num_fewshot: table.rankings for table in wording_tables([scores])}
    current = current or lone_first(scores)
    found = load_map(run.path)
    scorers, facets = run_scorers(run), run_facets(run)
    reductions = run_reductions(run, most_values=MOST_VALUES)
    causes, quality = causes_and_quality(run) if robust.statistics else (run_causes(run), {})
    views: list[View] = []
    metric = scores.metric
    for table in task_tables([scores]):
        shots = table.num_fewshot
        of_shots = rankings[shots]
        examples = rendered_examples(run, shots)
        robustness = robust.statistics.get(shots)
        of_causes = causes_view(causes.at_shots(shots), scorers.at_shots(shots))
        of_reductions = reductions_view(reductions.at_shots(shots), controls_line(run))
        views.append(
            View(
                id=f"r{number}-k{shots}",
                run=number,
                name=f"{title(table)} ({scores.path})",
                table=table,
                remark=scores.basis,
                rows=rows_for_people(table.summary),
                difference_names={group: difference_name(table.summary, group) for group in table.summary.groups[1:]},
                headline=headline(table, of_shots, robustness, current, robust.controls),
                strip=strip(
                    of_shots, table.run.metric, current=current, chance=chance_levels(table.answers, table.run.metric)
                ),
                heatmaps=_heatmaps(of_shots, metric),
                category_rankings=category_rankings(of_shots, metric, scores.texts, examples),
                has_prompts=bool(run.settings.get("log_samples")),
                texts=scores.texts,
                answers=task_matrices(table.answers, current),
                causes=of_causes,
                reductions=of_reductions,
                left_out=(
                    *(() if of_causes else (*causes.at_shots(shots).notes, *scorers.at_shots(shots).notes)),
                    *(() if of_reductions else reductions.at_shots(shots).notes),
                ),
                facets=facets_view(facets.at_shots(shots), metric),
                flips=find_flips(run, shots, metric, controls=robust.controls),
                disagreements=disagreements_view(run, shots, controls=robust.controls),
                spreads=text_spreads(run, shots, metric, controls=robust.controls),
                statistics=None if robustness is None else statistics_table(robustness, metric),
                quality=None if robustness is None else quality_table(quality[shots], robustness, metric),
                control_results=[result for result in robust.control_results if result.num_fewshot == shots],
                representations=[] if found is None else _representations(found, shots),
                out_of_date="" if found is None else out_of_date(run, found),
            )
        )
    return views


def lone_first(scores: RunScores) -> str | None:
    """The wording of the first group where it is alone there: what is in use, against its alternatives."""
    groups = list(dict.fromkeys(score.group for score in scores.scores))
    names = {score.instruction for score in scores.scores if score.group == groups[0]}
    return names.pop() if len(names) == 1 and len(groups) > 1 else None


class _Found(NamedTuple):
    """Statistics by number of demonstrations, the groups of control wordings, and their results."""

    statistics: Mapping[int, Robustness]
    controls: frozenset[str]
    control_results: Sequence[ControlResult]


def _robustness(run: Run, scores: RunScores) -> _Found:
    from phraseproof.analysis.controls import CONTROLS, results_of_controls
    from phraseproof.analysis.grids import group_relations, load_grids
    from phraseproof.analysis.statistics import robustness

    relations: Mapping[str, Relation] = group_relations(run)
    controls = frozenset(group for group, relation in relations.items() if relation in CONTROLS)
    if scores.share < 1:
        return _Found({}, controls, ())
    grids = load_grids(run)
    found = {item.num_fewshot: item for item in robustness(grids, group_order=present_groups([scores]))}
    try:
        control_results = results_of_controls(grids, relations)
    except NotEnoughDataError:
        control_results = ()
    return _Found(found, controls, control_results)


def _heatmaps(rankings: Sequence[WordingRanking], metric: Metric) -> list[Chart]:
    categories = list(dict.fromkeys(ranking.category for ranking in rankings))
    return [
        heatmap(
            [ranking for ranking in rankings if ranking.category == category],
            metric,
            title=category if len(categories) > 1 else "",
            is_paged=True,
        )
        for category in categories
    ]


def _representations(found: RepresentationMap, shots: int) -> list[Chart]:
    tasks = list(dict.fromkeys(point.task for point in found.points if point.num_fewshot == shots))
    charts = [tsne(found, task, num_fewshot=shots) for task in tasks[:_MAPS_SHOWN]]
    return [chart for chart in (distance(found), *charts) if chart is not None]
