"""Gains of aligned models, by hand and by scipy."""

from __future__ import annotations

import pytest
from scipy.stats import ttest_rel

from phraseproof.analysis.aggregation import OVERALL
from phraseproof.studies.aligned_models import (
    AVERAGE,
    AlignedModels,
    aligned_models,
    benchmark,
    method_label,
    task_means,
)
from phraseproof.studies.steps import GivenRun
from support.study_runs import four_tasks, imported

BASE = {"strategyqa": (0.6, 0.5), "winowhy": (0.8, 0.6), "vitaminc_fact_verification": (0.7, 0.6), "mmlu": (0.4, 0.4)}
ALIGNED = {
    "strategyqa": (0.6, 0.7),
    "winowhy": (0.77, 0.66),
    "vitaminc_fact_verification": (0.7, 0.6),
    "mmlu": (0.38, 0.44),
}
"""Means under observed and unobserved wordings."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> AlignedModels:
    base = four_tasks(tmp_path_factory.mktemp("base"))
    aligned = imported(
        tmp_path_factory.mktemp("aligned"),
        {
            ("StrategyQA", "BC"): (0.55, 0.65),
            ("StrategyQA", "Unobserved"): (0.67, 0.73),
            ("Winowhy", "BC"): (0.76, 0.78),
            ("Winowhy", "Unobserved"): (0.6, 0.72),
            ("MMLU_General", "QA"): (0.36, 0.4),
            ("MMLU_General", "Unobserved"): (0.4, 0.48),
            ("Vitaminc_Fact_Verification", "MC"): (0.7, 0.7),
            ("Vitaminc_Fact_Verification", "Unobserved"): (0.6, 0.6),
        },
    )
    (found,) = aligned_models([GivenRun(base.path), GivenRun(aligned.path)])
    return found


def test_benchmarks_are_the_means_of_their_tasks(measured: AlignedModels) -> None:
    assert set(measured.categories) == {"MMLU", "BBL"}
    (bbl,) = [row for row in measured.base.summary.categories if row.name == "BBL"]
    assert bbl.groups["observed"].mean == pytest.approx((0.6 + 0.8 + 0.7) / 3)
    assert bbl.groups["unobserved"].mean == pytest.approx((0.5 + 0.6 + 0.6) / 3)


def test_gains_by_hand(measured: AlignedModels) -> None:
    (aligned,) = measured.aligned
    expected = {
        ("BBL", "observed"): -0.03 / 3,
        ("BBL", "unobserved"): (0.2 + 0.06) / 3,
        ("MMLU", "observed"): -0.02,
        ("MMLU", "unobserved"): 0.04,
    }
    for (name, group), gain in expected.items():
        found = aligned.gain(name, group)
        assert found is not None
        assert found.estimate == pytest.approx(gain)
    unobserved, average = (aligned.gain(OVERALL, group) for group in ("unobserved", AVERAGE))
    assert unobserved is not None and average is not None  # noqa: PT018
    assert unobserved.estimate == pytest.approx(((0.2 + 0.06) / 3 + 0.04) / 2)
    assert average.estimate == pytest.approx(((0.2 + 0.06) / 3 + 0.04 - 0.03 / 3 - 0.02) / 4)
    assert average.low is not None and average.low < average.estimate  # noqa: PT018
    assert aligned.gain("nothing", "observed") is None


@pytest.mark.parametrize("group", ["observed", "unobserved", AVERAGE])
def test_the_test_over_tasks_is_that_of_scipy(measured: AlignedModels, group: str) -> None:
    def mean(pair: tuple[float, float]) -> float:
        return {"observed": pair[0], "unobserved": pair[1], AVERAGE: sum(pair) / 2}[group]

    tested = measured.aligned[0].test(group)
    assert tested is not None
    reference = ttest_rel([mean(ALIGNED[task]) for task in BASE], [mean(BASE[task]) for task in BASE])
    assert tested.p_value == pytest.approx(float(reference.pvalue))
    assert tested.n == 4


def test_task_means_need_every_group(measured: AlignedModels) -> None:
    means = task_means(measured.base, AVERAGE)
    assert means["bbl/strategyqa"] == pytest.approx(0.55)
    assert len(means) == 4


def test_every_gain_is_a_row(measured: AlignedModels) -> None:
    rows = [row for row in measured.aligned[0].result_rows() if row.statistic.startswith("difference from the base")]
    by_place = {(row.level, row.task or row.category, row.group, row.statistic): row for row in rows}
    # Four tasks, two benchmarks and overall, two groups and their average; and three tests.
    assert len(by_place) == len(rows) == 7 * 3 + 3
    row = by_place["task", "mmlu", "unobserved", "difference from the base"]
    assert (row.estimate, row.unit) == (pytest.approx(4.0), "points")


def test_names() -> None:
    assert [benchmark(task, "C") for task in ("mmlu", "mmlu/law", "bbl/winowhy", "pocket/has-maker", "mine")] == [
        "MMLU", "MMLU", "BBL", "pocket", "C",
    ]  # fmt: skip
    assert [method_label(name) for name in ("pt+kl", "ft", "joint", "pt+contrastive")] == [
        "PT+KL", "FT", "joint", "PT+contrastive",
    ]  # fmt: skip
