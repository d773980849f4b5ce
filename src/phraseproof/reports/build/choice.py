"""What is shown of a choice: rows of the result table, and the sentences that say what the choice means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.result_rows import Place, RowSource, finding_row
from phraseproof.analysis.results import WORDING, ResultRow, ResultTable
from phraseproof.analysis.selection.choice import FOLDS, REPEATS
from phraseproof.analysis.selection.criteria import Criterion
from phraseproof.analysis.selection.stored import StoredChoice
from phraseproof.core import Finding
from phraseproof.reports.build.numbers import p_value, value_in_unit, value_with_unit
from phraseproof.reports.build.text import printable
from phraseproof.store.queries import Run

_SIMULTANEOUS = "bounds of all wordings at once"


class ChoiceReport(NamedTuple):
    """A choice and the runs it was made from.

    Attributes:
        run: the folders, joined by a comma.
        scoring: the scorer of the first run.
    """

    run: str
    scoring: str
    choice: StoredChoice


def choice_reports(runs: Sequence[Run], choices: Sequence[StoredChoice]) -> list[ChoiceReport]:
    """The choices with what is shown of their runs."""
    return [ChoiceReport(", ".join(run.name for run in runs), runs[0].scoring, choice) for choice in choices]


def choice_results(reports: Sequence[ChoiceReport]) -> ResultTable:
    """Every choice as rows: the chosen wording's value in several estimates, then the values of all wordings."""
    rows = [row for report in reports for row in _rows(report)]
    notes = dict.fromkeys(note for report in reports for note in (*sentences(report.choice), *report.choice.notes))
    return ResultTable(tuple(rows), tuple(notes))


def _rows(report: ChoiceReport) -> Iterator[ResultRow]:
    choice, found = report.choice, report.choice.found
    source = RowSource(report.run, choice.num_fewshot, report.scoring, choice.metric)
    unit = source.unit("mean")
    best = found.best
    is_one = len(choice.tasks) == 1
    place = Place(
        Level.TASK if is_one else Level.OVERALL,
        choice.category if is_one else "",
        choice.tasks[0] if is_one else "",
        choice.groups[best],
        choice.wordings[best],
    )
    low, high = _interval(choice, best)
    corrected = Finding("corrected", choice.in_metric(found.corrected), found.examples, _correction(choice), low, high)
    yield finding_row(source, place, "corrected", corrected, unit)
    for name, value, method in (
        ("cross-fitted", found.cross_fitted, _cross_fitting()),
        ("bootstrap-corrected", found.bootstrap_corrected, "bootstrap that repeats the choice"),
        ("observed", float(found.values[best]), f"{choice.objective.criterion}, not corrected for the choice"),
        (bound_name(choice), float(found.at_least[best]), f"one-sided 95% bound; {_SIMULTANEOUS}"),
    ):
        yield finding_row(source, place, name, Finding(name, choice.in_metric(value), found.examples, method), unit)
    optimism = abs(choice.scale[1] - choice.scale[0]) * found.optimism
    gain = Finding("optimism", optimism, found.examples, "observed less corrected value of the chosen wording")
    yield finding_row(source, place, "optimism", gain, source.difference_unit())
    spread = float(found.values.max() - found.values.min()) * abs(choice.scale[1] - choice.scale[0])
    equal = Finding("range", spread, found.examples, "test that all wordings are equally good", p_value=found.p_equal)
    yield finding_row(source, place._replace(group="", wording=""), "range", equal, source.difference_unit())
    for row in found.order:
        at = place._replace(level=WORDING, group=choice.groups[row], wording=choice.wordings[row])
        low, high = _interval(choice, int(row))
        p = float(found.p_values[row])
        value = choice.in_metric(float(found.values[row]))
        method = f"{choice.objective.criterion}; {_SIMULTANEOUS}; p: that no wording is better"
        yield finding_row(
            source, at, "observed", Finding("observed", value, found.examples, method, low, high, p), unit
        )
        bound = choice.in_metric(float(found.at_least[row]))
        method = f"one-sided 95% bound; {_SIMULTANEOUS}"
        yield finding_row(source, at, bound_name(choice), Finding("bound", bound, found.examples, method), unit)


