"""Training end to end on tiny models: losses fall, and the folder holds the record of the training."""

from __future__ import annotations

import dataclasses
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from phraseproof.alignment import trainer
from phraseproof.alignment.loop.held_out import AlignmentEvaluation
from phraseproof.alignment.pairs import ParaphraseSet, save_pairs, wording_hashes
from phraseproof.alignment.trainer import AlignmentSettings
from phraseproof.alignment.trainer import train as run_training
from phraseproof.core import Prompt, ScoresOptions
from phraseproof.engine.cpu import packed_linear
from phraseproof.errors import ModelError, PhraseproofError, RunError, UsageError
from phraseproof.models import load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.store.training_record import read_record
from phraseproof.training.log import read_log
from support import tiny_models
from support.tiny_pairs import own_wordings, shared_wordings
from support.tiny_trainings import CPU, QUICK, Watcher, adapter, train


def scores(model: Path, **options: Any) -> tuple[float, ...]:
    loaded = load_model(str(model), dataclasses.replace(CPU, **options))
    assert isinstance(loaded, ScoresOptions)
    prompt = Prompt("Question: river? Say the letter.", ("A", "B", "C", "D"))
    return loaded.score_options([prompt])[0].logprobs


@pytest.fixture(params=["t5", "llama"])
def model(request: pytest.FixtureRequest) -> Path:
    return tiny_models.tiny_t5() if request.param == "t5" else tiny_models.tiny_llama()


def test_cross_entropy_and_kl_fall(model: Path, tmp_path: Path) -> None:
    watcher = Watcher()
    # At 0.3 the path is chaotic: rounding decides where it ends. The decoder learns faster.
    half = 50 if model == tiny_models.tiny_t5() else 20
    result = train(
        model, tmp_path / "a", max_steps=2 * half, eval_every=half, lambda_=0.5, learning_rate=0.1, observer=watcher
    )
    steps = watcher.reports[1:]
    for term in ("loss", "ce", "kl"):
        first, last = (sum(getattr(step, term) for step in some) for some in (steps[:10], steps[-10:]))
        assert last < 0.8 * first, term
    assert watcher.starts == [(2 * half, 0)]
    assert watcher.warnings == []
    assert result.kind == "adapter"
    assert (result.step, result.steps, result.stopped) == (2 * half, 2 * half, "done")
    assert watcher.reports[0].held_out == AlignmentEvaluation(result.before, {})
    assert watcher.reports[-1].held_out == AlignmentEvaluation(result.after, {})
    rows = read_log(tmp_path / "a")
    assert [row["step"] for row in rows] == list(range(2 * half + 1))
    assert [row["step"] for row in rows if "held_out" in row] == [0, half, 2 * half]
    assert rows[1].get("ce") == watcher.reports[1].ce
    assert rows[1].get("learning_rate") == 0.1


