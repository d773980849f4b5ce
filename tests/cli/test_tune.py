"""`phraseproof tune`: a model folder that evaluate takes, losses on stdout, one line where the input is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.cli import main
from support.tiny_tunings import EXAMPLES, FAMILIES


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [{"instruction": each.instruction, "input": each.input, "output": each.output} for each in EXAMPLES]
    (tmp_path / "a.json").write_text(json.dumps(rows))
    return tmp_path / "a.json"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def tune(data: Path, *more: str) -> int:
    model, out = str(FAMILIES["llama"]()), str(data.parent / "out")
    return run("tune", "-m", model, "-d", str(data), "-o", out, "--examples-per-step", "4", "--device", "cpu", *more)


def test_it_trains_and_prints_losses(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--epochs", "2", "--keep-epochs", "1,2", "--validation", f"same={data}", "--lr", "1e-2")
    assert tune(data, *more) == 0
    printed = capsys.readouterr()
    assert "loss after epoch" in printed.out
    assert f"model: {data.parent / 'out'} (6 steps, " in printed.out
    assert f"phraseproof evaluate --model {data.parent / 'out'}" in printed.err
    assert tune(data, *more, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["validation"]) == ["0", "1", "2"]
    losses = [found["validation"][epoch]["files"]["same"]["loss"] for epoch in ("0", "1", "2")]
    assert losses[2] < losses[0]
    assert found["epochs"] == {"1": str(data.parent / "out/epochs/1"), "2": str(data.parent / "out/epochs/2")}
    # An epoch's folder is a model.
    folder = found["epochs"]["1"]
    task = ("-t", "pocket/label-maker", "-i", "own=pocket-observed", "-n", "2", "-o", str(data.parent / "run"))
    assert run("evaluate", "-m", folder, *task, "--device", "cpu", "-q") == 0


def test_a_dry_run_writes_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune(data, "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        *("steps", "examples", "tokens per step", "tokens per epoch", "time", "memory")
    ]
    assert not (data.parent / "out").exists()
    assert tune(data, "--dry-run", "--no-timing", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["steps"], found["timing"], found["epochs"]) == (9, None, 3.0)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--validation", "file.json"), "--validation: a validation file needs a name"),
        (("--validation", "a=b.json", "--validation", "a=c.json"), "--validation: a name is given twice"),
        (("--keep-epochs", "last"), "--keep-epochs: these are no epochs"),
        (("--keep-epochs", "4"), "--keep-epochs: the value is not valid for this option"),
        (("--timing",), "--timing requires --dry-run"),
        (("--validation", "a=missing.json"), "missing.json"),
    ],
)
def test_wrong_input_is_one_line(
    data: Path, more: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tune(data, *more) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert message in line
