"""The benchmark of the KL term (benchmarks/pocket/kl_term.py): faulty pairs, intervals, and that it continues."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.pocket import kl_term, laboratory, measures
from benchmarks.pocket.changed_pairs import pairs_between, with_few_labels, with_wrong_labels, with_wrong_targets
from benchmarks.pocket.measures import UNOBSERVED, Column, Grids, gain_over_all, questions
from scipy import stats

from phraseproof.analysis.grids import TaskGrid
from phraseproof.analysis.score_table import ScoreTable
from phraseproof.instructions.collections import load_collection
from phraseproof.pocket.mitigation import mitigation_pairs
from phraseproof.tasks import load_tasks

TASKS = 18
"""Tasks with training pairs."""


def test_the_share_of_wrong_targets_is_exact_and_drawn_by_seed() -> None:
    pairs = mitigation_pairs(2)
    places: list[set[int]] = []
    for seed in (0, 1):
        found = with_wrong_targets(pairs, 0.25, seed)
        assert found == with_wrong_targets(pairs, 0.25, seed)
        places.append({place for place, pair in enumerate(found) if pair.target != pairs[place].target})
        assert len(places[-1]) == len(pairs) / 4
        assert all(pair.target in pair.options for pair in found)
        assert [replace(pair, target="x") for pair in found] == [replace(pair, target="x") for pair in pairs]
    assert places[0] != places[1]


def test_the_share_of_wrong_labels_is_exact() -> None:
    asked = questions(UNOBSERVED, load_collection("pocket-validation"), slice(-2, None))
    found = with_wrong_labels(asked, 0.25, 0)
    right, given = ([example for each in those for example in each.task.examples] for those in (asked, found))
    pairs = list(zip(right, given, strict=True))
    assert sum(one.target != other.target for one, other in pairs) == len(pairs) / 4 == 12
    assert all(sum(other.option_scores) == 1 and other.fields == one.fields for one, other in pairs)


def test_one_pair_of_each_task_keeps_its_label() -> None:
    found = with_few_labels(mitigation_pairs(3), 0)
    assert len(found) == 3 * TASKS
    labelled = Counter(pair.task for pair in found if pair.labelled)
    assert len(labelled) == TASKS
    assert set(labelled.values()) == {1}
    assert [pair.labelled for pair in found] != [pair.labelled for pair in with_few_labels(found, 1)]


@pytest.mark.parametrize("incorrect", [0, 2])
def test_pairs_have_the_reference_and_the_paraphrases_that_are_wanted(incorrect: int) -> None:
    pairs = pairs_between("pocket-nonsensical", 3, 0, incorrect=incorrect, per_task=1)
    assert len(pairs) == TASKS
    for pair in pairs:
        names = [origin.name.partition("/")[0] for origin in pair.origins]
        assert names == ["pocket-nonsensical", *["pocket-paraphrase"] * 3, *["pocket-incorrect"] * incorrect]
    of_task = {pair.task: {origin.name for origin in pair.origins[1:]} for pair in pairs}
    assert of_task["pocket/label-maker"] == of_task["pocket/label-price"]


def grid(scores: np.ndarray) -> Grids:
    wordings, examples = scores.shape
    names = tuple(f"w{place}" for place in range(wordings))
    ids = tuple(f"e{place}" for place in range(examples))
    table = ScoreTable(scores)
    return (
        TaskGrid("pocket/has-maker", "", 0, (UNOBSERVED,) * wordings, names, names, scores.mean(axis=1), ids, table),
    )


def test_the_interval_adds_up_the_variances_over_wordings_questions_and_seeds() -> None:
    random = np.random.default_rng(0)
    before = random.random((6, 30))
    after = [before + 0.1 + random.normal(0, 0.05, (6, 30)) + shift for shift in (-0.06, 0.0, 0.03)]
    column = Column("all", UNOBSERVED)
    found = gain_over_all([grid(before)], [grid(each) for each in after], column)
    gains = np.array([(each - before).mean() for each in after])
    mean = np.mean(after, axis=0) - before
    # Variances of the mean over wordings, questions and seeds, with Satterthwaite's degrees of freedom.
    parts = [mean.mean(axis=1).var(ddof=1) / 6, mean.mean(axis=0).var(ddof=1) / 30, gains.var(ddof=1) / 3]
    freedom = sum(parts) ** 2 / sum(part**2 / df for part, df in zip(parts, (5, 29, 2), strict=True))
    reach = float(stats.t.ppf(0.975, freedom)) * math.sqrt(sum(parts))
    assert found.estimate == pytest.approx(gains.mean())
    assert found.of_seeds == pytest.approx(gains)
    assert found.high - found.estimate == pytest.approx(reach, rel=0.1)  # the bootstrap's error is random
    paired = gain_over_all([grid(each) for each in after], [grid(each) for each in after], column)
    assert (paired.estimate, paired.low, paired.high) == (0, 0, 0)


def test_a_stopped_benchmark_continues(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Three of the 24 tasks are measured; training draws from all of them.
    few = load_tasks(["pocket/choose-maker", "pocket/label-end", "pocket/has-price"])
    monkeypatch.setattr(measures, "load_tasks", lambda _: few)
    small = "--model pocket/tiny --wrong 0.5 --rates 3e-3 --seeds 1 --search-seeds 1 --limit 1 --validation-limit 1"
    command = [*small.split(), "--pairs", "1", "--max-steps", "2", "--out", str(tmp_path)]
    kl_term.main(command)
    printed = capsys.readouterr().out
    rows = [line for line in printed.splitlines() if re.match(r"\| 50% \|( [-+]\d.* \|){4}$", line)]
    assert len(rows) == 1
    assert rows[0].count("at 0.003") == 3

    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(laboratory, "train", refuse)
    kl_term.main(command)
    assert capsys.readouterr().out == printed
