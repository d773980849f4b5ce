"""What logs must share to become one run, and under which scoring and metric their scores are stored."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import Outcome
from phraseproof.errors import FileError, UsageError
from phraseproof.logs.assemble import assemble
from phraseproof.logs.cells import Log, LoggedCell, LogPlace, LogRequest


def _chosen(example: str, score: float, logprobs: tuple[float, float] = (-1.0, -2.0)) -> Outcome:
    predicted = int(logprobs[1] > logprobs[0])
    return Outcome(example, score, ("a", "b"), logprobs, (), (1.0, 0.0), predicted=predicted, target=0)


def _cell(wording: str, *outcomes: Outcome, **more: Any) -> LoggedCell:
    place = LogPlace(more.pop("model", "m"), "t", wording, more.pop("score", "acc"))
    return LoggedCell(place, outcomes, f"{wording}.json", **more)


def _assemble(*cells: LoggedCell, groups: dict[str, str] | None = None, **options: Any) -> Any:
    return assemble(Log("tool", [Path("x")], cells), LogRequest(**options), groups or {})


def test_scores_that_follow_from_the_options_are_accuracies() -> None:
    right, wrong = _chosen("1", 1.0), _chosen("2", 0.0, (-3.0, -2.0))
    (found,) = _assemble(_cell("w", right, wrong, scoring="loglikelihood")).cells
    assert (found.cell.scoring, found.cell.metric) == ("loglikelihood", "accuracy")


def test_scores_that_do_not_follow_from_them_keep_their_name() -> None:
    (found,) = _assemble(_cell("w", _chosen("1", 0.5), scoring="loglikelihood")).cells
    assert (found.cell.scoring, found.cell.metric) == ("loglikelihood", "imported:acc")
    outcome = replace(_chosen("1", 0.0), predicted=1)  # chosen by another rule than the log-probabilities
    (found,) = _assemble(_cell("w", outcome, scoring="loglikelihood")).cells
    assert (found.cell.scoring, found.cell.metric) == ("imported", "accuracy")
    assert next(iter(found.logged.outcomes)).option_logprobs == ()
    (found,) = _assemble(_cell("w", Outcome("1", 4.0), score="helpful"), scale=(1.0, 5.0)).cells
    assert found.cell.metric == "imported:helpful (1 to 5)"


def test_log_probabilities_of_some_outcomes_only_are_left_out() -> None:
    """They would be averaged as if they were those of all."""
    some = _chosen("1", 1.0), Outcome("2", 1.0, text="x")
    for cells in ([_cell("w", *some)], [_cell("w", some[0], scoring="loglikelihood"), _cell("v", some[1])]):
        found = _assemble(*cells)
        assert {each.cell.scoring for each in found.cells} == {"imported"}
        assert not any(outcome.option_logprobs for each in found.cells for outcome in each.logged.outcomes)
        assert found.warnings[0] == (
            "acc: the log-probabilities of the options are left out: 1 of 2 outcomes have none"
        )


def test_the_same_scores_have_the_same_identity() -> None:
    first, second, third = (
        _assemble(_cell("w", _chosen("1", score))).cells[0].cell.identity for score in (1.0, 1.0, 0.0)
    )
    assert first == second != third


def test_groups_of_wordings() -> None:
    cells = [_cell(name, _chosen("1", 1.0)) for name in ("old 1", "new")]
    assert {each.cell.group for each in _assemble(*cells).cells} == {"imported"}
    found = _assemble(*cells, groups={"observed": "old*", "unobserved": "*"}).cells
    assert {each.cell.instruction: each.cell.group for each in found} == {"old 1": "observed", "new": "unobserved"}
    with pytest.raises(UsageError, match="no group fits the wording 'new'"):
        _assemble(*cells, groups={"observed": "old*"})


def test_one_model_and_one_score_are_chosen() -> None:
    cells = [_cell("w", _chosen("1", 1.0), model="m"), _cell("w", _chosen("1", 0.0), model="n", score="other")]
    with pytest.raises(UsageError, match="several models"):
        _assemble(*cells)
    assert _assemble(*cells, model="n").model == "n"
    assert _assemble(*cells, metric="acc").model == "m"
    with pytest.raises(UsageError, match="expected one of: m, n, got o"):
        _assemble(*cells, model="o")
    with pytest.raises(UsageError, match="expected one of: acc, other"):
        _assemble(*cells, metric="f1")


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([_cell("w"), _cell("v")], "no outcome"),
        ([_cell("w", _chosen("1", 1.0)), _cell("w", _chosen("1", 1.0))], "a second result"),
        ([_cell("w", _chosen("1", 1.0), _chosen("1", 1.0))], "several results"),
        ([_cell("w", _chosen("1", 2.0))], r"out of range.*--scale"),
        ([_cell("w", _chosen("1", math.nan))], "not a finite number .expected 0 to 1, or no score where"),
        ([_cell("w", _chosen("1", -math.inf))], "not a finite number"),
        ([LoggedCell(LogPlace("m", "t", "w", "acc", 2**31), [_chosen("1", 1.0)], "w.json")], "is too large"),
        ([_cell(n, _chosen("1", 1.0), data={"1": n}) for n in "vw"], "is not that of v.json"),
        ([_cell(n, _chosen("1", 1.0), settings={"dtype": n}) for n in "vw"], "another setting of dtype"),
    ],
)
def test_what_cannot_be_compared_is_refused(cells: list[LoggedCell], problem: str) -> None:
    with pytest.raises(FileError, match=problem):
        _assemble(*cells)


def test_means_of_the_log_are_compared_with_those_of_its_outcomes() -> None:
    outcomes = _chosen("1", 1.0), _chosen("2", 0.0, (-3.0, -2.0))
    found = _assemble(*(_cell(f"w{n}", *outcomes, headline=mean) for n, mean in enumerate((0.5, 0.6, 0.6, 0.6, 0.6))))
    assert found.met == 1
    assert len(found.warnings) == 4
    assert (
        found.warnings[0] == "w1.json: the log reports acc = 0.6 for t under w1, and its 2 outcomes have the mean 0.5"
    )
    assert found.warnings[3] == "1 more means differ from those that the log reports"


def test_tasks_with_one_wording_are_said_to_be_so() -> None:
    one = _chosen("1", 1.0)
    assert "each task has one wording" in _assemble(_cell("v", one)).warnings[0]
    assert not _assemble(_cell("v", one), _cell("w", one)).warnings


def test_examples_that_some_wordings_lack_are_counted() -> None:
    one, two, three = (_chosen(name, 1.0) for name in "123")
    found = _assemble(_cell("v", one, two), _cell("w", two, three))
    assert found.warnings == ["t: 2 of 3 examples lack acc under some wording; statistics of examples leave them out"]
    assert "no example has acc under every wording" in _assemble(_cell("v", one), _cell("w", two)).warnings[0]


def test_wordings_without_a_score_are_named() -> None:
    one = _chosen("1", 1.0)
    (warning,) = _assemble(_cell("v", one), _cell("w", one), _cell("u")).warnings
    assert warning == "u.json: no example of t has a score under the wording 'u', which is left out"
