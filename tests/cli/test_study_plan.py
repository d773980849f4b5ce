"""Plans of studies as text and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from phraseproof.cli.study_plan import plans_json, plans_text
from phraseproof.reports.build.run_tables import Screen
from phraseproof.studies.carry_out import PlannedStep
from phraseproof.studies.registry import study_named
from phraseproof.studies.steps import GivenRun
from phraseproof.studies.study import StepForecast, StudyRequest

STUDY = study_named("table-3")
STEP = PlannedStep(GivenRun(Path("runs/x")), StepForecast(1200, 300, tokens=45_000, seconds=600))


def test_text_names_what_a_study_shows_and_costs() -> None:
    text = plans_text([(STUDY, [STEP], "")], StudyRequest(models=("m",), limit=5), Screen(100))
    assert text.startswith("table-3  Tables 3, 19")
    assert "1,200" in text
    assert "45,000" in text
    assert "10 min" in text
    assert "For m with at most 5 examples per task." in text


def test_a_remark_follows_its_step() -> None:
    step = PlannedStep(GivenRun(Path("runs/x")), StepForecast(16, 16, remark="4 training steps"))
    lines = plans_text([(STUDY, [step], "")], StudyRequest(), Screen(100)).splitlines()
    (place,) = [number for number, line in enumerate(lines) if "runs/x" in line]
    assert lines[place + 1].strip() == "4 training steps"


def test_a_study_that_cannot_be_planned_says_why() -> None:
    text = plans_text([(STUDY, [], "no such collection")], StudyRequest(), Screen(100))
    assert "cannot be planned: no such collection" in text


def test_json_has_every_step() -> None:
    (study,) = json.loads(plans_json([(STUDY, [STEP], "")]))["studies"]
    assert study["name"] == "table-3"
    (step,) = study["steps"]
    assert (step["folder"], step["prompts"], step["missing"]) == ("runs/x", 1200, 300)
    assert (step["tokens"], step["seconds"], step["remark"]) == (45_000, 600, "")
