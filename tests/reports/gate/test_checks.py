"""Limits at, just under and just over what a run does; which groups and places count; what cannot be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from statistics import stdev

import pytest

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.grids import load_grids
from phraseproof.analysis.paired import compare_runs
from phraseproof.analysis.statistics import robustness
from phraseproof.core import Cell, Outcome
from phraseproof.errors import RunError, UsageError
from phraseproof.reports.gate.checks import check_run
from phraseproof.reports.gate.limits import Limits, On
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage
from support.other_metrics import AnswerLength, Mistakes
from support.report_runs import write_run

TINY = 1e-6


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load_run(write_run(tmp_path_factory.mktemp("runs") / "run", tasks={"tone/polite": "Tone"}, examples=20))


@pytest.fixture(scope="module")
def better(tmp_path_factory: pytest.TempPathFactory) -> Run:
    path = tmp_path_factory.mktemp("runs") / "better"
    return load_run(write_run(path, tasks={"tone/polite": "Tone"}, examples=20, bonus=0.2))


def measured(run: Run) -> Mapping[str, float]:
    """What each limit is held against, for the only task, worked out from the wordings' means by hand."""
    by_group: dict[str, list[float]] = {}
    for score in run.wording_scores():
        by_group.setdefault(score.group, []).append(100 * score.mean_score)
    means = {group: sum(values) / len(values) for group, values in by_group.items()}
    return {
        "max_spread": max(stdev(values) for values in by_group.values()),
        "min_worst": min(min(values) for values in by_group.values()),
        "min_mean": min(means.values()),
        "max_gap": means["observed"] - means["unobserved"],
    }


@pytest.mark.parametrize("name", ["max_spread", "min_worst", "min_mean", "max_gap"])
def test_a_limit_is_kept_at_the_value_and_broken_just_beyond_it(run: Run, name: str) -> None:
    value = measured(run)[name]
    assert value > 0.1, "the made-up run must have something to hold a limit against"
    strict, lax = (value - TINY, value + TINY) if name.startswith("max") else (value + TINY, value - TINY)

    def kept(limit: float) -> bool:
        return all(check.is_kept for check in check_run(run, Limits(**{name: limit})))

    assert kept(value)
    assert kept(lax)
    assert not kept(strict)


@pytest.mark.parametrize(("right", "of"), [(7, 10), (29, 50), (1, 3), (2, 3), (57, 100)])
def test_a_limit_in_percent_is_kept_by_what_it_is_in_fractions(tmp_path: Path, right: int, of: int) -> None:
    """100 * 0.57 is 56.99999999999999 in binary: no reason to break a limit of 57."""
    store = RunStore(tmp_path / "run", {"model": {"name": "m"}})
    cells = [Cell(f"{n:032x}", "t", "T", f"c/{n}", "g", 0, 0, of) for n in range(3)]
    store.register(cells, {})
    for cell in cells:
        rows = [
            Outcome(f"{n:03}", float(n < right), ("a", "b"), (-1.0, -1.0), predicted=0, target=0) for n in range(of)
        ]
        store.write(cell, rows, Usage())
    exactly = 100 * right / of
    checks = check_run(load_run(tmp_path / "run"), Limits(min_mean=exactly, min_worst=exactly, max_spread=0))
    assert [check.line for check in checks if not check.is_kept] == []


@pytest.mark.parametrize("name", ["max_spread", "min_worst", "min_mean", "max_gap"])
def test_on_bound_holds_the_worse_end_of_the_interval(run: Run, name: str) -> None:
    (found,) = robustness(load_grids(run), group_order=("observed",))
    (row,) = found.tasks
    groups = row.groups.values()
    if name == "max_gap":
        low = row.differences["unobserved"].low
        bound = None if low is None else -100 * low
    elif name == "max_spread":
        bound = max(100 * (each.findings["std"].high or each.findings["range"].high or 0) for each in groups)
    else:
        statistic = name.removeprefix("min_")
        bound = min(100 * (each.findings[statistic].low or 0) for each in groups)
    assert bound is not None
    sign = 1 if name.startswith("max") else -1

    def kept(limit: float) -> bool:
        return all(check.is_kept for check in check_run(run, Limits(**{name: limit}), on=On.BOUND))

    beyond = min(100, max(0, bound + sign * TINY))
    assert kept(beyond)
    assert not kept(bound - sign * TINY)
    assert sign * (bound - measured(run)[name]) > 0, "the bound is worse for the run than the estimate"


def test_no_worse_than_another_run_allows_its_margin(run: Run, better: Run) -> None:
    (compared,) = compare_runs(load_grids(better), load_grids(run))
    worse_by = -100 * compared.overall.all.estimate
    assert worse_by > 5

    def kept(margin: float, on: On = On.ESTIMATE) -> bool:
        return all(check.is_kept for check in check_run(run, Limits(margin=margin), on=on, other=better))

    assert kept(worse_by + TINY)
    assert not kept(worse_by - TINY)
    low = compared.overall.all.low
    assert low is not None
    assert kept(-100 * low + TINY, On.BOUND)
    assert not kept(-100 * low - TINY, On.BOUND)
    assert all(check.is_kept for check in check_run(better, Limits(margin=0), other=run)), "better is no worse"


def test_a_run_is_no_worse_than_itself(run: Run) -> None:
    for on in On:
        assert all(check.is_kept for check in check_run(run, Limits(margin=0), on=on, other=run))


