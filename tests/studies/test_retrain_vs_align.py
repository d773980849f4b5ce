"""`retrain-vs-align`: a whole study of a tiny pair of models, its costs against plain counts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from phraseproof.errors import UsageError
from phraseproof.store.queries import load_run
from phraseproof.studies.alignment_pairs import alignment_pairs
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.retrain_vs_align import ALIGNED, WITH, RetrainVsAlign, with_paraphrases
from phraseproof.studies.study import StudyRequest
from phraseproof.studies.tuning_step import TuningStep
from support.tiny_tunings import EXAMPLES

TASK = "pocket/has-maker"


@pytest.fixture
def request_(tmp_path: Path) -> StudyRequest:
    rows = [{"instruction": each.instruction, "input": each.input, "output": each.output} for each in EXAMPLES]
    (tmp_path / "alpaca.json").write_text(json.dumps(rows))
    return StudyRequest(
        models=("pocket/tiny",), data=(tmp_path / "alpaca.json",), tasks=(TASK,), limit=2, out=tmp_path / "studies"
    )


def test_the_second_tuning_has_every_paraphrase_as_well(request_: StudyRequest) -> None:
    steps = RetrainVsAlign().plan(request_)
    again, more = (step for step in steps if isinstance(step, TuningStep))
    pairs = alignment_pairs(request_, "pocket/tiny")
    added = sum(len(each.paraphrases) for each in pairs.sets)
    assert added > 0
    assert len(more.data) == len(EXAMPLES) + added
    assert more.settings == again.settings
    assert more.folder.parent == again.folder.parent
    fewer = replace(pairs, sets=pairs.sets[1:])
    assert len({again.folder, more.folder, with_paraphrases(again, fewer).folder}) == 3


def test_costs_are_counted_and_gains_are_differences_of_means(request_: StudyRequest) -> None:
    request = replace(request_, gradient_accumulation=1)
    exhibit = carry_out(RetrainVsAlign(), request)
    steps = RetrainVsAlign().plan(request)
    base, _, again, _, more, alignment, aligned = (step.folder for step in steps)
    spent, gained, paper = exhibit.tables
    by_label = {row[0]: row for row in spent.rows}
    record = json.loads((steps[3].folder / "phraseproof.json").read_text())
    # Three epochs over the data: all weights are trained.
    assert by_label[WITH][3:] == (
        f"{record['examples']['tokens']['read'] * 3:,}",
        f"{record['examples']['tokens']['read']:,}",
        f"{record['parameters']['total']:,}",
    )
    soft = json.loads((alignment / "phraseproof.json").read_text())["settings"]["num_tokens"]
    assert int(by_label[ALIGNED][5].replace(",", "")) % soft == 0

    def mean(folder: Path) -> float:
        rows = load_run(folder).wording_scores()
        return fmean(fmean(row.mean_score for row in rows if row.group == name) for name in ("observed", "unobserved"))

    gains = {row[0]: float(row[2].split("\n")[0]) for row in gained.rows}
    assert gains[ALIGNED] == pytest.approx(100 * (mean(aligned) - mean(base)), abs=0.051)
    assert gains[WITH] == pytest.approx(100 * (mean(more) - mean(again)), abs=0.051)
    assert paper.rows[1] == ("Flan-T5-XL, training with new paraphrases", "47.7", "-0.5", "4.4B", "3B")


def test_run_folders_hold_no_training(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the study trains models"):
        RetrainVsAlign().plan(StudyRequest(runs=(tmp_path,)))
