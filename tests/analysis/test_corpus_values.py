"""Corpus metrics in all that is computed of a run: sacrebleu, also its command line, gives the same numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from phraseproof.analysis.corpus_values import CorpusValues
from phraseproof.analysis.estimators.resampling import Resampler
from phraseproof.analysis.grids import load_grids
from phraseproof.analysis.paired import compare_runs
from phraseproof.core import Outcome
from phraseproof.scoring.registry import metric
from phraseproof.store.queries import Run
from support.corpora import corpora, references_by_place
from support.text_runs import texts_of, write_text_run

EXAMPLES = 24


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_text_run(tmp_path_factory.mktemp("run") / "bleu", examples=EXAMPLES)


@pytest.fixture(scope="module")
def better(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return write_text_run(tmp_path_factory.mktemp("run") / "better", examples=EXAMPLES - 4, skill=0.1)


def bleu(texts: list[Outcome]) -> float:
    return BLEU().corpus_score([each.text or "" for each in texts], references_by_place(texts)).score / 100


def test_a_wordings_bleu_is_that_of_sacrebleus_command_line(run: Run, tmp_path: Path) -> None:
    rows = run.query_rows(
        """
        SELECT text, reference, other_references FROM outcomes
        WHERE task = 'news' AND instruction = 'observed/w2' ORDER BY example_id
        """
    )
    # Of a text with one reference only, the same one is given twice, which changes no count.
    for name, lines in {
        "texts": [row["text"] for row in rows],
        "first": [row["reference"] for row in rows],
        "second": [(row["other_references"] or [row["reference"]])[0] for row in rows],
    }.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    files = [str(tmp_path / name) for name in ("first", "second", "texts")]
    command = [sys.executable, "-m", "sacrebleu", *files[:2], "-i", files[2], "-m", "bleu", "-w", "9"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    (mine,) = (each for each in run.wording_scores() if (each.task, each.instruction) == ("news", "observed/w2"))
    assert 100 * mine.mean_score == pytest.approx(found["score"], abs=1e-6)
    assert mine.num_examples == EXAMPLES


def test_no_mean_of_sentence_scores_is_taken_for_the_corpus_metric(run: Run) -> None:
    expected = [bleu(texts_of(number, EXAMPLES)) for number in range(4)]
    of_sentences = [row.score for row in metric("bleu").judge(texts_of(0, EXAMPLES))]
    assert abs(np.mean(of_sentences) - expected[0]) > 0.01
    scores = {each.instruction: each.mean_score for each in run.wording_scores() if each.task == "news"}
    assert [scores[f"observed/w{number}"] for number in range(4)] == pytest.approx(expected)
    (grid,) = (each for each in load_grids(run) if each.task == "news")
    rows = grid.take(grid.rows("observed"))
    assert rows.means.tolist() == pytest.approx(expected)
    assert rows.scores is not None
    # Whatever takes the mean of single scores has the corpus metric.
    assert rows.scores.mean(axis=1).tolist() == pytest.approx(expected)


def test_jackknife_values_are_those_of_leaving_out_each_text() -> None:
    texts = texts_of(3, 8)
    found = CorpusValues(metric("bleu"), _statistics(texts)).of_examples()[0]
    without = np.array([bleu(texts[:place] + texts[place + 1 :]) for place in range(8)])
    assert found.tolist() == pytest.approx((bleu(texts) + 7 * (without.mean() - without)).tolist())
    (alone,) = CorpusValues(metric("bleu"), _statistics(texts[:1])).of_examples()
    assert alone.tolist() == pytest.approx([bleu(texts[:1])])


def test_every_resample_has_the_metric_of_its_texts() -> None:
    texts = corpora()[0]
    values = CorpusValues(metric("bleu"), _statistics(texts))
    counts = np.array([[1, 1, 1, 1, 1, 1, 1], [3, 0, 2, 0, 1, 1, 0]], dtype=float)
    drawn = [[text for text, times in zip(texts, row, strict=True) for _ in range(int(times))] for row in counts]
    assert values.resampled(counts)[:, 0].tolist() == pytest.approx([bleu(each) for each in drawn], abs=1e-12)
    assert values.take([0]).on([0, 2]).values().tolist() == pytest.approx([bleu([texts[0], texts[2]])])


def test_the_interval_comes_from_resampled_texts(run: Run) -> None:
    grid = load_grids(run)[0]
    means = Resampler(0, 2000).means(grid)
    texts = texts_of(0, EXAMPLES)
    draw = np.random.default_rng(5)
    drawn = [bleu([texts[place] for place in draw.integers(0, EXAMPLES, EXAMPLES)]) for _ in range(400)]
    widened = np.std(drawn, ddof=1) * np.sqrt(EXAMPLES / (EXAMPLES - 1))
    assert np.std(means[:, 0], ddof=1) == pytest.approx(widened, rel=0.12)  # 400 draws are known to 3.5%
    assert grid.scores is not None
    # To first order the jackknife values have the same variance.
    assert np.std(grid.scores[0], ddof=1) / np.sqrt(EXAMPLES) == pytest.approx(widened, rel=0.2)


def test_two_runs_are_compared_on_the_texts_that_both_have(run: Run, better: Run) -> None:
    (found,) = compare_runs(load_grids(run), load_grids(better))
    shared = EXAMPLES - 4
    expected = [bleu(texts_of(number, shared, skill=0.1)) - bleu(texts_of(number, shared)) for number in range(4)]
    news = next(row for row in found.tasks if row.name == "news")
    assert news.groups["observed"].estimate == pytest.approx(np.mean(expected))
    first = next(each for each in found.wordings if each.instruction == "observed/w0" and each.task == "news")
    assert (first.before, first.after) == pytest.approx(
        (bleu(texts_of(0, shared)), bleu(texts_of(0, shared, skill=0.1)))
    )
    assert first.finding is None
    assert "McNemar's test needs outcomes of 0 or 1" in (first.why_not or "")


def _statistics(texts: list[Outcome]) -> np.ndarray:
    return np.array([[metric("bleu").example_statistics(each) for each in texts]])
