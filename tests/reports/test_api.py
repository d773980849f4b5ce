"""The Python interface: the numbers of the commands, as tables."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import phraseproof
from phraseproof.errors import RunError, UsageError
from support.command_line import run_command
from support.report_runs import write_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "a")


def test_a_table_has_the_numbers_of_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = json.loads(run_command(capsys, "table", folder, "--json").out)["tables"]
    found = phraseproof.table(folder)
    for row in (*shown["tasks"], *shown["categories"], shown["overall"]):
        place = found.select(level=row["level"], **({row["level"]: row["name"]} if row["level"] != "overall" else {}))
        for group, numbers in row["groups"].items():
            (mean,) = place.select(group=group, statistic="mean")
            (std,) = place.select(group=group, statistic="std")
            assert (mean.estimate, std.estimate) == (numbers["mean_percent"], numbers["std_percent"])
            assert (mean.unit, mean.n) == ("%", numbers["num_wordings"])
        (difference,) = place.select(statistic="difference from observed")
        assert difference.estimate == row["differences"]["unobserved"]["percentage_points"]
        assert difference.unit == "points"


def test_a_table_by_wording(folder: Path) -> None:
    found = phraseproof.table(folder, by="wording")
    assert {row.level for row in found} == {"wording"}
    assert len(found.select(statistic="mean")) == 3 * 7
    assert found[0].method == "mean over examples"
    assert found[0].n == 12


def test_an_analysis_has_the_numbers_of_the_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = json.loads(run_command(capsys, "analyze", folder, "--json").out)["analyses"]
    found = phraseproof.analyze(folder)
    overall = found.select(level="overall", group="unobserved")
    for name, numbers in shown["overall"]["groups"]["unobserved"]["statistics"].items():
        (row,) = overall.select(statistic=name)
        scale = 1 if name == "kappa" else 100
        assert row.estimate == scale * numbers["estimate"]
        assert row.low == (None if numbers["low"] is None else scale * numbers["low"])
    (difference,) = overall.select(statistic="difference from observed")
    assert difference.p_value == shown["overall"]["differences"]["unobserved"]["p_value"]


def test_a_comparison_has_the_numbers_of_the_command(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_run(tmp_path / "b", bonus=0.2)
    (shown,) = json.loads(run_command(capsys, "compare", folder, other, "--json").out)["comparisons"]
    found = phraseproof.compare(folder, other)
    (row,) = found.select(level="overall", group="", statistic="difference")
    (expected,) = [line for line in shown["rows"] if line["level"] == "overall" and line["group"] is None]
    assert row.estimate == expected["difference_percentage_points"]
    assert row.low == expected["interval_low_percentage_points"]
    (before,) = found.select(level="overall", group="", statistic="mean before")
    assert before.estimate == expected["before_percent"]
    assert found.select(task="kb/colours")[0].category == "KB"


def test_a_gate_passes_and_fails(folder: Path) -> None:
    passed = phraseproof.gate(folder, max_spread=100)
    assert passed
    assert passed.passed
    failed = phraseproof.gate(folder, min_mean=100, at="overall")
    assert not failed
    assert {check.place for check in failed.broken} == {"Overall, observed", "Overall, unobserved"}
    assert "--min-mean 100" in repr(failed)
    assert failed.to_dict()["passed"] is False
    with pytest.raises(UsageError, match="no limit"):
        phraseproof.gate(folder)


def test_a_report_is_one_file(folder: Path, tmp_path: Path) -> None:
    out = phraseproof.report(folder, tmp_path / "page.html", title="A heading")
    assert "A heading" in out.read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="folder"):
        phraseproof.report(folder, tmp_path)


def test_a_run_may_be_open_already(folder: Path) -> None:
    run = phraseproof.load_run(folder)
    assert phraseproof.table(run) == phraseproof.table(str(folder))


def test_every_command_has_one_interval_per_method(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a difference, `table` has the paired t-test of `analyze`, and the page and `gate` have its bootstrap."""
    (shown,) = json.loads(run_command(capsys, "analyze", folder, "--json").out)["analyses"]
    (test,) = shown["tests"]
    (table,) = json.loads(run_command(capsys, "table", folder, "--json").out)["tables"]
    (comparison,) = table["comparisons"]
    assert comparison["method"] == test["over_tasks"]["method"]
    for end in ("low", "high"):
        of_table = comparison[f"interval_{end}_percentage_points"]
        assert of_table == pytest.approx(100 * test["over_tasks"][end])
        assert abs(of_table) <= 100
    (row,) = phraseproof.analyze(folder).select(level="overall", statistic="difference from observed")
    assert (row.low, row.high) == (
        pytest.approx(100 * test["over_wordings"]["low"]),
        pytest.approx(100 * test["over_wordings"]["high"]),
    )
    page = phraseproof.report(folder, folder.parent / "page.html").read_text(encoding="utf-8")
    method = test["over_wordings"]["method"].partition(" (")[0]
    assert f"(95% interval {row.low:+.1f} to {row.high:+.1f}, {method})" in page
    bound = run_command(capsys, "gate", folder, "--max-gap", "0", "--at", "overall", "--on", "bound").err
    assert f"upper 95% bound ({method}) {-(row.low or 0):.1f}, limit" in bound


def test_an_unknown_scoring_is_refused(folder: Path) -> None:
    with pytest.raises(RunError, match="no outcomes of the scoring method 'paper'"):
        phraseproof.table(folder, scoring="paper")


def test_covariates_need_a_budget(folder: Path) -> None:
    with pytest.raises(UsageError, match="budget"):
        phraseproof.table(folder, covariates=True)


@pytest.mark.parametrize(
    "function", [phraseproof.table, phraseproof.analyze, phraseproof.compare, phraseproof.gate, phraseproof.report]
)
def test_every_parameter_is_documented(function: Callable[..., object]) -> None:
    assert function.__doc__
    for name, parameter in inspect.signature(function).parameters.items():
        assert f"        {name}: " in function.__doc__
        assert parameter.annotation is not inspect.Parameter.empty
        assert parameter.kind is not inspect.Parameter.VAR_KEYWORD
