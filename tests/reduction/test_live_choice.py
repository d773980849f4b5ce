"""A live choice: the model is asked through a run folder, under a budget of calls."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from phraseproof.analysis.selection.search import Strategy
from phraseproof.core import Prompt
from phraseproof.errors import RunError, UsageError
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.instructions.collections import Collection
from phraseproof.models.scripted import ScriptedModel
from phraseproof.reduction.live_choice import LiveSettings, find_wording
from support.budget_runs import skilled, task, wordings


class CountingModel(ScriptedModel):
    """Answers as `skilled` does, and counts how often each prompt is scored.

    Args:
        fails_after: raise an error once this number of prompts was scored.
    """

    def __init__(self, fails_after: int | None = None) -> None:
        self.asked: Counter[str] = Counter()
        self.fails_after = fails_after
        super().__init__(self._rule, name="counting")

    def _rule(self, prompt: Prompt, option: str) -> float:
        if option == "yes":
            self.asked[prompt.text] += 1
        if self.fails_after is not None and len(self.asked) > self.fails_after:
            raise KeyboardInterrupt
        return skilled(prompt, option)


def _request(model: ScriptedModel, count: int = 6, size: int = 120, **options: object) -> EvaluationRequest:
    collection = Collection("mine", tuple(wordings("mine", count)))
    return EvaluationRequest.of(model, task(size=size), {"mine": collection}, self_test=False, **options)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_the_best_wording_is_found_and_valued_on_examples_that_the_search_did_not_see(
    tmp_path: Path, strategy: Strategy
) -> None:
    model = CountingModel()
    found = find_wording(_request(model), tmp_path / "r", LiveSettings(300, strategy))
    # The one that says please most often is right on 9 of 10 questions, the others on 8 to 4.
    assert found.wordings[found.best] == "mine/w5"
    assert found.spent <= 300
    assert sum(model.asked.values()) == found.spent
    assert max(model.asked.values()) == 1
    # The held-out examples of the chosen wording are not among those of the search.
    (cell,) = [cell for cell in found.run.cells if cell.instruction == "mine/w5"]
    ((_, table),) = found.run.read_cells(("example_id", "score"), only=[cell])
    rows = dict(zip(table["example_id"].to_pylist(), table["score"].to_pylist(), strict=True))
    assert len(rows) == found.counts[found.best] + found.held_out
    order = np.random.default_rng([0, 120]).permutation(120)
    held = [rows[f"sums{place}"] for place in order[120 - found.held_out :]]
    searched = [rows[f"sums{place}"] for place in order[: found.counts[found.best]]]
    assert found.value == pytest.approx(np.mean(held))
    assert found.means[found.best] == pytest.approx(np.mean(searched))
    exact = stats.binomtest(int(sum(held)), len(held), alternative="greater").proportion_ci(0.95, method="exact")
    assert found.at_least == pytest.approx(exact.low, abs=0.01)
    assert found.low <= found.at_least <= found.value <= found.high


def test_the_same_command_asks_nothing_again_and_gives_the_same(tmp_path: Path) -> None:
    settings = LiveSettings(200)
    stopped = CountingModel(fails_after=60)
    with pytest.raises(KeyboardInterrupt):
        find_wording(_request(stopped), tmp_path / "r", settings)
    model = CountingModel()
    found = find_wording(_request(model), tmp_path / "r", settings)
    assert 0 < sum(model.asked.values()) < found.spent
    again = CountingModel()
    second = find_wording(_request(again), tmp_path / "r", settings)
    assert not again.asked
    whole = find_wording(_request(CountingModel()), tmp_path / "whole", settings)
    for other in (second, whole):
        assert (other.best, other.value, other.spent) == (found.best, found.value, found.spent)


def test_outcomes_of_an_evaluation_are_used(tmp_path: Path) -> None:
    from phraseproof.evaluation.resolve import resolve

    first = CountingModel()
    resolve(_request(first, limit=30)).run(tmp_path / "r", self_test=False)
    model = CountingModel()
    found = find_wording(_request(model), tmp_path / "r", LiveSettings(300))
    assert sum(model.asked.values()) < found.spent
    assert not set(model.asked) & set(first.asked)


def test_a_model_that_fails_ends_the_search_with_one_line(tmp_path: Path) -> None:
    class Broken(CountingModel):
        def _rule(self, prompt: Prompt, option: str) -> float:
            if "please please please" in prompt.text:
                raise ValueError("no answer")
            return super()._rule(prompt, option)

    with pytest.raises(RunError, match="the search needs every answer"):
        find_wording(_request(Broken()), tmp_path / "r", LiveSettings(200))


@pytest.mark.parametrize(
    ("calls", "size", "problem"),
    [(25, 120, "too few calls"), (300, 20, "too few examples")],
)
def test_too_little_is_refused(tmp_path: Path, calls: int, size: int, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        find_wording(_request(CountingModel(), size=size), tmp_path / "r", LiveSettings(calls))
    assert not (tmp_path / "r").exists()


def test_settings_out_of_range_and_requests_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--held-out"):
        LiveSettings(100, held_out=1.0)
    with pytest.raises(UsageError, match="--budget-calls"):
        LiveSettings(0)
    with pytest.raises(UsageError, match="nothing to choose"):
        find_wording(_request(CountingModel(), count=1), tmp_path / "r", LiveSettings(100))
    with pytest.raises(UsageError, match="number of demonstrations"):
        find_wording(_request(CountingModel(), num_fewshot=(0, 1)), tmp_path / "r", LiveSettings(100))
    with pytest.raises(UsageError, match="another budget"):
        find_wording(_request(CountingModel(), budget=0.5), tmp_path / "r", LiveSettings(100))
