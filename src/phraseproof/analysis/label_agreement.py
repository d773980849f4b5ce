"""How far a metric agrees with people's labels of the same texts.

Correlations of Pearson and Spearman, and Cohen's kappa with quadratic weights (Cohen 1968) where both are grades of one
scale. Intervals come from resampled examples: texts of one example under several wordings are not independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.estimators.resampling import CONFIDENCE, RESAMPLES
from phraseproof.analysis.grids import Floats, Ints, metric_of
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.scoring.texts.pair_statistics import NO_OTHER_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable

    from phraseproof.store.queries import Run

FEWEST = 10
"""Texts: with fewer, an interval says nothing."""


class Label(NamedTuple):
    """A person's label of one text; `task` and `instruction` are empty where the run has one only."""

    example_id: str
    value: float
    task: str = ""
    instruction: str = ""


class LabelAgreement(NamedTuple):
    """Of a metric with labels.

    Attributes:
        findings: `pearson`, `spearman` and, of grades, `kappa`, with 95% intervals.
        texts: how many texts have a label and a readable value.
        unreadable: how many labelled texts have no readable value.
        lacking: how many labelled texts were compared with nothing, because the other run lacks their examples.
        unmatched: how many labels have no text in the run.
    """

    findings: Mapping[str, Finding]
    texts: int
    unreadable: int
    unmatched: int
    lacking: int = 0


class _Matched(NamedTuple):
    """Value and label of each labelled text, and its example; then the numbers of those that are left out."""

    values: list[tuple[float, float]]
    examples: list[str]
    unreadable: int
    unmatched: int
    lacking: int


def label_agreement(
    run: Run, labels: Sequence[Label], *, scale: tuple[int, int] | None = None, seed: int = 0
) -> LabelAgreement:
    """Compare the selected metric's values with labels.

    Args:
        run: under the metric; one with several wordings or tasks needs labels that name them.
        labels: of some of its texts.
        scale: the lowest and the highest grade, in which labels are given; the metric's values are then grades, too,
            from 0 for the lowest to 1 for the highest.
        seed: of the resampling.

    Raises:
        NotEnoughDataError: fewer than 10 labelled texts, or values or labels that are all equal.
        UsageError: a label that fits several texts, or is not on the scale.
    """
    values, examples, unreadable, unmatched, lacking = _matched(run, labels)
    if len(values) < FEWEST:
        raise NotEnoughDataError(
            "too few labelled texts",
            expected=f"{FEWEST} or more",
            got=f"{len(values)} with a value, {unmatched} labels without a text",
            where=run.name,
        )
    pairs = np.array(values)
    measures: dict[str, Callable[[Floats], float]] = {"pearson": _pearson, "spearman": _spearman}
    if scale is not None:
        low, high = scale
        if not np.all((pairs[:, 1] >= low) & (pairs[:, 1] <= high)):
            raise UsageError("a label is not on the scale", expected=f"{low} to {high}", where="--scale")
        pairs = np.column_stack([np.rint(low + pairs[:, 0] * (high - low)), pairs[:, 1]])
        measures["kappa"] = _kappa
    for what, column in ((f"values of {run.metric}", pairs[:, 0]), ("labels", pairs[:, 1])):
        if np.ptp(column) == 0:
            raise NotEnoughDataError(
                f"all {len(pairs)} {what} are {column[0]:g}, and no agreement is defined", where=run.name
            )
    findings = {name: _finding(name, measure, pairs, examples, seed) for name, measure in measures.items()}
    return LabelAgreement(findings, len(pairs), unreadable, unmatched, lacking)


def _matched(run: Run, labels: Sequence[Label]) -> _Matched:
    rows = run.query_rows(
        "SELECT task, instruction, example_id, score, statistics, list_last(statistics) AS is_read FROM outcomes "
        "ORDER BY ALL"
    )
    is_graded = metric_of(run).is_graded
    of_example: dict[str, list[Mapping[str, object]]] = {}
    for row in rows:
        of_example.setdefault(row["example_id"], []).append(row)
    values: list[tuple[float, float]] = []
    examples: list[str] = []
    unreadable = unmatched = lacking = 0
    for label in labels:
        found = [
            row
            for row in of_example.get(label.example_id, ())
            if label.task in ("", row["task"]) and label.instruction in ("", row["instruction"])
        ]
        if not found:
            unmatched += 1
        elif len(found) > 1:
            raise UsageError(
                f"the label of example {label.example_id!r} fits {len(found)} texts",
                hint="Add the columns task and instruction to the labels",
            )
        elif is_graded and found[0]["statistics"] == list(NO_OTHER_TEXT):
            lacking += 1
        elif is_graded and found[0]["is_read"] == 0:
            unreadable += 1
        else:
            values.append((float(str(found[0]["score"])), label.value))
            examples.append(f"{found[0]['task']}\0{label.example_id}")
    return _Matched(values, examples, unreadable, unmatched, lacking)


def _finding(
    name: str, measure: Callable[[Floats], float], pairs: Floats, examples: Sequence[str], seed: int
) -> Finding:
    names, places = np.unique(examples, return_inverse=True)
    members: list[Ints] = [np.flatnonzero(places == place) for place in range(len(names))]
    draw = np.random.default_rng(seed)
    drawn = [
        measure(pairs[np.concatenate([members[place] for place in draw.integers(0, len(names), len(names))])])
        for _ in range(RESAMPLES)
    ]
    known = [value for value in drawn if np.isfinite(value)]
    low, high = np.quantile(known, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    method = f"bootstrap over {len(names)} examples ({RESAMPLES} resamples)"
    return Finding(name, measure(pairs), len(pairs), method, float(low), float(high))


def _pearson(pairs: Floats) -> float:
    centred = pairs - pairs.mean(axis=0)
    below = float(np.sqrt((centred**2).sum(axis=0).prod()))
    return float(centred[:, 0] @ centred[:, 1]) / below if below > 0 else float("nan")


def _spearman(pairs: Floats) -> float:
    from scipy.stats import rankdata

    return _pearson(rankdata(pairs, axis=0))


def _kappa(pairs: Floats) -> float:
    """1 - observed over expected squared differences: the latter are the mean over all values with all labels."""
    means = pairs.mean(axis=0)
    expected = float(pairs.var(axis=0).sum() + (means[0] - means[1]) ** 2)
    return 1 - float(np.mean((pairs[:, 0] - pairs[:, 1]) ** 2)) / expected if expected > 0 else float("nan")