def test_the_adapter_is_an_ordinary_one_and_scores_by_it_change(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "a"
    train(model, out, max_steps=10)
    aligned = scores(model, adapter=out)
    base = scores(model)
    assert max(abs(a - b) for a, b in zip(aligned, base, strict=True)) > 0.01
    from peft import PeftConfig

    config = PeftConfig.from_pretrained(str(out))
    assert config.num_virtual_tokens == 4  # type: ignore[attr-defined]
    assert config.base_model_name_or_path == str(model)


def test_the_folder_says_how_it_was_made(tmp_path: Path) -> None:
    pairs = shared_wordings(8)
    out = tmp_path / "a"
    save_pairs(pairs, tmp_path / "pairs.jsonl")
    result = train(tiny_models.tiny_t5(), out, pairs=tmp_path / "pairs.jsonl")
    record = read_record(out)
    assert record is not None
    assert record["finished"]
    assert record["kind"] == "adapter"
    assert record["settings"]["lambda_"] == 0.8
    assert record["settings"]["prompt_format"] == "plain"
    assert record["base_model"]["revision"] == load_model(str(tiny_models.tiny_t5()), CPU).identity.revision
    assert record["base_weights"]["before"] == record["base_weights"]["after"]
    assert record["pairs"]["split_by"] == "wording"
    assert record["pairs"]["train"] == 6
    both = record["wordings"] | record["held_out_wordings"]
    assert both == wording_hashes(pairs)
    assert len(record["held_out_wordings"]) == 1
    assert record["result"]["after"] == result.after.as_record()
    assert not (out / ".training").exists()
    assert not list(out.glob(".*"))


def test_the_same_seed_gives_the_same_adapter_and_another_another(tmp_path: Path) -> None:
    folder = tiny_models.tiny_llama()
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train(folder, tmp_path / name, seed=seed)
    assert torch.equal(adapter(tmp_path / "a"), adapter(tmp_path / "b"))
    assert not torch.equal(adapter(tmp_path / "a"), adapter(tmp_path / "c"))


def test_ft_saves_a_model_folder_and_changes_its_weights(model: Path, tmp_path: Path) -> None:
    result = train(model, tmp_path / "ft", method="ft+kl", learning_rate=1e-2, max_steps=20)
    assert result.kind == "model"
    assert result.after.loss < result.before.loss
    tuned = load_model(str(tmp_path / "ft"), CPU)
    base = load_model(str(model), CPU)
    assert tuned.identity.revision != base.identity.revision
    assert scores(tmp_path / "ft") != scores(model)
    record = read_record(tmp_path / "ft")
    assert record is not None
    assert "base_weights" not in record


@pytest.mark.parametrize("method", ["pt", "pt+contrastive", "mse", "negation", "joint"])
def test_every_method_trains(method: str, tmp_path: Path) -> None:
    pairs = own_wordings(8) if method == "pt+contrastive" else shared_wordings(8, negations=True)
    watcher = Watcher()
    train(
        tiny_models.tiny_t5(),
        tmp_path / "a",
        method=method,
        pairs=pairs,
        max_steps=60 if method == "joint" else 30,
        learning_rate=0.3,
        observer=watcher,
    )
    losses = [report.loss for report in watcher.reports if report.loss is not None]
    assert sum(losses[-10:]) < sum(losses[:10])


@pytest.mark.parametrize("method", ["paft", "paft+choice", "pt+js", "pt+majority", "pt+swarm"])
def test_methods_of_other_papers_train(method: str, tmp_path: Path) -> None:
    watcher = Watcher()
    changes: dict[str, Any] = {"method": method, "max_steps": 24, "learning_rate": 0.3, "observer": watcher}
    train(tiny_models.tiny_llama(), tmp_path / "a", pairs=with_options(8), **changes)
    losses = [report.loss for report in watcher.reports if report.loss is not None]
    assert sum(losses[-8:]) < sum(losses[:8])


def with_options(count: int) -> list[ParaphraseSet]:
    return [dataclasses.replace(pair, options=tuple("ABCD")) for pair in shared_wordings(count)]


@pytest.mark.parametrize("method", ["pt+kl", "pt+js", "pt+majority", "pt+swarm"])
def test_without_labels_no_label_has_an_effect(method: str, tmp_path: Path) -> None:
    pairs = with_options(8)
    wrong = [dataclasses.replace(pair, target="DABC"["ABCD".index(pair.target)]) for pair in pairs]
    absent = [dataclasses.replace(pair, target="", labelled=False) for pair in pairs]
    notes: dict[str, str] = {}
    for name, own in (("right", pairs), ("wrong", wrong), ("absent", absent)):
        watcher = Watcher()
        changes: dict[str, Any] = {"method": method, "labels": "none", "max_steps": 2, "observer": watcher}
        train(tiny_models.tiny_llama(), tmp_path / name, pairs=own, **changes)
        notes[name] = next(note for note in watcher.notes if note.startswith("the reference wording"))
        assert any("better than chance" in warning for warning in watcher.warnings) == (name != "absent")
    # Labels are only compared with: the model answers A, A, B, C, A, A, A, A.
    assert "right on 25.0% of 8 labelled pairs, chance 25.0%" in notes["right"]
    assert "right on 50.0% of 8 labelled pairs, chance 25.0%" in notes["wrong"]
    assert "answered 8 pairs, 'A' to 75% of them; it was not compared with labels" in notes["absent"]
    assert torch.equal(adapter(tmp_path / "right"), adapter(tmp_path / "wrong"))
    assert torch.equal(adapter(tmp_path / "right"), adapter(tmp_path / "absent"))
    record = read_record(tmp_path / "right")
    assert record is not None
    assert record["settings"]["lambda_"] == 1.0
    train(tiny_models.tiny_llama(), tmp_path / "given", pairs=pairs, method=method, max_steps=2)
    assert not torch.equal(adapter(tmp_path / "right"), adapter(tmp_path / "given"))


def test_labelled_and_unlabelled_pairs_train_together(tmp_path: Path) -> None:
    pairs = with_options(8)
    mixed = [*pairs[:4], *(dataclasses.replace(pair, target="", labelled=False) for pair in pairs[4:])]
    found = train(tiny_models.tiny_llama(), tmp_path / "a", pairs=mixed, max_steps=2, held_out_fraction=0)
    assert found.stopped == "done"
    with pytest.raises(UsageError, match="the method pt needs labels"):
        train(tiny_models.tiny_llama(), tmp_path / "b", pairs=mixed, method="pt")


def test_a_sure_distribution_is_a_label(tmp_path: Path) -> None:
    pairs = with_options(8)
    sure = [
        dataclasses.replace(pair, option_probabilities=tuple(float(text == pair.target) for text in "ABCD"))
        for pair in pairs
    ]
    even = [dataclasses.replace(pair, option_probabilities=(0.25,) * 4) for pair in pairs]
    for name, own in (("hard", pairs), ("sure", sure), ("even", even)):
        train(tiny_models.tiny_llama(), tmp_path / name, pairs=own, method="pt", max_steps=2)
    assert torch.equal(adapter(tmp_path / "hard"), adapter(tmp_path / "sure"))
    assert not torch.equal(adapter(tmp_path / "hard"), adapter(tmp_path / "even"))


@pytest.mark.parametrize(
    ("changes", "fragment"),
    [
        ({"method": "pt+lk"}, r"no alignment method is called 'pt\+lk'.*Did you mean 'pt\+kl'"),
        ({"method": "mse"}, "no encoder"),
        ({"method": "negation"}, "needs negated wordings"),
        ({"method": "pt+contrastive"}, "two different instructions"),
        ({"lambda_": 1.5}, r"--lambda: .*0 to 1, got 1.5"),
        ({"learning_rate": float("nan")}, "--learning-rate"),
        ({"learning_rate": 1e31}, "--learning-rate"),
        ({"max_steps": 0}, "--max-steps"),
        ({"placement": "middle"}, r"--placement: .*input, layers"),
        ({"schedule": "linear"}, r"--schedule: .*cosine, constant"),
        ({"prompt_format": "chatt"}, "no prompt format"),
        ({"gradient_checkpointing": True, "placement": "layers"}, r"--gradient-checkpointing: .*--placement input"),
        ({"held_out_fraction": 1.0}, "--held-out-fraction"),
        ({"held_out_fraction": 0.0, "early_stopping_patience": 2}, "none are held out"),
    ],
)
def test_bad_settings_are_one_line(changes: dict[str, Any], fragment: str, tmp_path: Path) -> None:
    with pytest.raises(PhraseproofError, match=fragment) as raised:
        train(tiny_models.tiny_llama(), tmp_path / "a", **changes)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "a").exists()


