"""llamacpp/FILE.gguf: scores, identity, refusals, and a run that says how exact its choices are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phraseproof import evaluate
from phraseproof.core import OptionScores, Prompt
from phraseproof.errors import ModelError, PhraseproofError
from phraseproof.evaluation.half_precision import half_precision
from phraseproof.models import ModelOptions, load_model, smollm2
from phraseproof.models.huggingface.checkpoint import Checkpoint
from phraseproof.models.llamacpp import LlamaCppModel
from phraseproof.models.llamacpp.self_test import distance
from support import plain_passes, real_models, tiny_gguf
from support.llama_cpp import needs_llama_cpp

pytestmark = [pytest.mark.real, needs_llama_cpp, pytest.mark.xdist_group("smollm2")]

PROMPTS = [
    Prompt("Question: which river?\n(A) stone\n(B) bread\nAnswer:", ("A", "B"), " "),
    Prompt("Question: which river?\n(A) water\n(B) bread\nAnswer:", ("A", "B"), " "),
    Prompt("the red planet is a", ("star", "moon of water", "star light"), " "),
]


def load(path: Path | str, **options: Any) -> LlamaCppModel:
    args = {"threads": "1", **options.pop("args", {})}
    model = load_model(f"llamacpp/{path}", ModelOptions(args=args, **options))
    assert isinstance(model, LlamaCppModel)
    return model


def test_scores_of_a_float32_file_equal_plain_passes(tmp_path: Path) -> None:
    network = tiny_gguf.write(tmp_path / "tiny.gguf", ("F32",))
    model = load(tmp_path / "tiny.gguf")
    streamed: dict[int, OptionScores | ModelError] = {}
    model.stream_scores(PROMPTS, on_scores=streamed.__setitem__)
    done: list[int] = []
    for index, scores in enumerate(model.score_options(PROMPTS, on_done=done.append)):
        expected = plain_passes.logprobs(network, tiny_gguf.tokenizer(), PROMPTS[index])
        assert scores.logprobs == pytest.approx(expected, abs=1e-4)
        assert scores == streamed[index]
    assert sum(done) == len(PROMPTS)
    unique = sum(scores.computed_tokens for scores in model.score_options(PROMPTS))
    assert model.forecast_tokens(PROMPTS).unique == unique < model.forecast_tokens(PROMPTS).asked
    assert all(check.passed for check in model.self_test(PROMPTS))


def test_prompts_are_cut_as_transformers_cuts_them(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf", ("F32",))
    ours = load(tmp_path / "tiny.gguf", max_length=4)
    theirs = ours.in_float32()
    for one, other in zip(ours.score_options(PROMPTS), theirs.score_options(PROMPTS), strict=True):
        assert one.truncated == other.truncated > 0
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_the_dequantised_model_is_kept_until_a_run_scores(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf")
    model = load(tmp_path / "tiny.gguf")
    kept = model.in_float32()
    assert all(check.passed for check in model.self_test(PROMPTS))
    model.score_options(PROMPTS)
    assert model.in_float32() is kept
    model.stream_scores(PROMPTS, on_scores=lambda *_: None)
    assert model.in_float32() is not kept, "it does not stay in memory during a run"


def test_the_identity(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf", ("Q8_0",))
    identity = load(tmp_path / "tiny.gguf").identity
    assert identity.dtype == "Q8_0"
    assert identity.settings["gguf"] == "Q8_0 16, F32 5"
    assert identity.settings["llama_cpp"]
    assert identity.revision == load_model(str(tmp_path / "tiny.gguf"), ModelOptions(device="cpu")).identity.revision


def test_refusals(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    tiny_gguf.write(path)
    for options, said in (
        ({"adapter": tmp_path}, "--adapter cannot be used with llamacpp/"),
        ({"dtype": "float16"}, "--dtype cannot be used with llamacpp/"),
        ({"args": {"gguf_file": "x"}}, "unknown model argument 'gguf_file'"),
        ({"args": {"threads": "none"}}, "must be a whole number"),
    ):
        with pytest.raises(PhraseproofError, match=said):
            load(path, **options)
    with pytest.raises(ModelError, match="cannot score by the method 'paper'"):
        load(path).score_options(PROMPTS, method="paper")
    with pytest.raises(ModelError, match="does not name a GGUF file"):
        load("folder")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="is cut"):
        load(path)


def test_the_real_model_is_near_its_dequantised_self() -> None:
    facts = {"France": "Paris", "Germany": "Berlin", "Italy": "Rome", "Japan": "Tokyo", "Spain": "Madrid"}
    prompts = [Prompt(f"The capital of {country} is", tuple(facts.values()), " ") for country in facts]
    apart = distance(load(smollm2.file()).score_options(prompts), real_models.smollm2().score_options(prompts))
    assert 0 < apart.mean < 0.2
    assert apart.largest < 1
    assert apart.changed == 0


def test_a_run_stores_how_exact_its_choices_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    load_network = Checkpoint.load_network

    def counted(checkpoint: Checkpoint) -> Any:
        loads.append(checkpoint.name)
        return load_network(checkpoint)

    monkeypatch.setattr(Checkpoint, "load_network", counted)
    tiny_gguf.write(tmp_path / "tiny.gguf", ("Q4_0",))
    run = evaluate(
        f"llamacpp/{tmp_path / 'tiny.gguf'}",
        tasks="pocket/choose-maker",
        instructions={"mine": "pocket-observed"},
        out=tmp_path / "run",
        limit=6,
    )
    found = half_precision(run)
    assert found is not None
    assert found.dtype == "Q4_0"
    assert found.sampled_prompts == 64
    assert found.largest_error is not None
    assert 0 < found.largest_error < 5
    assert 0 < found.close <= found.choices == 72
    assert "float32" in run.content["self_test"]["dequantised model"]["detail"]
    assert len(loads) == 1, "the self-test and the measurement of the error share the dequantised model"
