"""A run under a metric that an installed package announces: every text and page prints its unit, never percent."""

from __future__ import annotations

import json
from importlib import invalidate_caches
from pathlib import Path
from statistics import fmean

import pytest

import phraseproof
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.charts.plot import ChartKind, make_chart
from phraseproof.store.queries import load_run
from support.command_line import run_command

_MODULE = """
from phraseproof.scoring.metric import Metric

class LogProbability(Metric):
    name = "answer_logprob"
    unit = "nats"
    low = float("-inf")
    high = 0.0

    def score(self, outcome):
        return float(outcome.option_logprobs[outcome.target])
"""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two runs of the scripted model in mean log-probability of the right option."""
    (tmp_path / "nats_metric.py").write_text(_MODULE)
    installed = tmp_path / "nats_metric-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: nats-metric\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[phraseproof.metrics]\nanswer_logprob = nats_metric:LogProbability\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    invalidate_caches()
    rows = "".join(f"Was it number {n}?,{'right' if n % 2 else 'wrong'}\n" for n in range(12))
    (tmp_path / "t.csv").write_text("question,label\n" + rows)
    (tmp_path / "t.yaml").write_text("name: t\nkind: binary\ndata: t.csv\nchoices: [right, wrong]\nanswer: label\n")
    wordings = {
        "seen": ["{{ question }} Answer:", "Say it: {{ question }}", "Tell: {{ question }}"],
        "new": ["Whether or not, {{ question }}", "Now {{ question }}", "So? {{ question }}"],
    }
    for name, templates in wordings.items():
        entries = [{"id": f"w{n}", "template": text, "answer": "text"} for n, text in enumerate(templates)]
        (tmp_path / f"{name}.yaml").write_text(json.dumps({"name": name, "instructions": entries}))
    found: list[Path] = []
    for seed in (1, 2):
        phraseproof.evaluate(
            "scripted",
            [str(tmp_path / "t.yaml")],
            {"observed": [str(tmp_path / "seen.yaml")], "unobserved": [str(tmp_path / "new.yaml")]},
            out=tmp_path / f"run{seed}",
            metric="answer_logprob",
            limit=9 + seed,
        )
        found.append(tmp_path / f"run{seed}")
    return found[0], found[1]


def test_texts_and_the_page_of_a_comparison_print_nats(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run, other = runs
    means = {
        group: fmean(score.mean_score for score in load_run(run).wording_scores() if score.group == group)
        for group in ("observed", "unobserved")
    }
    assert all(mean < 0 for mean in means.values())
    done = run_command(capsys, "analyze", run)
    assert done.code == 0, done.err
    assert "nats, with 95% intervals" in " ".join(done.out.split())
    line = next(line for line in done.out.splitlines() if line.startswith("mean "))
    assert all(f"{mean:.3g} [" in line for mean in means.values())
    assert " points" not in done.out
    page = tmp_path / "page.html"
    done = run_command(capsys, "compare", run, other, "--html", page)
    assert done.code == 0, done.err
    text = page.read_text(encoding="utf-8")
    assert "<caption>nats; after minus before in nats, with 95% intervals" in text
    assert "difference (nats)" in text
    assert "percentage points" not in text.partition("<script")[0]


def test_distances_and_their_chart_are_in_nats(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run, _ = runs
    groups = ("--observed", tmp_path / "seen.yaml", "--unobserved", tmp_path / "new.yaml")
    done = run_command(
        capsys, "represent", "-m", "scripted", "-t", tmp_path / "t.yaml", "--out", run, *groups, "-n", "10", "-q"
    )
    assert done.code == 0, done.err
    words = " ".join(done.out.split())
    assert "answer_logprob: nats above (below) the mean of observed" in words
    assert "nats of answer_logprob for each unit of distance" in words
    assert "points" not in words
    chart = make_chart(open_sources([run]), ChartKind.DISTANCE)
    scores = {score.instruction: score for score in load_run(run).wording_scores()}
    observed = fmean(score.mean_score for score in scores.values() if score.group == "observed")
    for row in chart.data["distances"]:
        assert row["change"] == pytest.approx(scores[row["wording"]].mean_score - observed)
    assert chart.spec["layer"][-1]["encoding"]["y"]["axis"]["title"] == "answer_logprob minus observed mean (nats)"
