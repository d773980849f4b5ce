"""`phraseproof pocket`, as a person would use it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from phraseproof.cli import main


def run(*arguments: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["pocket", *arguments])
    assert stopped.value.code == 0


def test_data_writes_what_ships_and_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("data", "--out", str(tmp_path))
    written = [Path(line) for line in capsys.readouterr().out.split()]
    assert {path.name for path in written} >= {"choose.csv", "pocket-observed.yaml", "pocket-test.yaml"}
    assert all(path.is_file() for path in written)


@pytest.mark.slow
def test_train_writes_a_model_that_figures_can_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module("phraseproof.cli.pocket.train"), "_SECONDS_BETWEEN_LINES", 0.0)
    model = tmp_path / "model"
    run("train", "--out", str(model), "--size", "tiny", "--steps", "100")
    captured = capsys.readouterr()
    assert captured.err.startswith("step 1 of 100, loss ")
    # The stage of questions goes on, for so short a training has not understood them.
    last = [line for line in captured.err.splitlines() if line.startswith("step ")][-1]
    assert re.match(r"step (\d+) of \1, loss \d\.\d+, 0 min left$", last)
    assert f"{model}: trained in " in captured.err
    assert captured.out == f"phraseproof pocket figures --model {model} --out {model}-run\n"

    run("figures", "--model", str(model), "--out", str(tmp_path / "run"), "--limit", "2")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| kind | observed wordings, % |")
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| Pocket-BC", "| Pocket-MC", "| Pocket-QA", "| all kinds"]