def test_models_that_cannot_be_trained(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be trained"):
        run_training("scripted", shared_wordings(), tmp_path / "a", QUICK, model_options=CPU)
    train(tiny_models.tiny_t5(), tmp_path / "adapter", max_steps=1)
    with pytest.raises(UsageError, match=r"without an adapter.*--init"):
        run_training(
            str(tiny_models.tiny_t5()),
            shared_wordings(),
            tmp_path / "a",
            QUICK,
            model_options=dataclasses.replace(CPU, adapter=tmp_path / "adapter"),
        )


def test_it_can_begin_with_another_adapter(tmp_path: Path) -> None:
    train(tiny_models.tiny_t5(), tmp_path / "first")
    train(tiny_models.tiny_t5(), tmp_path / "second", init=str(tmp_path / "first"), learning_rate=1e-9, max_steps=1)
    assert torch.allclose(adapter(tmp_path / "first"), adapter(tmp_path / "second"), atol=1e-6)


@pytest.mark.parametrize("method", ["pt+kl", "lora+kl"])
def test_an_initial_adapter_is_identified_by_its_weights(method: str, tmp_path: Path) -> None:
    model, name = tiny_models.tiny_llama(), "adapter_model.safetensors"
    for seed, folder in enumerate(("first", "other")):
        train(model, tmp_path / folder, method=method, seed=seed, max_steps=1)
    changes: dict[str, Any] = {"method": method, "init": str(tmp_path / "first"), "max_steps": 2}
    trained = own_wordings()
    train(model, tmp_path / "a", pairs=trained, **changes)
    weights = (tmp_path / "a" / name).read_bytes()
    # What the adapter was trained on, this one was trained on too.
    record, first = read_record(tmp_path / "a"), read_record(tmp_path / "first")
    assert record is not None
    assert first is not None
    assert record["wordings"].items() > first["wordings"].items()
    assert record["held_out_wordings"].items() >= first["held_out_wordings"].items()
    assert record["initial_adapter"] == changes["init"]

    moved = (tmp_path / "first").rename(tmp_path / "moved")
    watcher = Watcher()
    train(model, tmp_path / "a", pairs=trained, observer=watcher, **{**changes, "init": str(moved)})
    assert watcher.reports == []  # it is the training that the folder holds
    assert (tmp_path / "a" / name).read_bytes() == weights
    (tmp_path / "other").rename(tmp_path / "first")
    with pytest.raises(RunError, match=r"settings: init \(expected adapter [0-9a-f]{32}, got adapter [0-9a-f]{32}\)"):
        train(model, tmp_path / "a", pairs=trained, **changes)


def test_a_model_that_has_scored_trains_like_one_that_has_not(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scoring may lay out weights anew, in a form that cannot be trained through or hashed."""
    monkeypatch.setattr(packed_linear, "packing_pays", lambda: True)
    monkeypatch.setattr(packed_linear, "_SMALLEST", 1)
    used = load_model(str(model), CPU)
    assert isinstance(used, HuggingFaceModel)
    used.score_options([Prompt("Question: river? Say the letter.", ("A", "B"))])
    assert any(isinstance(layer, packed_linear.PackedLinear) for layer in used.network.modules())
    run_training(used, shared_wordings(), tmp_path / "used", QUICK)
    train(model, tmp_path / "fresh")
    assert torch.equal(adapter(tmp_path / "used"), adapter(tmp_path / "fresh"))


def test_few_pairs_train_without_held_out_ones(tmp_path: Path) -> None:
    result = train(tiny_models.tiny_t5(), tmp_path / "a", pairs=shared_wordings(1))
    assert result.before is None
    assert result.after is None
    assert json.loads((tmp_path / "a" / "phraseproof.json").read_text())["pairs"]["split_by"] == "none"


def test_pairs_with_too_few_wordings_are_said_to_have_them(tmp_path: Path) -> None:
    pairs = [dataclasses.replace(pair, paraphrases=pair.paraphrases[:1]) for pair in shared_wordings(8)]
    watcher = Watcher()
    train(tiny_models.tiny_t5(), tmp_path / "a", pairs=pairs, max_steps=1, observer=watcher)
    assert len(watcher.warnings) == 1
    assert "too few wordings to hold any out" in watcher.warnings[0]


def test_align_passes_every_setting_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found: list[Any] = []
    monkeypatch.setattr(trainer, "train", lambda *arguments, **options: found.append((arguments, options)))
    changed = AlignmentSettings(
        method="joint",
        num_tokens=3,
        placement="layers",
        init="some text",
        lambda_=0.1,
        kl_schedule="linear",
        kl_direction="forward",
        labels="none",
        guard=True,
        learning_rate=0.2,
        weight_decay=0.3,
        paraphrases_per_batch=2,
        gradient_accumulation=5,
        schedule="constant",
        warmup_steps=6,
        max_steps=7,
        epochs=8,
        keep_epochs=(1, 8),
        seed=9,
        detach_reference=False,
        push_bound=None,
        rank=3,
        lora_alpha=5.0,
        lora_dropout=0.1,
        target_modules="q_proj",
        reference_in_ce=False,
        eval_every=10,
        early_stopping_patience=11,
        max_grad_norm=None,
        prompt_format="plain",
        save_every=12,
        save_every_seconds=3.5,
        held_out_fraction=0.4,
        gradient_checkpointing=True,
        mixed_precision="bf16",
    )
    settings = dataclasses.asdict(changed)
    assert all(value != getattr(AlignmentSettings(), name) for name, value in settings.items())
    trainer.align("some/model", "pairs.jsonl", str(tmp_path), **settings)
    trainer.align("some/model", "pairs.jsonl", str(tmp_path))
    assert [arguments for arguments, _ in found] == [
        ("some/model", Path("pairs.jsonl"), tmp_path, changed),
        ("some/model", Path("pairs.jsonl"), tmp_path, AlignmentSettings()),
    ]


def test_help_documents_every_parameter() -> None:
    documented = inspect.getdoc(trainer.align) or ""
    assert [name for name in inspect.signature(trainer.align).parameters if f"    {name}: " not in documented] == []
