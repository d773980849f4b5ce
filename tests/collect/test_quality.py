"""Quality of collected wordings: counted by hand, ROUGE-2 by rouge-score, agreement from the stored answers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from statistics import fmean

import pytest
from rouge_score.rouge_scorer import RougeScorer

import phraseproof
from phraseproof.collect.export import Exported, collected_instructions, export_collection
from phraseproof.collect.project_tasks import load_project_tasks, project_tasks
from phraseproof.collect.quality import CollectQuality, quality_of
from phraseproof.collect.store import CollectStore
from phraseproof.core import Prompt, Task
from phraseproof.errors import NotEnoughDataError
from phraseproof.instructions.collections import Collection
from phraseproof.models.scripted import ScriptedModel
from support.collecting import LATER, LICENCE, TEAMS, TICKETS, project_with, small_project, write_tickets

TEXTS = {
    "Ada": ["Which team should answer this message", "Which team should read this message please"],
    "Ben": ["Sort the message", "Which team should answer this message now"],
    "Cid": ["one " * 60 + "team"],
}
SEEDS = ["Which team should answer", "Name the team for the message"]


def _collected(folder: Path) -> Exported:
    store, people = project_with(folder, *TEXTS)
    for person, texts in zip(people, TEXTS.values(), strict=True):
        for row, text in enumerate(texts, start=1):
            store.save(person.id, "teams", "zero-shot" if row == 1 else "few-shot", row, text, answer=None, base=None)
        store.submit(person.id, "teams")
    exported = collected_instructions(
        store, {"teams": TEAMS}, name="ours", kinds=("zero-shot", "few-shot"), statuses=("submitted",)
    )
    store.close()
    return exported


def test_lengths_and_similarities_by_author(tmp_path: Path) -> None:
    seeds = Collection(
        "seeds", tuple(phraseproof.Instruction(str(n), "seeds", ask=text) for n, text in enumerate(SEEDS))
    )
    found = quality_of(_collected(tmp_path), {"teams": TEAMS}, seeds=[seeds])
    everyone, ada, ben, cid = found.texts
    assert [each.author for each in found.texts] == [None, "Ada", "Ben", "Cid"]
    assert ada.counts == {"zero-shot": 1, "few-shot": 1}
    assert (ada.length.mean, ada.length.least, ada.length.greatest) == (6.5, 6, 7)
    assert (cid.length.std, cid.rouge2_own) == (None, None)
    scorer = RougeScorer(["rouge2"])

    def likeness(one: str, other: str) -> float:
        return scorer.score(one, other)["rouge2"].fmeasure

    others = [*TEXTS["Ben"], *TEXTS["Cid"]]
    assert ada.rouge2_seeds == pytest.approx(fmean(likeness(a, s) for a in TEXTS["Ada"] for s in SEEDS))
    assert ada.rouge2_own == pytest.approx(likeness(*TEXTS["Ada"]))
    assert ada.rouge2_others == pytest.approx(fmean(likeness(a, o) for a in TEXTS["Ada"] for o in others))
    assert ada.nearest == pytest.approx(fmean(max(likeness(a, o) for o in others) for a in TEXTS["Ada"]))
    pairs = [
        likeness(one, other)
        for first, second in combinations(TEXTS, 2)
        for one in TEXTS[first]
        for other in TEXTS[second]
    ]
    assert everyone.rouge2_others == pytest.approx(fmean(pairs))
    assert everyone.nearest == pytest.approx((2 * (ada.nearest or 0) + 2 * (ben.nearest or 0) + (cid.nearest or 0)) / 5)
    unusual = [(each.what, each.instruction, each.other) for each in found.unusual]
    assert ("length", "teams-zero-shot-Cid-1", "") in unusual
    # By table, then author: Ada's first wording is compared before Ben's second.
    assert ("near-duplicate", "teams-few-shot-Ben-2", "teams-zero-shot-Ada-1") in unusual


def test_without_seeds_and_others_nothing_is_made_up(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    with pytest.raises(NotEnoughDataError, match="there are no wordings"):
        quality_of(Exported((), (), ()), {"teams": TEAMS})
    store.save(ada.id, "teams", "zero-shot", 1, "Which?", answer=None, base=None)
    store.submit(ada.id, "teams")
    exported = collected_instructions(store, {"teams": TEAMS}, name="o", kinds=("zero-shot",), statuses=("submitted",))
    for each in quality_of(exported, {"teams": TEAMS}).texts:
        assert (each.rouge2_seeds, each.rouge2_own, each.rouge2_others, each.nearest) == (None,) * 4


TEAM_OF = {message: team for message, _, team in (line.partition(",") for line in TICKETS.splitlines()[1:])}


def _erring(errs: Callable[[str, str], bool]) -> ScriptedModel:
    """A model that answers rightly, but with the next team where it errs, by the wording and the message."""
    teams = sorted(set(TEAM_OF.values()))

    def score(prompt: Prompt, option: str) -> float:
        asked = prompt.text.partition("\n")[0]
        message = next(each for each in TEAM_OF if each in prompt.text)
        place = teams.index(TEAM_OF[message]) + errs(asked, message)
        return float(option == teams[place % len(teams)])

    return ScriptedModel(score)


def _evaluated(
    tmp_path: Path, model: str | ScriptedModel = "scripted", *, rows: int = 6
) -> tuple[CollectStore, dict[str, Task], Path]:
    path = write_tickets(tmp_path)
    (tmp_path / "tickets.csv").write_text("".join(TICKETS.splitlines(keepends=True)[: rows + 1]), encoding="utf-8")
    tasks = project_tasks([str(path)])
    store = CollectStore.create(tmp_path / "project", small_project(tasks=tasks))
    loaded = load_project_tasks(store.project)
    for name in ("Ada", "Ben", "Cid"):
        person = store.invite(name, expires=LATER)
        store.agree(person.id, LICENCE)
        for row in (1, 2):
            store.save(person.id, "tickets", "zero-shot", row, f"{name} asks {row}", answer=None, base=None)
        for wording in store.submit(person.id, "tickets"):
            store.accept(wording.id, by="boss")
    path = tmp_path / "ours.yaml"
    export_collection(store, loaded, path, name="ours", kinds=("zero-shot",))
    phraseproof.evaluate(model, str(tmp_path / "tickets.yaml"), {"people": str(path)}, tmp_path / "run")
    return store, loaded, tmp_path / "run"


def _quality(store: CollectStore, tasks: dict[str, Task], run: Path) -> CollectQuality:
    exported = collected_instructions(store, tasks, name="x", kinds=("zero-shot",))
    return quality_of(exported, tasks, run=phraseproof.load_run(run))


def test_answers_under_one_author_and_under_the_others(tmp_path: Path) -> None:
    store, tasks, folder = _evaluated(tmp_path)
    found = _quality(store, tasks, folder)
    rows = phraseproof.load_run(folder).outcomes().to_pylist()
    answers: dict[str, list[int]] = {}
    scores: dict[str, list[float]] = {}
    for row in sorted(rows, key=lambda row: row["example_id"]):
        answers.setdefault(row["instruction"], []).append(row["predicted"])
        scores.setdefault(row["instruction"], []).append(row["score"])

    def same(one: str, other: str) -> float:
        return fmean(a == b for a, b in zip(answers[one], answers[other], strict=True))

    ada = [name for name in answers if "-Ada-" in name]
    others = [name for name in answers if "-Ada-" not in name]
    assert (len(ada), len(others)) == (2, 4)
    everyone, first, *_ = found.answers
    assert (first.author, first.wordings, first.num_fewshot) == ("Ada", 2, 0)
    assert first.agreement == pytest.approx(fmean(same(one, other) for one in ada for other in others))
    assert first.score == pytest.approx(fmean(fmean(scores[name]) for name in ada))
    assert everyone.agreement == pytest.approx(fmean(same(*pair) for pair in combinations(answers, 2)))
    assert everyone.kappa is not None
    of_ben = [name for name in answers if "-Ben-" in name]
    assert [(each.first, each.second) for each in found.pairs] == [("Ada", "Ben"), ("Ada", "Cid"), ("Ben", "Cid")]
    assert found.pairs[0].agreement == pytest.approx(fmean(same(one, other) for one in ada for other in of_ben))
    assert found.notes == ()


def test_a_wording_that_scores_low_and_agrees_with_none_is_unusual(tmp_path: Path) -> None:
    store, tasks, folder = _evaluated(tmp_path, _erring(lambda asked, _: asked == "Ben asks 1"))
    unusual = _quality(store, tasks, folder).unusual
    # All others score 1, and agree with four of five wordings: the fences are at the quartiles.
    assert [(each.what, each.instruction, each.value) for each in unusual] == [
        ("score", "tickets-zero-shot-Ben-1", 0),
        ("agreement", "tickets-zero-shot-Ben-1", 0),
    ]
    assert [each.limit for each in unusual] == pytest.approx([1, 0.8])


def test_equal_values_are_not_unusual_where_their_sums_round_differently(tmp_path: Path) -> None:
    first, second, third = list(TEAM_OF)[:3]
    erring = {"Ada asks 1": first, "Ada asks 2": second, "Ben asks 1": third}
    erring |= {"Ben asks 2": first, "Cid asks 1": second, "Cid asks 2": third}
    model = _erring(lambda asked, message: erring[asked] == message)
    store, tasks, folder = _evaluated(tmp_path, model, rows=3)
    found = _quality(store, tasks, folder)
    # Every wording agrees with one other on all messages, and with four on one of three.
    assert found.answers[0].agreement == pytest.approx((1 + 4 / 3) / 5)
    assert found.unusual == ()


def test_wordings_that_changed_after_the_run_are_left_out_of_its_figures(tmp_path: Path) -> None:
    store, tasks, folder = _evaluated(tmp_path)
    first, second, *others = store.wordings()
    store.edit(first.id, "Ada asks otherwise", by="boss")
    store.edit(second.id, second.text, by="boss", answer="letter")
    found = _quality(store, tasks, folder)
    assert [(each.author, each.wordings) for each in found.answers] == [(None, 4), ("Ben", 2), ("Cid", 2)]
    names = "tickets-zero-shot-Ada-1, tickets-zero-shot-Ada-2"
    assert found.notes == (f"left out of the run's figures, because they were changed after it: {names}",)
    for wording in others:
        store.edit(wording.id, f"{wording.text}!", by="boss")
    with pytest.raises(NotEnoughDataError, match="the run has none of these wordings"):
        _quality(store, tasks, folder)