def _interval(choice: StoredChoice, row: int) -> tuple[float, float]:
    low, high = sorted(choice.in_metric(float(bound[row])) for bound in (choice.found.low, choice.found.high))
    return low, high


def bound_name(choice: StoredChoice) -> str:
    """`at least`, or `at most` of a metric for which lower is better."""
    return "at least" if choice.metric.higher_is_better else "at most"


def _cross_fitting() -> str:
    return f"chosen on the other half, {REPEATS} times {FOLDS} halves"


def _correction(choice: StoredChoice) -> str:
    how = "bootstrap that repeats the choice" if choice.objective.compares_blocks else _cross_fitting()
    return f"{how}; interval: {_SIMULTANEOUS}"


def what_is_compared(choice: StoredChoice) -> str:
    """The criterion in words: `mean accuracy`, `accuracy in the worst of 4 blocks (billing, bug, ...)`."""
    name = choice.metric.name
    match choice.objective.criterion:
        case Criterion.WORST:
            return f"{name} in the worst of {len(choice.blocks)} blocks"
        case Criterion.CVAR:
            return f"mean {name} of the worst {100 * choice.objective.share:g}% of {len(choice.blocks)} blocks"
        case Criterion.LOWER_BOUND:
            return f"lower bound of the mean {name}"
        case _:
            return f"mean {name}"


def sentences(choice: StoredChoice) -> list[str]:
    """What the choice means, in sentences."""
    found, metric, best = choice.found, choice.metric, choice.found.best

    def shown(value: float) -> str:
        return value_with_unit(choice.in_metric(value), metric)

    low, high = (value_in_unit(value, metric) for value in _interval(choice, best))
    where = "" if len(choice.tasks) > 1 else f"{', '.join(choice.tasks)}: "
    value = (
        f"{where}{printable(choice.wordings[best])}, chosen by {what_is_compared(choice)}{_weakest(choice)}: "
        f"{shown(float(found.values[best]))} on the {found.examples:,} examples it was chosen on, "
        f"{shown(found.corrected)} corrected for the choice (95% interval {low} to {high}), "
        f"{bound_name(choice)} {shown(float(found.at_least[best]))} with 95%."
    )
    same = [int(row) for row in found.order if found.maybe_best[row]]
    count = len(choice.wordings)
    if len(same) == count:
        comparison = (
            f"No wording is shown to be better than another ({count} wordings, test that all are equal: "
            f"{p_value(found.p_equal)}): take any{_for_instance(choice)}."
        )
    elif len(same) == 1:
        comparison = f"Every other wording of the {count} is worse, with 95% for all comparisons together."
    else:
        comparison = (
            f"{len(same)} of {count} wordings are not distinguishable from the best; the other {count - len(same)} are "
            f"worse, with 95% for all comparisons together{_shortest(choice, best)}."
        )
    return [value, comparison]


def _weakest(choice: StoredChoice) -> str:
    """The chosen wording's worst block, where the criterion looks at blocks."""
    return f" (its worst: {printable(choice.worst_block)})" if choice.objective.compares_blocks else ""


def _for_instance(choice: StoredChoice) -> str:
    if choice.cheapest is None or choice.costs is None:
        return ""
    return f", for instance {_with_tokens(choice, choice.cheapest)}, the shortest"


def _shortest(choice: StoredChoice, best: int) -> str:
    if choice.cheapest is None or choice.cheapest == best:
        return ""
    bound = choice.in_metric(float(choice.found.at_least[choice.cheapest]))
    return (
        f". The shortest of the {int(choice.found.maybe_best.sum())} is {_with_tokens(choice, choice.cheapest)}: "
        f"{bound_name(choice)} {value_with_unit(bound, choice.metric)}"
    )


def _with_tokens(choice: StoredChoice, row: int) -> str:
    assert choice.costs is not None, "the caller checked it"
    return f"{printable(choice.wordings[row])} ({choice.costs[row]:.0f} tokens per prompt)"
