"""A model paraphrases the wordings of a study: the scripted one, whose answers are in a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof import models
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.instructions.collections import load_collection
from phraseproof.instructions.paraphrase_journal import journal_path
from phraseproof.studies.carry_out import carry_out, study
from phraseproof.studies.paraphrase_sources import ParaphraseSources
from phraseproof.studies.paraphrase_step import paraphrase_steps, paraphrased
from phraseproof.studies.study import StudyRequest

SEEDS = """
name: {name}
instructions:
  - {{id: a, for: binary, ask: "Say which {name} answer is right:", layout: "{{{{ question }}}}", answer: text}}
  - {{id: b, for: binary, ask: "Is it {name}?", layout: "{{{{ question }}}}", answer: text}}
  - {{id: c, for: binary, template: "{{{{ question }}}} or not?", answer: text}}
"""
ANSWERS = """
answers:
  - {to: ["Say which one", "Paraphrase this sentence"], say: "Name the answer that is right:"}
  - {to: ["Say which one", longer], say: "Read all of the answers with care, and say which of them is right:"}
  - {to: ["Is it two"], say: "Would you say that this holds?"}
"""


@pytest.fixture
def request_(tmp_path: Path) -> StudyRequest:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(SEEDS.format(name=name), encoding="utf-8")
    (tmp_path / "answers.yaml").write_text(ANSWERS, encoding="utf-8")
    return StudyRequest(
        instructions={"observed": (str(tmp_path / "one.yaml"), str(tmp_path / "two.yaml"))},
        paraphrasers=("scripted",),
        paraphraser_args={"answers": str(tmp_path / "answers.yaml")},
        out=tmp_path / "out",
    )


def test_a_study_makes_its_paraphrases_and_describes_them(request_: StudyRequest) -> None:
    exhibit = carry_out(ParaphraseSources(), request_)
    (step,) = paraphrase_steps(request_)
    one, two = (load_collection(path) for path in step.collections)
    assert [each.ask for each in one.instructions] == [
        "Name the answer that is right:", "Read all of the answers with care, and say which of them is right:",
    ]  # fmt: skip
    # The three prompts get one answer for the seed b of the second collection: its repetitions are dropped.
    assert [each.ask for each in two.instructions] == ["Would you say that this holds?"]
    ((name, collections, number, length, _),) = exhibit.tables[0].rows
    assert (name, number) == ("scripted", "3")
    folder = f"paraphrases/{step.folder.name}"
    assert collections == f"{folder}/one-by-scripted.yaml, {folder}/two-by-scripted.yaml"
    # 6, 14 and 6 words.
    assert length == "8.7 ± 4.6"
    assert exhibit.notes == ("scripted: 3 of 12 paraphrases passed the checks; 2 wordings cannot be paraphrased",)
    assert exhibit.spec is not None
    assert [(each.kind, each.identity) for each in exhibit.spec.steps] == [("ParaphraseStep", step.identity)]
    assert exhibit.spec.steps[0].folder == folder
    assert "--paraphraser scripted --paraphraser-arg answers=" in exhibit.spec.command


def test_a_stopped_paraphraser_repeats_no_answer(request_: StudyRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    (step,) = paraphrase_steps(request_)
    requested = step.forecast(timed=False)
    assert (requested.prompts, requested.missing) == (12, 12)
    step.carry_out(SilentObserver())
    journal = journal_path(Path(step.collections[0]))
    lines, first = journal.read_text(encoding="utf-8"), Path(step.collections[0]).read_text(encoding="utf-8")
    # As a kill leaves it: answers, and no result.
    (step.folder / "paraphrases.json").unlink()
    (step.folder / "one-by-scripted.yaml").unlink()
    step.carry_out(SilentObserver())
    assert journal.read_text(encoding="utf-8") == lines
    assert Path(step.collections[0]).read_text(encoding="utf-8") == first
    assert step.forecast(timed=False).missing == 0

    def unexpected(*_: object) -> None:
        raise AssertionError("a finished paraphraser is not loaded")

    monkeypatch.setattr(models, "load_model", unexpected)
    assert step.carry_out(SilentObserver()) == 0


def test_the_folder_depends_on_what_changes_a_paraphrase(request_: StudyRequest, tmp_path: Path) -> None:
    def folder(**changes: object) -> str:
        return paraphrase_steps(replace(request_, **changes))[0].folder.name  # pyright: ignore[reportArgumentType]

    assert folder() == folder(out=tmp_path / "elsewhere") == folder(limit=3)
    edited = tmp_path / "edited.yaml"
    edited.write_text(SEEDS.format(name="one").replace("right", "wrong"), encoding="utf-8")
    others = {
        folder(seed=1), folder(paraphrasers=("org/other",)), folder(paraphraser_args={}),
        folder(instructions={"observed": (str(tmp_path / "one.yaml"),)}),
        folder(instructions={"observed": (str(edited),)}),
    }  # fmt: skip
    assert len(others - {folder()}) == 5


def test_answers_that_do_not_pass_are_reported(request_: StudyRequest, tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text('answers:\n  - {to: ["a"], say: "Fill in [[9]]."}\n', encoding="utf-8")
    with pytest.raises(NotEnoughDataError, match="none of 12 paraphrases by scripted passed the checks"):
        carry_out(ParaphraseSources(), request_)


def test_options_of_a_paraphraser_need_one_and_wordings_are_named(request_: StudyRequest) -> None:
    with pytest.raises(UsageError, match="--paraphraser-arg requires --paraphraser"):
        study("paraphrase-sources", paraphraser_args={"answers": "x"}, instructions=request_.instructions)
    with pytest.raises(UsageError, match="the wordings that are paraphrased are not named"):
        paraphrased(StudyRequest(paraphrasers=("scripted",)))
