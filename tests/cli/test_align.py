"""`phraseproof align`: a folder that evaluate takes, numbers on stdout, the rest on stderr; one line where it fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from phraseproof.alignment.pairs import ParaphraseSet, save_pairs
from phraseproof.cli import main
from support import tiny_models
from support.tiny_pairs import shared_wordings


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return Outcome(stopped.value.code, captured.out, captured.err)


def align(capsys: pytest.CaptureFixture[str], folder: Path, *more: str, **changes: str) -> Outcome:
    options = {
        "model": str(tiny_models.tiny_llama()),
        "pairs": str(folder / "pairs.jsonl"),
        "out": str(folder / "adapter"),
        "max-steps": "2",
        "num-tokens": "3",
        "held-out-fraction": "0.25",
        "device": "cpu",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return run(capsys, "align", *(part for name, value in options.items() for part in (f"--{name}", value)), *more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_pairs(shared_wordings(8), tmp_path / "pairs.jsonl")
    return tmp_path


def test_it_trains_and_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = align(capsys, folder)
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[0].startswith(f"adapter: {folder / 'adapter'} (2 steps")
    assert lines[1].split() == ["on", "held-out", "pairs", "loss", "CE", "KL", "accuracy", "reference"]
    assert [line.split()[0] for line in lines[2:]] == ["before", "after"]
    assert "held-out accuracy" in outcome.err
    assert "evaluate --adapter" in outcome.err
    again = align(capsys, folder)
    assert again.code == 0
    assert again.out == outcome.out


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = align(capsys, folder, "--json", "--quiet")
    assert outcome.code == 0, outcome.err
    result = json.loads(outcome.out)
    assert result["kind"] == "adapter"
    assert result["steps"] == 2
    assert set(result["after"]) == {"loss", "ce", "kl", "accuracy", "reference_accuracy", "pairs"}


def test_the_adapter_can_be_evaluated(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert align(capsys, folder).code == 0
    (folder / "t.csv").write_text("question,label\nIs it?,yes!\nWas it?,no!\n")
    (folder / "t.yaml").write_text("name: t\nkind: binary\ndata: t.csv\nchoices: [yes!, no!]\nanswer: label\n")
    (folder / "w.yaml").write_text("name: w\ninstructions:\n  - {id: one, template: '{{ question }}', answer: text}\n")
    outcome = run(
        capsys,
        *("evaluate", "--model", str(tiny_models.tiny_llama()), "--adapter", str(folder / "adapter")),
        *("--tasks", str(folder / "t.yaml"), "--instructions", f"mine={folder / 'w.yaml'}"),
        *("--out", str(folder / "run"), "--device", "cpu"),
    )
    assert outcome.code == 0, outcome.err


@pytest.mark.parametrize(
    ("changes", "fragments"),
    [
        ({"pairs": "nowhere.jsonl"}, ["nowhere.jsonl"]),
        ({"method": "kl"}, ["--method", "'kl'"]),
        ({"method": "mse"}, ["no encoder"]),
        ({"lambda": "2"}, ["--lambda", "0 to 1"]),
        ({"placement": "top"}, ["--placement", "input"]),
        ({"model": "./nowhere"}, ["./nowhere"]),
        ({"model": " "}, ["--model"]),
        ({"dtype": "float31"}, ["float31"]),
        ({"max_steps": "0"}, ["--max-steps"]),
        ({"rank": "4"}, ["--rank has no effect on the method pt"]),
        ({"method": "pt", "lambda": "0.5"}, ["--lambda has no effect on the method pt"]),
        ({"prompt_format": "chat"}, ["no chat template"]),
        ({"init": "./nowhere"}, ["./nowhere"]),
        ({"max_length": "4"}, ["longer than the model's context", "pair"]),
        ({"max_length": "12"}, ["does not fit into the model's context"]),
    ],
)
def test_bad_input_is_one_line(
    changes: dict[str, str], fragments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = align(capsys, folder, **changes)
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1, outcome.err
    for fragment in fragments:
        assert fragment in outcome.err


def test_a_pair_without_a_paraphrase_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pairs.jsonl").write_text('{"instruction": "a", "paraphrases": [], "input": "b", "target": "c"}\n')
    outcome = align(capsys, folder)
    assert outcome.code == 2
    assert "pairs.jsonl:1" in outcome.err


def test_an_adapter_for_another_model_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert align(capsys, folder).code == 0
    outcome = align(capsys, folder, init=str(folder / "adapter"), num_tokens="5", out=str(folder / "second"))
    assert outcome.code == 2
    assert "--num-tokens 3" in outcome.err


def test_nan_is_one_line_and_exit_code_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = align(capsys, folder, learning_rate="1e29", max_steps="20")
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.splitlines()[-1].startswith("error: ")
    assert "not a finite number" in outcome.err
    assert "Traceback" not in outcome.err


def test_targets_that_the_tokenizer_does_not_know_are_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The pocket's vocabulary is small: every such target would be the same unknown token."""
    pair = ParaphraseSet(instruction="Give the maker.", paraphrases=("Say the maker.",), input="", target="billing")
    save_pairs([pair] * 4, folder / "pairs.jsonl")
    outcome = align(capsys, folder, model="pocket")
    assert outcome.code == 2, outcome
    assert "pairs.jsonl:" in outcome.err
    assert "the tokenizer has only unknown tokens for the target 'billing'" in outcome.err


def test_a_loss_that_rose_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = align(capsys, folder, method="pt", learning_rate="1e5")
    assert outcome.code == 0, outcome
    losses = [float(line.split()[1]) for line in outcome.out.splitlines() if line.startswith(("before", "after"))]
    assert losses[1] > losses[0], "the rate is much too high"
    assert "The loss on held-out pairs rose" in outcome.err


def test_losses_on_other_pairs_after_every_epoch(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--validation", f"same={folder / 'pairs.jsonl'}", "--keep-epochs", "1", "--gradient-accumulation", "2")
    changes = {"max_steps": "3", "learning_rate": "0.05"}
    outcome = align(capsys, folder, *more, **changes)
    assert outcome.code == 0, outcome.err
    head = outcome.out.splitlines().index("CE after epoch          same")
    assert [line.split()[0] for line in outcome.out.splitlines()[head + 1 :]] == ["0", "1"]
    found = json.loads(align(capsys, folder, *more, "--json", **changes).out)
    assert found["epochs"] == {"1": str(folder / "adapter/epochs/1")}
    assert found["validation"]["1"]["same"]["ce"] < found["validation"]["0"]["same"]["ce"]
    assert (folder / "adapter/epochs/1/adapter_model.safetensors").exists()
