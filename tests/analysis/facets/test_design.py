"""The crossed scores of a run, against its stored rows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import phraseproof
from phraseproof.analysis.facets.design import load_designs
from phraseproof.core import Example, Kind, Prompt, Sampling, Task
from phraseproof.errors import RunError
from phraseproof.models.scripted import ScriptedModel
from phraseproof.scoring.registry import metric
from support.facet_runs import drawn_run


def numbers(count: int) -> Task:
    examples = (Example(str(n), {"question": f"Is it {n}?"}, ("y", "n"), (1.0, 0.0)) for n in range(count))
    return Task("t", Kind.BINARY, "t", tuple(examples))


def test_every_cell_is_the_score_that_is_stored(tmp_path: Path) -> None:
    run = drawn_run(tmp_path)
    designs, without = load_designs(run)
    assert without == []
    assert [(each.num_fewshot, each.group) for each in designs] == [
        (0, "mine"),
        (0, "other"),
        (1, "mine"),
        (1, "other"),
    ]
    assert designs[0].levels == {"wordings": 3, "orders": 2, "examples": 12}
    mine = designs[2]
    assert mine.levels == {"wordings": 3, "draws": 3, "orders": 2, "examples": 12}
    assert mine.wordings == ("mine/w0", "mine/w1", "mine/w2")
    assert mine.left_out == "left out: 1 of 4 wordings that do not have every draw and order (mine/unlisted, ...)"
    stored = {
        (row["instruction"], row["fewshot_seed"], row["option_order"], row["example_id"]): row["score"]
        for row in run.query_rows("SELECT * FROM outcomes WHERE \"group\" = 'mine' AND num_fewshot = 1")
    }
    for (wording, draw, order, example), score in np.ndenumerate(mine.scores):
        assert score == stored[mine.wordings[wording], mine.seeds[draw], mine.orders[order], f"q{example}"]


def test_a_failed_cell_leaves_its_wording_out(tmp_path: Path) -> None:
    run = drawn_run(tmp_path, shots=(1,), orders=1)
    (cell,) = (
        cell for cell in run.cells if (cell.instruction, cell.fewshot_seed, cell.group) == ("mine/w1", 2, "mine")
    )
    next((run.path / "cells").rglob(f"{cell.identity}*.parquet")).unlink()
    mine, _ = load_designs(phraseproof.load_run(run.path))[0]
    assert mine.wordings == ("mine/w0", "mine/w2", "mine/unlisted")
    assert mine.levels == {"wordings": 3, "draws": 3, "examples": 12}
    assert "mine/w1" in mine.left_out


def test_one_wording_and_one_draw_are_no_design(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        json.dumps({"name": "one", "instructions": [{"id": "a", "template": "{{ q }}"}]})
    )
    task = Task("t", Kind.BINARY, "t", tuple(Example(str(n), {"q": str(n)}, ("y", "n"), (1.0, 0.0)) for n in range(3)))
    wordings = {"g": tmp_path / "one.yaml"}
    run = phraseproof.evaluate("scripted", task, wordings, tmp_path / "run", self_test=False)
    designs, ((name, shots, group, why),) = load_designs(run)
    assert (designs, name, shots, group) == ([], "t", 0, "g")
    assert why == "it needs two wordings, draws or orders"


def test_a_corpus_metric_has_jackknife_values_whose_mean_is_the_metric(tmp_path: Path) -> None:
    entries = [{"id": name, "template": f"{name} {{{{ text }}}}"} for name in ("Translate", "Render")]
    (tmp_path / "w.yaml").write_text(json.dumps({"name": "w", "instructions": entries}))
    words = ["the", "cat", "sat", "on", "a", "red", "mat", "and", "saw", "the", "old", "dog", "run", "by"]
    task = Task(
        "texts",
        Kind.TRANSLATION,
        "texts",
        tuple(Example(str(n), {"text": f"t{n}"}, reference=" ".join(words[n : n + 8])) for n in range(5)),
    )

    def write(prompt: Prompt, sampling: Sampling) -> str:
        del sampling
        start = len(prompt.text) % 3 + int(prompt.text[-1])
        return " ".join(words[start : start + 7])

    model = ScriptedModel(write=write, writes="words")
    run = phraseproof.evaluate(
        model, task, {"g": tmp_path / "w.yaml"}, tmp_path / "run", num_fewshot=1, fewshot_draws=2, self_test=False
    )
    ((design,), _) = load_designs(run)
    assert design.levels == {"wordings": 2, "draws": 2, "examples": 5}
    bleu = metric("bleu")
    for place, wording in enumerate(design.wordings):
        for draw, seed in enumerate(design.seeds):
            rows = run.query_rows(
                "SELECT statistics FROM outcomes WHERE instruction = ? AND fewshot_seed = ?", [wording, seed]
            )
            summed = np.sum([row["statistics"] for row in rows], axis=0)
            assert design.scores[place, draw].mean() == pytest.approx(float(bleu.aggregate(summed, len(rows))))


def test_a_run_with_a_budget_is_refused(tmp_path: Path) -> None:
    run = drawn_run(tmp_path, shots=(0,), orders=1, draws=1)
    shared = phraseproof.evaluate(
        ScriptedModel(),
        Task(
            "t",
            Kind.BINARY,
            "t",
            tuple(Example(str(n), {"question": f"{n}"}, ("y", "n"), (1.0, 0.0)) for n in range(9)),
        ),
        {"mine": run.path.parent / "mine.yaml"},
        tmp_path / "share",
        budget="50%",
        self_test=False,
    )
    with pytest.raises(RunError, match="of its grid"):
        load_designs(shared)
