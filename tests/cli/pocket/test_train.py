"""`phraseproof pocket train` reports its progress and writes a model that loads."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
from transformers import AutoTokenizer, LlamaForCausalLM

from phraseproof.cli import main
from phraseproof.pocket.network import DecoderSize
from phraseproof.pocket.recipe import RECIPES, Recipe
from phraseproof.pocket.talk_shares import measure

module = importlib.import_module("phraseproof.cli.pocket.train")


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["pocket", "train", *arguments])
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_an_unknown_size_is_refused_with_the_known_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--out", str(tmp_path / "model"), "--size", "giant") == 2
    message = capsys.readouterr().err
    known = "tiny, small, medium, small-t5, tiny-base, tiny-base-long"
    assert f"--size: unknown size (expected one of: {known}, got giant)" in message
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_progress_and_accuracies_are_reported_and_the_model_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setitem(RECIPES, "tiny", RECIPES["tiny"]._replace(batch=8))
    model = tmp_path / "model"
    assert run("--out", str(model), "--size", "tiny", "--steps", "100") == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("step 1 of 100, loss ")
    # The stage of questions is extended, because so short a training does not teach them.
    last = [line for line in captured.err.splitlines() if line.startswith("step ")][-1]
    assert re.match(r"step (\d+) of \1, loss \d\.\d+, 0 min left$", last)
    assert f"{model}: trained in " in captured.err
    assert captured.out == f"phraseproof pocket figures --model {model} --out {model}-run\n"

    # The saved model is in half precision, which may change a few answers of a model that is hardly trained.
    saved = measure(LlamaForCausalLM.from_pretrained(model).float().eval())
    assert AutoTokenizer.from_pretrained(model)("yes")["input_ids"]
    for kind in ("choose", "label", "has"):
        line = re.search(rf"^{kind}: (.+)% correct under observed wordings, (.+)% under validation", captured.err, re.M)
        assert line
        assert float(line[1]) == pytest.approx(saved.observed[kind], abs=4)
        assert float(line[2]) == pytest.approx(saved.validation[kind], abs=4)


def test_quiet_reports_no_steps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECONDS_BETWEEN_LINES", 0.0)
    small = Recipe(size=DecoderSize(64, 2, 2, 64), batch=4, patience=1.0).shortened(10)
    monkeypatch.setitem(RECIPES, "tiny", small)
    assert run("--out", str(tmp_path / "loud"), "--size", "tiny") == 0
    assert len(re.findall(r"^step ", capsys.readouterr().err, re.M)) == 10
    assert run("--out", str(tmp_path / "quiet"), "--size", "tiny", "--quiet") == 0
    assert "step " not in capsys.readouterr().err
