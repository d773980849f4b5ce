"""Causes in the formats for programs and documents."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from phraseproof.analysis.causes.run_scorers import run_scorers
from phraseproof.analysis.causes.scorer_sentence import scorer_sentence
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.reports.build.causes import causes_reports
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.causes import render
from phraseproof.reports.format.tables import TableFormat
from support.known_causes import two_tasks
from support.scorer_grids import one_task


def test_json_has_fractions_and_no_shares_where_chance_explains_the_spread(tmp_path: Path) -> None:
    reports = causes_reports([two_tasks(tmp_path / "run")])
    prior, equal = reports[0].causes.tasks
    document = json.loads(render(reports, TableFormat.JSON, by_wording=True).text)
    assert document["format_version"] == 1
    first, second = document["runs"][0]["causes"]["tasks"]
    assert first["shares"]["prior"]["estimate"] == prior.shares["prior"].estimate
    assert first["sentence"] == cause_sentence(prior)
    assert [each["prior_effect"] for each in first["wordings"]] == prior.effects[0].tolist()
    assert second["shares"] is None
    assert second["p_value"] == equal.p_value
    assert len(document["results"]["rows"]) > 10


def test_csv_has_a_row_per_number_and_its_sentences_are_remarks(tmp_path: Path) -> None:
    reports = causes_reports([two_tasks(tmp_path / "run")])
    rendered = render(reports, TableFormat.CSV)
    rows = list(csv.DictReader(io.StringIO(rendered.text)))
    share = next(row for row in rows if row["task"] == "answers" and row["statistic"] == "prior share")
    assert float(share["estimate"]) == pytest.approx(100 * reports[0].causes.tasks[0].shares["prior"].estimate)
    assert [line.partition(":")[0] for line in rendered.warnings] == ["answers", "equal"]


@pytest.mark.parametrize(("form", "mark"), [(TableFormat.MARKDOWN, "| ---"), (TableFormat.LATEX, "\\toprule")])
def test_documents_have_the_sentence(tmp_path: Path, form: TableFormat, mark: str) -> None:
    text = render(causes_reports([two_tasks(tmp_path / "run")]), form).text
    assert mark in text
    assert "how often" in text


def test_compared_scorers_are_in_every_format_once(tmp_path: Path) -> None:
    run = one_task(tmp_path / "run")
    reports = causes_reports([run.select(name) for name in run.scorings])
    (task,) = run_scorers(run).tasks
    first, last = json.loads(render(reports, TableFormat.JSON).text)["runs"]
    assert first["scorings"] is None
    (compared,) = last["scorings"]["tasks"]
    assert compared["sentence"] == scorer_sentence(task)
    assert compared["common"]["estimate"] == task.common.estimate
    assert [each["alone"]["high"] for each in compared["scorings"]] == [share.high for share in task.alone]
    assert compared["correlations"][0]["scorings"] == ["generate", "loglikelihood"]
    rows = list(csv.DictReader(io.StringIO(render(reports, TableFormat.CSV).text)))
    (common,) = [row for row in rows if row["statistic"] == "common share"]
    assert common["scoring"] == "generate,loglikelihood"
    for form in (TableFormat.TEXT, TableFormat.MARKDOWN, TableFormat.LATEX):
        text = render(reports, form, screen=Screen(1000)).text.replace("\\", "")
        assert text.count(scorer_sentence(task)) == 1
