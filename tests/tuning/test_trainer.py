"""Instruction tuning from end to end: it learns, it is resumed to the byte, and what it writes is an ordinary model."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

import phraseproof
from phraseproof.errors import RunError
from phraseproof.models import load_model
from phraseproof.store.training_record import read_record
from phraseproof.training.log import read_log
from phraseproof.tuning.examples import TuningExample
from phraseproof.tuning.settings import TuningSettings
from phraseproof.tuning.tokens import tokenize_examples
from phraseproof.tuning.trainer import tune
from support.tiny_trainings import StoppedError, StopsAt, Watcher
from support.tiny_tunings import BRIEF, EXAMPLES, FAMILIES, THINGS, tune_tiny

WEIGHTS = "model.safetensors"


@pytest.fixture(params=["t5", "llama"])
def model(request: pytest.FixtureRequest) -> Path:
    return FAMILIES[request.param]()


def test_a_tiny_model_learns_a_format_of_answers(model: Path, tmp_path: Path) -> None:
    """The letter of a colour, for things that training shows with other colours only."""
    letters = {"red": "A", "green": "B", "blue": "C", "black": "D"}
    made = [
        TuningExample("Answer with a letter.", f"the {thing} is {colour}", f"letter {letter}")
        for thing in THINGS
        for colour, letter in letters.items()
    ]
    # The thing with number i is kept out under colour i: 10 of 40 examples.
    held_out = [made[4 * index + index % 4] for index in range(len(THINGS))]
    data = [example for example in made if example not in held_out]
    found = tune_tiny(
        *(model, tmp_path / "out"),
        data=data,
        validation={"unseen": held_out},
        epochs=20,
        examples_per_step=10,
        examples_per_pass=10,
        learning_rate=1e-2,
    )
    assert list(found.validation) == list(range(21))
    before, after = found.validation[0].files["unseen"], found.validation[20].files["unseen"]
    assert (before.accuracy, before.examples) == (0.0, 10)
    assert after.accuracy >= 0.9
    assert after.loss < 0.3 < before.loss


@pytest.mark.parametrize("step", [1, 3, 5])
def test_a_stopped_training_is_resumed_to_the_same_bytes(model: Path, tmp_path: Path, step: int) -> None:
    changes: dict[str, Any] = {"keep_epochs": "all", "validation": {"other": EXAMPLES[:3]}}
    whole = tune_tiny(model, tmp_path / "whole", **changes)
    with pytest.raises(StoppedError):
        tune_tiny(model, tmp_path / "parts", observer=StopsAt(step), **changes)
    assert not (tmp_path / "parts" / "config.json").exists()
    watcher = Watcher()
    parts = tune_tiny(model, tmp_path / "parts", observer=watcher, **changes)
    assert watcher.starts == [(6, 0 if step == 1 else step if step == 3 else 4)], "steps 2, 4 and an epoch's are saved"
    for name in (WEIGHTS, f"epochs/1/{WEIGHTS}", f"epochs/2/{WEIGHTS}"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes(), name
    assert parts.validation == whole.validation
    assert parts.tokens == whole.tokens
    kept = ("step", "loss", "learning_rate", "gradient_norm", "held_out")
    logs = [[{key: row.get(key) for key in kept} for row in read_log(tmp_path / name)] for name in ("whole", "parts")]
    assert logs[0] == logs[1]


def test_epochs_are_model_folders_with_a_record(model: Path, tmp_path: Path) -> None:
    found = tune_tiny(model, tmp_path / "out", keep_epochs=(1,))
    short = tune_tiny(model, tmp_path / "short", keep_epochs="all", epochs=2, max_steps=3)
    assert list(found.epochs) == [1]
    assert list(short.epochs) == [1], "the second epoch was not finished"
    first = load_model(str(found.epochs[1]))
    tokens = tokenize_examples(EXAMPLES, first, prompt_format="plain", max_tokens=512)  # type: ignore[arg-type]
    assert found.tokens == (2 * tokens.read, 2 * tokens.trained)
    record, kept = read_record(found.folder), read_record(found.epochs[1])
    assert record is not None
    assert kept is not None
    count = sum(weights.numel() for weights in load_file(model / WEIGHTS).values())
    assert record["parameters"] == kept["parameters"] == {"trained": count, "total": count}
    assert record["result"]["tokens"] == {"read": 2 * tokens.read, "trained": 2 * tokens.trained}
    assert kept["result"]["tokens"] == {"read": tokens.read, "trained": tokens.trained}
    assert kept["result"]["step"] == 3
    assert set(record["wordings"].values()) == {example.instruction for example in EXAMPLES}
    assert not (found.folder / ".training").exists()


def test_other_examples_or_settings_are_another_training(tmp_path: Path) -> None:
    model = FAMILIES["llama"]()
    tune_tiny(model, tmp_path / "out", max_steps=1)
    watcher = Watcher()
    tune_tiny(model, tmp_path / "out", max_steps=1, save_every=7, observer=watcher)
    assert watcher.starts == [], "it is finished"
    with pytest.raises(RunError, match="other examples: content"):
        tune_tiny(model, tmp_path / "out", max_steps=1, data=EXAMPLES[:5])
    with pytest.raises(RunError, match="other settings: epochs"):
        tune_tiny(model, tmp_path / "out", max_steps=1, epochs=3)


def test_from_python_with_files(tmp_path: Path) -> None:
    rows = [{"instruction": each.instruction, "input": each.input, "output": each.output} for each in EXAMPLES]
    (tmp_path / "a.json").write_text(json.dumps([*rows, {"instruction": "Nothing.", "input": "", "output": ""}]))
    (tmp_path / "b.jsonl").write_text(json.dumps({"prompt": "Which letter?", "answer": "A"}) + "\n")
    watcher = Watcher()
    found = phraseproof.tune(
        str(FAMILIES["llama"]()),
        tmp_path / "a.json",
        tmp_path / "out",
        validation={"b": tmp_path / "b.jsonl"},
        epochs=1,
        examples_per_step=4,
        learning_rate=1e-3,
        model_options=phraseproof.ModelOptions(device="cpu"),
        observer=watcher,
    )
    assert list(found.validation) == [0, 1]
    assert "1 of 11 examples without an answer left out" in watcher.notes
    assert watcher.notes[0].startswith("3 steps of 4 examples: 10 examples, ")


def test_the_function_has_every_setting_and_documents_it() -> None:
    parameters = inspect.signature(tune).parameters
    assert set(TuningSettings.__dataclass_fields__) < set(parameters)
    documented = inspect.getdoc(tune) or ""
    assert [name for name in parameters if f"    {name}: " not in documented] == []
    for name in TuningSettings.__dataclass_fields__:
        assert parameters[name].default == getattr(TuningSettings(), name)
    assert TuningSettings() != BRIEF
