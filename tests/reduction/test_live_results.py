"""A live choice as rows, sentences, text and JSON."""

from __future__ import annotations

import json

import pytest

from phraseproof.analysis.selection.search import Strategy
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.instructions.collections import Collection
from phraseproof.models.scripted import ScriptedModel
from phraseproof.reduction.live_choice import LiveChoice, LiveSettings, find_wording
from phraseproof.reduction.live_results import live_results, live_sentences, render_live_json, render_live_text
from phraseproof.reports.build.run_tables import Screen
from support.budget_runs import skilled, task, wordings


@pytest.fixture(scope="module")
def choice(tmp_path_factory: pytest.TempPathFactory) -> LiveChoice:
    collection = Collection("mine", tuple(wordings("mine", 12)[::2]))
    request = EvaluationRequest.of(ScriptedModel(skilled), task(size=150), {"mine": collection}, self_test=False)
    return find_wording(request, tmp_path_factory.mktemp("runs") / "r", LiveSettings(400, Strategy.RACING))


def test_rows_and_json_hold_the_numbers(choice: LiveChoice) -> None:
    table = live_results(choice)
    (value,) = table.select(statistic="corrected")
    assert (value.estimate, value.low, value.high) == pytest.approx(
        (100 * choice.value, 100 * choice.low, 100 * choice.high)
    )
    assert value.n == choice.held_out
    observed = table.select(level="wording")
    assert observed[0].wording == choice.wordings[choice.best]
    assert sum(row.n or 0 for row in observed) + choice.held_out == choice.spent
    document = json.loads(render_live_json(choice))
    assert document["choice"]["chosen"] == choice.wordings[choice.best]
    assert document["choice"]["calls"] == choice.spent
    assert len(document["results"]["rows"]) == len(table)


def test_sentences_say_what_was_shown(choice: LiveChoice) -> None:
    value, comparison, calls = live_sentences(choice)
    assert f"{100 * choice.value:.1f}% on {choice.held_out} examples that the search did not see" in value
    worse = int((~choice.maybe_best).sum())
    assert worse > 0
    assert comparison.startswith(f"The search has shown {worse} of 6 wordings to be worse than another;")
    assert calls.startswith(f"{choice.spent} calls, where all wordings")


def test_the_text_fits_a_terminal(choice: LiveChoice) -> None:
    text = render_live_text(choice, Screen(80))
    assert max(map(len, text.splitlines())) <= 80
    assert f"sums, 0-shot: 6 wordings, {choice.spent} calls" in text
