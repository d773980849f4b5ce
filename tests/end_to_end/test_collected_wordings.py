"""From a spreadsheet of colleagues' wordings to figures of a real model, through the command line alone."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from statistics import fmean

import pytest
from openpyxl import Workbook

import phraseproof
from phraseproof.core import Relation
from phraseproof.instructions.collections import load_collection
from support.collecting import write_tickets
from support.command_line import run_command
from support.real_models import plain_smollm2

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("smollm2"), pytest.mark.timeout(1200)]

ROWS = [
    ["Wordings for our tickets"],
    ["Author", "Task", "Kind", "Wording"],
    ["Ada", "tickets", "zero-shot", "Which team should handle this message?"],
    [None, None, None, "{message}\nIs this about billing, a bug or praise? It is about"],
    [None, None, "few-shot", "Name the team that should answer."],
    ["Ben", None, "zero-shot", "Sort the message: choose one of the following teams."],
    [None, None, None, "{message}\nOptions: {choiceA}, {choiceB}, {choiceC}\nThe best option is"],
]


def test_a_collected_collection_is_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain_smollm2()  # skips where the model is not installed

    def run(*words: str | Path) -> str:
        done = run_command(capsys, *words)
        assert done.code == 0, done.err
        return done.out

    task, project, people = write_tickets(tmp_path), tmp_path / "project", tmp_path / "people.yaml"
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in ROWS:
        sheet.append(row)
    workbook.save(tmp_path / "wordings.xlsx")
    run("collect", "new", task, "-o", project)
    run("collect", "import", project, tmp_path / "wordings.xlsx", "--licence", "CC-BY-4.0")
    run("collect", "review", project, "--accept", "all")
    run("collect", "export", project, "-o", people)
    collection = load_collection(str(people))
    assert [(each.author, each.relation, each.licence) for each in collection.instructions] == [
        (author, Relation.UNOBSERVED, "CC-BY-4.0") for author in ("Ada", "Ada", "Ben", "Ben")
    ]
    run(
        "evaluate",
        "-m",
        "smollm2",
        "-t",
        task,
        "-i",
        f"people={people}",
        "-o",
        tmp_path / "run",
        "--prompt-format=plain",
    )
    rows = phraseproof.load_run(tmp_path / "run").outcomes().to_pylist()
    answers: dict[str, dict[str, int]] = {}
    for row in rows:
        answers.setdefault(row["instruction"], {})[row["example_id"]] = row["predicted"]
    assert answers.keys() == {each.name for each in collection.instructions}
    assert {len(each) for each in answers.values()} == {6}
    quality = json.loads(run("collect", "quality", project, "--run", tmp_path / "run", "--json"))
    everyone = quality["answers"][0]
    assert (everyone["author"], everyone["wordings"]) == (None, 4)
    assert everyone["score"] == pytest.approx(fmean(row["score"] for row in rows))
    same = [fmean(answers[a][id_] == answers[b][id_] for id_ in answers[a]) for a, b in combinations(answers, 2)]
    assert everyone["agreement"] == pytest.approx(fmean(same))
    # What plain transformers gives for the prompts that can be read off the spreadsheet.
    for wording, prompt in (
        ("Ada-1", "Which team should handle this message?\n\nIt crashes.\n- billing\n- bug\n- praise\nAnswer:"),
        ("Ben-2", "It crashes.\nOptions: billing, bug, praise\nThe best option is"),
    ):
        name = f"people/tickets-zero-shot-{wording}"
        stored = next(row for row in rows if row["instruction"] == name and row["example_id"] == "1")
        expected = [_log_probability(prompt, f" {option}") for option in ("billing", "bug", "praise")]
        assert stored["option_logprobs"] == pytest.approx(expected, abs=1e-3)


def _log_probability(prompt: str, option: str) -> float:
    """The natural log of the probability of an option after a prompt, from one pass of plain transformers."""
    import torch

    network, tokenizer = plain_smollm2()
    whole = tokenizer(prompt + option, return_tensors="pt")["input_ids"]
    start = len(tokenizer(prompt)["input_ids"])
    with torch.inference_mode():
        logprobs = network(whole).logits.log_softmax(-1)[0]
    return sum(float(logprobs[place - 1, whole[0, place]]) for place in range(start, whole.shape[1]))
