"""A run folder that version 0.1.0 wrote before cells had a scorer, a metric, option tokens, credits and references."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import phraseproof
from phraseproof.core import OptionScores, Prompt
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import load_run

OLD = Path(__file__).parents[1] / "support" / "old_run"


class Watched(ScriptedModel):
    """The scripted model, which remembers the prompts that it scored."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> list[OptionScores]:
        self.asked += [prompt.text for prompt in prompts]
        return super().score_options(prompts, method=method, on_done=on_done)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "old"
    shutil.copytree(OLD, copy)
    monkeypatch.chdir(copy)
    return copy / "run"


def test_it_is_read_and_its_rows_name_scorer_and_metric(folder: Path) -> None:
    run = load_run(folder)
    assert (run.scorings, run.scoring) == (("loglikelihood",), "loglikelihood")
    assert {(cell.scoring, cell.metric) for cell in run.cells} == {("loglikelihood", "accuracy")}
    assert [row.mean_score for row in run.wording_scores()] == [0.5, 0.25]
    rows = run.outcomes().to_pylist()
    assert len(rows) == 8
    assert {(row["scoring"], row["metric"], row["reference"]) for row in rows} == {("loglikelihood", "accuracy", None)}
    assert {row["option_tokens"] for row in rows} == {None}
    (first, _) = run.read_cells(["example_id", "option_credits"])
    assert first[1]["option_credits"].to_pylist() == [None] * 4


def test_the_same_evaluation_finds_everything_stored(folder: Path) -> None:
    before = load_run(folder).outcomes()
    model = Watched()
    run = phraseproof.evaluate(model, "task.yaml", {"mine": "mine.yaml"}, folder, limit=4)
    assert model.asked == []
    assert run.outcomes().equals(before)


def test_it_grows_and_only_what_is_new_is_scored(folder: Path) -> None:
    model = Watched()
    run = phraseproof.evaluate(model, "task.yaml", {"mine": "mine.yaml"}, folder, limit=6, self_test=False)
    assert len(model.asked) == 2 * 2
    scratch = phraseproof.evaluate(
        Watched(), "task.yaml", {"mine": "mine.yaml"}, folder / "new", limit=6, sample="random"
    )
    names = ("instruction", "example_id", "option_logprobs", "option_credits", "predicted", "score", "scoring")
    assert [[row[name] for name in names] for row in run.outcomes().to_pylist()] == [
        [row[name] for name in names] for row in scratch.outcomes().to_pylist()
    ]


def test_another_wording_beside_old_cells_is_read_with_them(folder: Path) -> None:
    """Old files lack columns that new ones have."""
    (folder.parent / "more.yaml").write_text(
        "name: more\ninstructions:\n  - {id: a, ask: 'A side?', layout: '{{ word }}', answer: text}\n"
    )
    phraseproof.evaluate(Watched(), "task.yaml", {"mine": "mine.yaml", "more": "more.yaml"}, folder, limit=4)
    rows = load_run(folder).query_rows("SELECT DISTINCT instruction, option_tokens FROM outcomes")
    tokens = {row["instruction"]: row["option_tokens"] for row in rows}
    assert tokens == {"mine/side": None, "mine/half": None, "more/a": [1, 1]}
    counts = load_run(folder).query_rows("SELECT count(*) AS n, count(option_tokens) AS known FROM outcomes")
    assert counts == [{"n": 12, "known": 4}]
