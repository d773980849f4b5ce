"""A run under a metric that an installed package announces: every text and page prints its unit, never percent."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Generator
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


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Path, Path]]:
    """Two runs of the scripted model in mean log-probability of the right option; the metric is installed."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield _make_runs(folder)


def _make_runs(folder: Path) -> tuple[Path, Path]:
    (folder / "nats_metric.py").write_text(_MODULE)
    installed = folder / "nats_metric-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: nats-metric\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text("[phraseproof.metrics]\nanswer_logprob = nats_metric:LogProbability\n")
    invalidate_caches()
    rows = "".join(f"Was it number {n}?,{'right' if n % 2 else 'wrong'}\n" for n in range(12))
    (folder / "t.csv").write_text("question,label\n" + rows)
    (folder / "t.yaml").write_text("name: t\nkind: binary\ndata: t.csv\nchoices: [right, wrong]\nanswer: label\n")
    wordings = {
        "seen": ["{{ question }} Answer:", "Say it: {{ question }}", "Tell: {{ question }}"],
        "new": ["Whether or not, {{ question }}", "Now {{ question }}", "So? {{ question }}"],
    }
    for name, templates in wordings.items():
        entries = [{"id": f"w{n}", "template": text, "answer": "text"} for n, text in enumerate(templates)]
        (folder / f"{name}.yaml").write_text(json.dumps({"name": name, "instructions": entries}))
    found: list[Path] = []
    for seed in (1, 2):
        phraseproof.evaluate(
            "scripted",
            [str(folder / "t.yaml")],
            {"observed": [str(folder / "seen.yaml")], "unobserved": [str(folder / "new.yaml")]},
            out=folder / f"run{seed}",
            metric="answer_logprob",
            limit=9 + seed,
        )
        found.append(folder / f"run{seed}")
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
    inputs, run = runs[0].parent, tmp_path / "run"
    shutil.copytree(runs[0], run)
    groups = ("--observed", inputs / "seen.yaml", "--unobserved", inputs / "new.yaml")
    done = run_command(
        capsys, "represent", "-m", "scripted", "-t", inputs / "t.yaml", "--out", run, *groups, "-n", "10", "-q"
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


def test_the_page_shows_nats_and_no_percent_of_them(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    run, other = runs
    page = tmp_path / "page.html"
    done = run_command(capsys, "report", run, other, "--out", page)
    assert done.code == 0, done.err
    text = page.read_text(encoding="utf-8").partition("<script")[0]
    scores = load_run(run).wording_scores()
    worst = min(scores, key=lambda score: score.mean_score)
    assert f"{worst.mean_score:.3g} nats with {worst.instruction}" in text
    assert "The mean answer_logprob of scripted is " in text
    assert "answer_logprob (nats)" in text
    assert "Mean over 6 wordings: " in text
    for named in ("mean (nats)", "Std (nats)", "in nats (number of wordings)", "two wordings, two scores"):
        assert named in text
    assert ">accuracy (%)" not in text  # balanced accuracy is a measure of answers, whatever the metric
    assert " points" not in text.replace("percentage points", " points")


@pytest.mark.parametrize("kind", [ChartKind.HEADLINE, ChartKind.STRIP, ChartKind.HEATMAP])
def test_charts_are_in_nats(runs: tuple[Path, Path], kind: ChartKind) -> None:
    chart = make_chart(open_sources([runs[0]]), kind)
    assert "answer_logprob (nats)" in str(chart.spec)
    assert "nats" in chart.description
    assert "chance" not in str(chart.spec)
    if kind is not ChartKind.HEADLINE:
        drawn = {(row["task"], row["wording"]): row["score"] for row in next(iter(chart.data.values()))}
        scores = load_run(runs[0]).wording_scores()
        assert drawn == {(score.task, score.instruction): pytest.approx(score.mean_score) for score in scores}


@pytest.fixture(scope="module")
def sizes(runs: tuple[Path, Path]) -> dict[Path, int]:
    """The parameters of three runs."""
    third = runs[0].with_name("run3")
    shutil.copytree(runs[0], third)
    return dict(zip((runs[0], third, runs[1]), (10**6, 10**7, 10**8), strict=True))


@pytest.mark.parametrize("form", ["text", "csv", "markdown", "latex", "json"])
def test_the_gap_by_size_is_in_nats_in_every_format(
    sizes: dict[Path, int], capsys: pytest.CaptureFixture[str], form: str
) -> None:
    named = [f"--parameters={run}={size}" for run, size in sizes.items()]
    done = run_command(capsys, "analyze", *sizes, "--scaling", "--format", form, *named)
    assert done.code == 0, done.err
    gaps = [gap_of(run) for run in sizes]
    # The slope of least squares through three places at -1, 0 and 1.
    slope = (gaps[2] - gaps[0]) / 2
    if form == "text":
        assert f"{slope:+.3g} nats" in " ".join(done.out.split())
    elif form == "csv":
        rows = list(csv.DictReader(io.StringIO(done.out)))
        found = [float(row["estimate"]) for row in rows if row["statistic"] == "gap"]
        assert found == pytest.approx(gaps)
        assert [row["run"] for row in rows if row["statistic"] == "gap"] == [str(run) for run in sizes]
        (line,) = (row for row in rows if row["statistic"] == "gap per tenfold parameters")
        assert (float(line["estimate"]), line["unit"], line["level"], line["n"]) == (
            pytest.approx(slope),
            "nats",
            "overall",
            "3",
        )
        assert {row["unit"] for row in rows if row["statistic"] == "r_squared"} == {""}
    elif form == "json":
        assert json.loads(done.out)["scaling"]["slope"]["estimate"] == pytest.approx(slope)
    else:
        assert f"{slope:.3g}" in done.out
        assert "gap per tenfold parameters" in done.out


def test_the_chart_of_the_gap_by_size_is_in_nats(sizes: dict[Path, int]) -> None:
    chart = make_chart(open_sources(list(sizes)), ChartKind.SCALING, parameters={str(run): sizes[run] for run in sizes})
    assert [row["gap"] for row in chart.data["tasks"]] == pytest.approx([gap_of(run) for run in sizes])


def gap_of(run: Path) -> float:
    """The mean under the wordings of `observed` minus that of `unobserved`."""
    first, second = (
        fmean(score.mean_score for score in load_run(run).wording_scores() if score.group == group)
        for group in ("observed", "unobserved")
    )
    return first - second


def test_table_and_gate_are_in_nats(runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    run, other = runs
    scores = load_run(run).wording_scores()
    worst = min(score.mean_score for score in scores if score.group == "observed")
    done = run_command(capsys, "table", run)
    assert done.code == 0, done.err
    assert "in nats" in done.out
    best = max(score.mean_score for score in scores if score.group == "observed")
    done = run_command(capsys, "table", run, "--by", "wording")
    assert any(f"{best:.3g}" in line and "best" in line for line in done.out.splitlines()), done.out
    kept = run_command(capsys, "gate", run, "--min-worst", f"{worst - 5:g}")
    assert kept.code == 0, kept.err + kept.out
    broken = run_command(capsys, "gate", run, "--min-worst", f"{worst + 0.1 if worst < -0.1 else 0:g}")
    assert broken.code == 3
    assert "worst wording" in broken.out + broken.err
    compared = run_command(capsys, "gate", run, "--no-worse-than", other, "--margin", "50")
    assert compared.code == 0, compared.err
