"""`paraphrase-sources`: length and similarity of the paraphrases of each source, and what is trained on them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from phraseproof.errors import UsageError
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.instructions.collections import load_collection
from phraseproof.store.queries import load_run
from phraseproof.studies.alignment_step import AlignmentStep
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.paraphrase_sources import ParaphraseSources, describe_sources
from phraseproof.studies.study import StudyRequest

SEEDS = """
name: seeds
instructions:
  - {id: a, for: binary, ask: "Say which answer is right:", layout: "{{ question }}", answer: text}
  - {id: b, for: binary, ask: "Is it so?", layout: "{{ question }}", answer: text}
"""
SHORT = """
name: short
instructions:
  - {id: a~1, for: binary, ask: "Which answer is right:", layout: "{{ question }}", answer: text}
  - {id: b~1, for: binary, ask: "Is that so?", layout: "{{ question }}", answer: text}
"""
COPY = """
name: copy
instructions:
  - {id: a~1, for: binary, ask: "SAY which answer is right!", layout: "{{ question }}", answer: text}
"""


def request(folder: Path) -> StudyRequest:
    for name, text in (("seeds", SEEDS), ("short", SHORT), ("copy", COPY)):
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    files = {name: (str(folder / f"{name}.yaml"),) for name in ("seeds", "short", "copy")}
    groups = {"observed": files["seeds"], "brief": files["short"], "copied": files["copy"]}
    return StudyRequest(instructions=groups, out=folder / "out")


def test_every_other_group_is_a_source_and_is_compared_with_the_observed_wordings(tmp_path: Path) -> None:
    exhibit = carry_out(ParaphraseSources(), request(tmp_path))
    own, paper = exhibit.tables
    # Pairs of words: a 3 of 4 and 3, so 6/7; b "is that", "that so" share none with "is it", "it so".
    assert [row[0] for row in own.rows] == ["brief", "copied"]
    assert own.rows[0][2:] == ("2", "3.5 ± 0.7", "42.9 ± 60.6")
    assert own.rows[1][2:] == ("1", "5.0", "100.0")
    (similarity,) = exhibit.results.select(group="brief", statistic="ROUGE-2 with the seed")
    assert (similarity.estimate, similarity.unit) == (pytest.approx(100 * 3 / 7), "%")
    assert paper.rows[-1] == ("GPT-4", "165 ± 76", "45.8 ± 39.1")
    assert not [line for line in own.lines if "do not name their seed" in line]


def test_every_source_has_a_training_on_its_paraphrases_alone(tmp_path: Path) -> None:
    request = StudyRequest(models=("pocket/tiny",), tasks=("pocket/has-maker",), limit=2, seeds=2, out=tmp_path)
    base, *others = ParaphraseSources().plan(request)
    trainings = [step for step in others if isinstance(step, AlignmentStep)]
    assert [(step.label, step.settings.seed) for step in trainings] == [
        (source, seed) for seed in (0, 1) for source in ("other-words", "longer", "known")
    ]
    assert {step.settings.method for step in trainings} == {"pt+kl"}
    used = [{origin.name.partition("/")[0] for pair in step.pairs for origin in pair.origins} for step in trainings]
    known = "pocket-observed"
    assert used[:3] == [{known, "pocket-paraphrase"}, {known, "pocket-validation"}, {known}]
    assert len({step.folder for step in (base, *others)}) == 1 + 2 * 6
    assert len({step.title for step in (base, *others)}) == 1 + 2 * 6
    assert trainings[0].title == "align pocket/tiny by pt+kl, seed 0 (other-words)"


def test_a_small_study_with_two_seeds(tmp_path: Path) -> None:
    request = StudyRequest(
        models=("pocket/tiny",),
        tasks=("pocket/has-maker",),
        limit=2,
        max_steps=3,
        gradient_accumulation=1,
        instructions={"mine": ("pocket-paraphrase",)},
        seeds=2,
        out=tmp_path,
    )
    exhibit = carry_out(ParaphraseSources(), request)
    base, _, one, _, two = ParaphraseSources().plan(request)

    def mean(folder: Path) -> float:
        return fmean(row.mean_score for row in load_run(folder).wording_scores() if row.group == "unobserved")

    gains = [100 * (mean(each.folder) - mean(base.folder)) for each in (one, two)]
    rows = exhibit.results.select(statistic="difference from the base", level="overall", group="unobserved")
    assert [row.estimate for row in rows] == [pytest.approx(gain) for gain in gains]
    assert {row.method.rpartition("; ")[2] for row in rows} == {"aligned with paraphrases of mine"}
    _, _, table, _, seeds, paper = exhibit.tables
    assert [row[1] for row in table.rows] == ["base", "mine, seed 0", "mine, seed 1"]
    row = next(row for row in seeds.rows if row[2] == "unobserved")
    assert (row[1], float(row[3]), row[-1]) == ("mine", pytest.approx(fmean(gains), abs=0.051), "2")
    assert paper.rows[2:4] == (("Llama2-13B", "MMLU", "48.0", "47.6", "47.8"), ("", "BBL", "55.4", "50.8", "53.1"))


def test_trainings_on_what_a_paraphraser_makes_are_planned_when_it_is_there(tmp_path: Path) -> None:
    # The paraphraser sees a mark in place of each placeholder, of which these wordings have one at most.
    asks = [re.sub(r"{{.*?}}", "[[1]]", each.ask or "") for each in load_collection("pocket-observed").instructions]
    answers = [
        {"to": [ask, "Paraphrase this sentence"], "say": f"Please consider this with care, and then: {ask}"}
        for ask in asks
    ]
    (tmp_path / "answers.yaml").write_text(json.dumps({"answers": answers}), encoding="utf-8")
    request = StudyRequest(
        models=("pocket/tiny",),
        tasks=("pocket/has-maker",),
        limit=2,
        instructions={"mine": ("pocket-paraphrase",)},
        paraphrasers=("scripted",),
        paraphraser_args={"answers": str(tmp_path / "answers.yaml")},
        out=tmp_path / "out",
    )
    study = ParaphraseSources()
    before = study.plan(request)
    assert [step.label for step in before if isinstance(step, AlignmentStep)] == ["mine"]
    (paraphrases,) = study.first(request)
    assert paraphrases.folder == before[0].folder
    paraphrases.carry_out(SilentObserver())
    assert study.first(request) == []
    trainings = {step.label: step for step in study.plan(request) if isinstance(step, AlignmentStep)}
    assert list(trainings) == ["mine", "scripted"]
    used = {text for pair in trainings["scripted"].pairs for text in pair.paraphrases}
    assert used
    assert all("Please consider this with care, and then: " in text for text in used)


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = replace(request(tmp_path), paraphrasers=("brief",))
    with pytest.raises(UsageError, match="two sources of paraphrases have the same name"):
        ParaphraseSources().plan(twice)


def test_paraphrases_of_no_known_wording_are_refused_before_anything_is_trained(tmp_path: Path) -> None:
    instructions = {"other-tasks": ("closer-look-closest",)}
    odd = StudyRequest(models=("pocket/tiny",), instructions=instructions, out=tmp_path)
    with pytest.raises(UsageError, match="no wording is known that 'closer-look-closest/"):
        ParaphraseSources().plan(odd)


def test_files_of_pairs_and_runs_name_no_sources(tmp_path: Path) -> None:
    run = StudyRequest(runs=(tmp_path,), instructions={"mine": ("pocket-paraphrase",)})
    with pytest.raises(UsageError, match="does not say whose paraphrases its model was aligned with"):
        ParaphraseSources().plan(run)
    request = StudyRequest(models=("pocket/tiny",), pairs=tmp_path / "pairs.jsonl")
    with pytest.raises(UsageError, match="a file of pairs is one source"):
        ParaphraseSources().plan(request)


def test_nothing_is_evaluated_without_a_model() -> None:
    request = StudyRequest(instructions={"mine": ("pocket-paraphrase",), "unobserved": ("pocket-test",)})
    with pytest.raises(UsageError, match="--unobserved has no effect without a model"):
        ParaphraseSources().plan(request)


def test_the_pocket_has_three_sources_of_its_own() -> None:
    found = describe_sources(StudyRequest(models=("pocket",)))
    assert [(each.name, each.found.wordings) for each in found] == [("other-words", 36), ("longer", 78), ("known", 36)]


def test_sources_and_the_wordings_they_paraphrase_must_be_named() -> None:
    with pytest.raises(UsageError, match="no source of paraphrases is named"):
        describe_sources(StudyRequest(models=("some/model",)))
    with pytest.raises(UsageError, match="the wordings that are paraphrased are not named"):
        describe_sources(StudyRequest(instructions={"mine": ("pocket-test",)}))