def test_places_are_tasks_categories_or_everything(tmp_path: Path) -> None:
    found = load_run(write_run(tmp_path / "run"))
    places = {level: {check.place for check in check_run(found, Limits(min_mean=1), at=level)} for level in Level}
    assert places[Level.OVERALL] == {"Overall, observed", "Overall, unobserved"}
    assert len(places[Level.CATEGORY]) == 4
    assert "kb/shapes, unobserved" in places[Level.TASK]


def test_controls_are_meant_to_fail_and_do_not_count(tmp_path: Path) -> None:
    path = write_run(tmp_path / "run", groups={"good": 3, "twisted": 3}, relations={"twisted": "negated"})
    checks = check_run(load_run(path), Limits(min_mean=1))
    assert {check.place.split(", ")[1] for check in checks} == {"good"}


def test_the_worst_comes_first_and_says_where_and_by_how_much(run: Run) -> None:
    checks = check_run(run, Limits(min_worst=99))
    assert [check.over for check in checks] == sorted((check.over for check in checks), reverse=True)
    value = measured(run)["min_worst"]
    assert checks[0].value == pytest.approx(value)
    assert checks[0].option == "--min-worst 99"
    assert checks[0].line.startswith("tone/polite, ")
    assert checks[0].line.endswith(f"worst wording {value:.1f}, limit: at least 99")


def test_what_cannot_be_shown_is_not_kept(tmp_path: Path) -> None:
    lone = load_run(write_run(tmp_path / "run", tasks={"t": "T"}, groups={"observed": 1}))
    (check,) = check_run(lone, Limits(max_spread=50))
    assert not check.is_kept
    assert check.value is None
    assert "cannot be shown" in check.line


@pytest.mark.parametrize("name", [item.name for item in fields(Limits)])
@pytest.mark.parametrize("value", [-1.0, 100.5, float("nan"), float("inf")])
def test_a_limit_is_a_percentage(run: Run, name: str, value: float) -> None:
    with pytest.raises(UsageError, match="0 to 100"):
        check_run(run, Limits(**{name: value}))


def test_limits_are_in_the_metric_s_unit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    in_percent = check_run(run, Limits(min_mean=50, max_gap=5))
    monkeypatch.setattr("phraseproof.analysis.grids.metric", lambda _: AnswerLength())
    checks = check_run(run, Limits(min_mean=0.5, max_gap=0.05))
    values = {(check.option.split()[0], check.place): check.value for check in checks}
    for check in in_percent:
        assert check.value is not None
        assert values[check.option.split()[0], check.place] == pytest.approx(check.value / 100)
    assert {check.is_kept for check in checks} == {check.is_kept for check in in_percent}
    assert any("letters below observed" in check.line for check in checks)
    assert check_run(run, Limits(min_mean=150))
    with pytest.raises(UsageError, match="letters, 0 to 1000"):
        check_run(run, Limits(max_spread=1001))
    monkeypatch.setattr("phraseproof.analysis.grids.metric", lambda _: Mistakes())
    with pytest.raises(UsageError, match=r"where more is better .*'mistakes'"):
        check_run(run, Limits(min_mean=0.5))


@pytest.mark.parametrize("on", list(On))
def test_where_less_is_better_a_gap_is_above_the_first_group(
    run: Run, on: On, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = load_run(write_run(tmp_path / "other", bonus=0.3))
    limits = Limits(max_spread=1, max_gap=0.01, margin=0.01)
    monkeypatch.setattr("phraseproof.analysis.grids.metric", lambda _: AnswerLength())
    more = check_run(run, limits, other=other)
    monkeypatch.setattr("phraseproof.analysis.grids.metric", lambda _: Mistakes())
    less = {(check.option, check.place): check for check in check_run(run, limits, other=other)}
    assert any(
        "mistakes above observed" in check.line or "letters above observed" in check.line for check in less.values()
    )
    for check in more:
        opposite = less[check.option, check.place]
        assert check.value is not None
        assert opposite.value is not None
        sign = 1 if "max-spread" in check.option else -1
        assert opposite.value == pytest.approx(sign * check.value)
    bounds = check_run(run, limits, other=other, on=on)
    for bound in bounds:
        estimate = less[bound.option, bound.place].value
        assert estimate is not None
        if bound.value is not None:
            assert bound.value >= estimate - 1e-12, "the end that is worse for the run"


def test_a_gate_without_a_limit_or_on_half_a_run_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no limit"):
        check_run(run, Limits())
    half = load_run(write_run(tmp_path / "half", missing=2))
    with pytest.raises(RunError, match="2 of 21 cells are missing"):
        check_run(half, Limits(min_mean=1))
    with pytest.raises(UsageError, match="another run"):
        check_run(run, Limits(margin=1))
    lone = load_run(write_run(tmp_path / "lone", groups={"observed": 2}))
    with pytest.raises(UsageError, match="two groups"):
        check_run(lone, Limits(max_gap=1))


@pytest.mark.parametrize("on", list(On))
@pytest.mark.parametrize("at", list(Level))
def test_a_group_of_one_wording_has_no_spread_and_is_its_own_worst(tmp_path: Path, on: On, at: Level) -> None:
    run = load_run(write_run(tmp_path / "run", groups={"today": 1, "rephrased": 3}, examples=20))
    spread = check_run(run, Limits(max_spread=100), on=on, at=at)
    assert spread
    assert all(check.place.endswith(", rephrased") for check in spread)

    def of_today(limits: Limits) -> dict[str, float | None]:
        return {c.place: c.value for c in check_run(run, limits, on=on, at=at) if c.place.endswith(", today")}

    worst = of_today(Limits(min_worst=0))
    assert None not in worst.values()
    assert worst == of_today(Limits(min_mean=0))
