"""`closer-look`: the six kinds of wording, as Table 9 has them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from phraseproof.errors import NotEnoughDataError
from phraseproof.evaluation.published import import_published, read_published
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.closer_look import CloserLook
from phraseproof.studies.exhibit import Exhibit
from phraseproof.studies.published import figures
from phraseproof.studies.study import StudyRequest
from support.study_runs import RESULTS, four_tasks, imported


def made(tmp_path: Path, run: Path) -> Exhibit:
    return carry_out(CloserLook(), StudyRequest(runs=(run,), out=tmp_path / "studies"))


def row(exhibit: Exhibit, name: str) -> list[str]:
    (found,) = [cells for cells in exhibit.tables[0].rows if cells[0] == name]
    return [cell.split("\n")[0] for cell in found[1:]]


def test_overall_weighs_tasks_equally_whatever_their_category(tmp_path: Path) -> None:
    # Two binary tasks and one of another category: the mean of categories would be (.5 + .3) / 2 for closest.
    run = imported(
        tmp_path,
        {
            ("StrategyQA", "Correct"): (0.4, 0.4),
            ("Winowhy", "Correct"): (0.6, 0.6),
            ("Vitaminc_Fact_Verification", "Correct"): (0.2, 0.4),
            ("StrategyQA", "Unobserved"): (0.1, 0.1),
            ("Winowhy", "Unobserved"): (0.1, 0.1),
            ("Vitaminc_Fact_Verification", "Unobserved"): (0.1, 0.1),
        },
    )
    exhibit = made(tmp_path, run.path)
    # (.4 + .6 + .3) / 3, and the Std (0 + 0 + .1414) / 3
    assert row(exhibit, "Overall") == ["43.3 ± 4.7", "10.0 ± 0.0"]
    assert exhibit.tables[0].headings == ("task", "closest", "collected")
    # Differences of 30, 50 and 20 points: mean 33.3, standard error 8.82, t(2) = 3.78, p = 0.063 (scipy).
    assert any(line.startswith("closest minus collected, over 3 tasks: +33.3 (95% interval -4.6 to +71.3, p = 0.063")
               for line in exhibit.tables[0].lines)  # fmt: skip
    means = [each for each in exhibit.results if each.level == "overall" and each.statistic == "mean"]
    assert [(each.group, round(each.estimate, 1)) for each in means][:2] == [("closest", 43.3), ("collected", 10.0)]


def test_the_chart_has_a_bar_for_each_kind_with_the_interval_of_the_table(tmp_path: Path) -> None:
    tasks = ("StrategyQA", "Winowhy", "Vitaminc_Fact_Verification")
    kinds = {"Incorrect": (0.2, 0.4), "Correct": (0.5, 0.7), "Unobserved": (0.5, 0.5)}
    run = imported(tmp_path, {(task, kind): values for task in tasks for kind, values in kinds.items()})
    exhibit = made(tmp_path, run.path)
    found = {bar["row"]: bar for bar in exhibit.charts["accuracy-by-kind"].data["bars"]}
    assert {name: round(bar["value"], 6) for name, bar in found.items()} == {
        "closest": 60.0,
        "incorrect": 30.0,
        "collected": 50.0,
    }
    rows = {each.group: each for each in exhibit.results if each.level == "overall" and each.statistic == "mean"
            and not each.run.startswith("published")}  # fmt: skip
    assert rows["closest"].low is not None
    assert (found["closest"]["low"], found["closest"]["high"]) == (rows["closest"].low, rows["closest"].high)
    if importlib.util.find_spec("vl_convert"):
        assert {file.suffix for file in tmp_path.rglob("accuracy-by-kind.*")} == {".svg", ".pdf"}


def test_the_paper_s_bars_need_all_its_tasks(tmp_path: Path) -> None:
    printed = figures(["Table 9"])
    tasks = [name.removeprefix("bbl/") for name in dict.fromkeys(each.name for each in printed) if name != "Overall"]
    for count, groups in ((7, {"Some-Model", "Flan-T5-XXL (printed)"}), (6, {"Some-Model"})):
        cells = {(task, kind): (0.5,) for task in tasks[:count] for kind in ("Correct", "Unobserved")}
        exhibit = made(tmp_path / str(count), imported(tmp_path / str(count), cells).path)
        assert {bar["group"] for bar in exhibit.charts["accuracy-by-kind"].data["bars"]} == groups


def test_a_run_without_these_kinds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotEnoughDataError, match="the closer look compares kinds of wordings"):
        made(tmp_path, four_tasks(tmp_path).path)


def test_every_kind_of_the_pocket_is_evaluated(tmp_path: Path) -> None:
    (step,) = CloserLook().plan(StudyRequest(models=("pocket",), out=tmp_path, limit=1, tasks=("pocket/has-maker",)))
    assert step.forecast(timed=False).prompts == 4 * 4 + 16


@pytest.mark.skipif(not RESULTS.is_dir(), reason="the paper's published result files are not here")
def test_the_released_accuracies_give_the_printed_rows(tmp_path: Path) -> None:
    files = sorted(RESULTS.glob("closer-look-*.csv"))
    run = import_published(read_published(files, designers_apart=True), tmp_path / "closer")
    exhibit = made(tmp_path, run.path)
    assert {bar["group"] for bar in exhibit.charts["accuracy-by-kind"].data["bars"]} == {"Flan-T5-XXL"}
    assert exhibit.tables[-1].lines == ("12 of 12 printed figures follow from the accuracies of single wordings.",)
    intent = ["93.6 ± 0.3", "93.1 ± 1.0", "94.1 ± 0.6", "94.7", "28.0 ± 6.5", "40.7 ± 7.2"]
    assert row(exhibit, "bbl/intent_recognition") == intent


def test_kinds_without_a_wording_for_the_tasks_have_no_column(tmp_path: Path) -> None:
    request = StudyRequest(
        models=("scripted",),
        tasks=("pocket/has-maker",),
        instructions={
            "closest": ("pocket-closest",),
            "collected": ("pocket-incorrect",),
            "nonsensical": ("pocket-nonsensical",),
        },
        limit=2,
        out=tmp_path,
    )
    exhibit = carry_out(CloserLook(), request)
    assert exhibit.tables[0].headings == ("task", "closest", "collected", "nonsensical")
