"""Components of variance in every format, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.analysis.facets.run import run_facets
from phraseproof.reports.build.facets import facets_reports
from phraseproof.reports.format.facets import render
from phraseproof.reports.format.tables import TableFormat
from support.command_line import run_command
from support.facet_runs import drawn_run


def test_json_holds_components_spreads_and_efforts(tmp_path: Path) -> None:
    run = drawn_run(tmp_path)
    document = json.loads(render(facets_reports([run]), TableFormat.JSON).text)
    (entry,) = document["runs"]
    tasks = entry["facets"]["tasks"]
    for task, found in zip(tasks, run_facets(run).tasks, strict=True):
        assert task["levels"] == found.design.levels
        by_name = {" x ".join(each["facets"]): each for each in task["components"]}
        for facets, component in found.components.items():
            each = by_name[" x ".join(facets)]
            assert (each["variance"], each["low"], each["high"]) == (component.estimate, component.low, component.high)
        assert sum(each["share"] for each in task["components"]) == pytest.approx(1)
        assert task["effort"]["twice"]["examples"]["standard_error_of_mean"] == found.doubled["examples"].mean
        assert task["effort"]["now"]["prompts"] == found.design.scores.size
        assert task["spreads"][0]["mean"] == found.spreads[0].mean
    assert any(row["statistic"] == "std over draws" for row in document["results"]["rows"])


def test_csv_has_a_row_for_each_statistic(tmp_path: Path) -> None:
    run = drawn_run(tmp_path, shots=(1,), orders=1)
    lines = render(facets_reports([run]), TableFormat.CSV).text.splitlines()
    assert sum("share of" in line for line in lines) == 2 * 7


def test_options_that_facets_do_not_use_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = drawn_run(tmp_path, shots=(0,), orders=1)
    found = run_command(capsys, "table", run.path, "--facets", "--causes")
    assert found.code == 2
    assert "--facets does not use --causes" in found.err
