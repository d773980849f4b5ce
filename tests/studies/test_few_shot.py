"""`few-shot`: averages, gaps, and three standard deviations over draws."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, stdev

import pytest

from phraseproof.evaluation.published import import_published, read_published
from phraseproof.store.queries import load_run
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.few_shot import FewShot
from phraseproof.studies.study import StudyRequest
from support.study_runs import RESULTS


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> StudyRequest:
    return StudyRequest(
        models=("scripted",),
        tasks=("pocket/has-maker",),
        instructions={"observed": ("pocket-closest",), "unobserved": ("pocket-incorrect",)},
        limit=6,
        seeds=3,
        out=tmp_path_factory.mktemp("studies"),
    )


def test_numbers_are_those_of_the_stored_scores(request_: StudyRequest) -> None:
    exhibit = carry_out(FewShot(), request_)
    without, with_them = (load_run(step.folder) for step in FewShot().plan(request_))
    assert {cell.num_fewshot for cell in without.cells} == {0}
    assert {(cell.num_fewshot, cell.fewshot_seed) for cell in with_them.cells} == {
        (shots, seed) for shots in (1, 3) for seed in range(3)
    }
    rows = with_them.query_rows(
        "SELECT instruction, fewshot_seed AS draw, avg(score) AS mean FROM outcomes"
        " WHERE num_fewshot = 3 AND \"group\" = 'observed' GROUP BY ALL ORDER BY ALL"
    )
    means = {(row["instruction"], row["draw"]): 100 * row["mean"] for row in rows}
    wordings, draws = ({key[place] for key in means} for place in (0, 1))
    assert (len(wordings), len(draws)) == (4, 3)
    expected = {
        "std over wordings, within a draw": fmean(stdev(means[w, d] for w in sorted(wordings)) for d in sorted(draws)),
        "std over draws, under a wording": fmean(stdev(means[w, d] for d in sorted(draws)) for w in sorted(wordings)),
        "std over wordings and draws": stdev(means.values()),
    }
    for statistic, value in expected.items():
        found = [
            row.estimate
            for row in exhibit.results.select(level="overall", group="observed", statistic=statistic)
            if row.num_fewshot == 3
        ]
        assert found == [pytest.approx(value)], statistic


def test_the_average_weighs_both_groups_equally(request_: StudyRequest) -> None:
    exhibit = carry_out(FewShot(), request_)
    for shots in (0, 1, 3):
        means = [
            row.estimate
            for row in exhibit.results.select(level="overall", statistic="mean")
            if row.num_fewshot == shots and row.run.startswith(str(request_.out))
        ]
        (average,) = [
            row.estimate
            for row in exhibit.results.select(level="overall", statistic="average of groups")
            if row.num_fewshot == shots
        ]
        assert len(means) == 2
        assert average == pytest.approx(fmean(means))


def test_the_run_without_demonstrations_is_that_of_table_3(tmp_path: Path) -> None:
    from phraseproof.studies.table_3 import TableThree

    request = StudyRequest(models=("google/flan-t5-base",), out=tmp_path, limit=5)
    shared, _ = FewShot().plan(request)
    assert shared.folder == TableThree().plan(request)[0].folder


@pytest.mark.skipif(not RESULTS.is_dir(), reason="the paper's published result files are not here")
def test_the_released_one_shot_accuracies_give_18_of_26_printed_figures(tmp_path: Path) -> None:
    file = RESULTS / "one-shot-bbl-flan-t5-xl.csv"
    run = import_published(read_published([file]), tmp_path / "run")
    exhibit = carry_out(FewShot(), StudyRequest(runs=(run.path,), out=tmp_path / "studies"))
    table = exhibit.tables[-1]
    assert table.lines == ("18 of 26 printed figures follow from the accuracies of single wordings.",)
    assert {(row[2], row[3], row[4]) for row in table.rows} >= {
        ("bbl/novel_concepts", "35.1 ± 5.2", "34.0 ± 6.0"),
        ("bbl/winowhy", "66.3 ± 8.8", "65.3 ± 9.7"),
    }
