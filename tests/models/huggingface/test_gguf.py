"""GGUF files: scores equal plain transformers with the file's numbers, and what cannot be right is refused."""

from __future__ import annotations

import contextlib
import shutil
import threading
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from transformers import LlamaForCausalLM

from phraseproof.core import ChatMessage, Prompt
from phraseproof.errors import PhraseproofError, UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.gguf import read_gguf, reading
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import plain_passes, tiny_gguf, tiny_models

PROMPTS = [
    Prompt("Question: which river?\n(A) stone\n(B) bread\nAnswer:", ("A", "B"), " "),
    Prompt("the red planet is a", ("star", "moon of water", "star light"), " "),
]


def load(path: Path | str, **options: Any) -> HuggingFaceModel:
    model = load_model(str(path), ModelOptions(device="cpu", **options))
    assert isinstance(model, HuggingFaceModel)
    return model


def refusal(path: Path | str, **options: Any) -> str:
    with pytest.raises(PhraseproofError) as caught:
        load(path, **options).score_options(PROMPTS)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize("types", [("F32",), ("F16",), ("BF16",), ("Q8_0",), ("Q4_0", "Q5_1", "Q8_0", "F16")])
def test_scores_equal_a_network_with_the_files_numbers(
    tmp_path: Path, types: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    network = tiny_gguf.write(tmp_path / "tiny.gguf", types)
    model = load(tmp_path / "tiny.gguf")
    assert model.dtype == "float32"
    assert model.identity.architecture == "LlamaForCausalLM"
    for prompt, scores in zip(PROMPTS, model.score_options(PROMPTS), strict=True):
        assert scores.logprobs == pytest.approx(plain_passes.logprobs(network, tiny_gguf.tokenizer(), prompt), abs=1e-4)
    assert all(check.passed for check in model.self_test(PROMPTS))
    assert capfd.readouterr().err == ""


def test_the_header_is_read_once_for_settings_and_once_for_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf")
    plain, tables, read = gguf.GGUFReader, gguf.get_tensor_name_map, []

    def counted(path: str) -> gguf.GGUFReader:
        read.append(path)
        return plain(path)

    monkeypatch.setattr(gguf, "GGUFReader", counted)
    model = load(tmp_path / "tiny.gguf")
    assert len(read) == 1
    model.score_options(PROMPTS)
    assert len(read) == 2
    assert (gguf.GGUFReader, gguf.get_tensor_name_map) == (counted, tables), "as before"


def test_two_threads_that_read_files_leave_the_package_as_it_was(tmp_path: Path) -> None:
    """Else the header of a file would be kept, and another file of that name would not be read."""
    tiny_gguf.write(tmp_path / "tiny.gguf")
    file, plain = read_gguf(tmp_path / "tiny.gguf"), gguf.GGUFReader
    entered, left = threading.Event(), threading.Event()

    def read_too() -> None:
        with reading(file):
            entered.set()
            left.wait()

    other = threading.Thread(target=read_too)
    with reading(file):
        other.start()
        entered.wait(0.1)  # as long as the first one reads, it must not get here
    left.set()
    other.join()
    assert gguf.GGUFReader is plain


def test_tokenizer_and_chat_template_are_the_files(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf")
    # Files of another model beside it are not read.
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_models.tiny_t5() / name, tmp_path)
    (tmp_path / "chat_template.jinja").write_text("another")
    model = load(tmp_path, args={"gguf_file": "tiny.gguf"})
    text = "Question: 12 green  lights?\n"
    assert model.tokenizer(text)["input_ids"] == tiny_gguf.tokenizer()(text)["input_ids"]
    assert model.format_chat([ChatMessage("user", "which?")]) == "<user>which?\n<answer>"
    assert model.identity.name == str(tmp_path / "tiny.gguf")


def test_the_identity_follows_the_content(tmp_path: Path) -> None:
    for name, types in (("one", ("Q8_0",)), ("two", ("Q8_0",)), ("other", ("Q4_0", "F16"))):
        tiny_gguf.write(tmp_path / f"{name}.gguf", types)
    one, two, other = (load(tmp_path / f"{name}.gguf").identity for name in ("one", "two", "other"))
    assert one.revision == two.revision != other.revision
    assert one.settings["gguf"] == "Q8_0 16, F32 5"
    assert other.settings["gguf"] == "Q4_0 9, F16 7, F32 5"


def test_an_old_file_names_no_split(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf", pre=None)
    assert load(tmp_path / "tiny.gguf").tokenizer.tokenize("12") == tiny_gguf.tokenizer().tokenize("12")


def test_digits_apart(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf", pre="smollm")
    tokenizer = load(tmp_path / "tiny.gguf").tokenizer
    split = tokenizer.backend_tokenizer.pre_tokenizer.pre_tokenize_str("a  57")
    assert [piece for piece, _ in split] == ["a", "ĠĠ", "5", "7"]


def test_a_folders_tokenizer(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf", with_tokenizer=False)
    assert "has no tokenizer" in refusal(tmp_path / "tiny.gguf")
    tiny_gguf.tokenizer().save_pretrained(tmp_path / "tokenizer")
    model = load(tmp_path / "tiny.gguf", args={"tokenizer": str(tmp_path / "tokenizer")})
    assert model.tokenizer("red")["input_ids"] == tiny_gguf.tokenizer()("red")["input_ids"]
    first = model.identity.settings["tokenizer"]
    (tmp_path / "tokenizer" / "chat_template.jinja").write_text("{{ messages }}")
    again = load(tmp_path / "tiny.gguf", args={"tokenizer": str(tmp_path / "tokenizer")})
    assert again.identity.settings["tokenizer"] != first
    assert "no folder" in refusal(tmp_path / "tiny.gguf", args={"tokenizer": str(tmp_path / "nowhere")})
    assert "is for GGUF files" in refusal(tiny_models.tiny_llama(), args={"tokenizer": "x"})


def test_files_that_are_none(tmp_path: Path) -> None:
    assert "no GGUF file" in refusal(tmp_path / "missing.gguf")
    (tmp_path / "text.gguf").write_text("words")
    assert "is not a GGUF file" in refusal(tmp_path / "text.gguf")
    with pytest.raises(UsageError, match="is not a folder"):
        load("org/model", args={"gguf_file": "x.gguf"})


def test_cut_and_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    tiny_gguf.write(path)
    content = path.read_bytes()
    for size in (4, 23, 100, 3000, len(content) // 2, len(content) - 40):
        path.write_bytes(content[:size])
        said = refusal(path)
        assert "cannot be read" in said or "is cut" in said
    damaged = bytearray(content)
    damaged[8:16] = (2**40).to_bytes(8, "little")  # the number of tensors
    path.write_bytes(damaged)
    assert "cannot be read" in refusal(path)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_header_never_ends_in_a_traceback(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "tiny.gguf"
    tiny_gguf.write(path)
    content = bytearray(path.read_bytes())
    draw = np.random.default_rng(seed)
    for place in draw.integers(4, 9000, size=20):
        content[place] = draw.integers(256)
    path.write_bytes(content)
    # A damaged number may be a valid one. Anything but one of our errors fails the test.
    with contextlib.suppress(PhraseproofError):
        load(path).score_options(PROMPTS)


def test_kinds_that_transformers_does_not_read(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "rwkv.gguf", architecture="rwkv7")
    assert "of the architecture 'rwkv7'" in refusal(tmp_path / "rwkv.gguf")
    tiny_gguf.write(tmp_path / "pre.gguf", pre="some-new-split")
    assert "tokenizer.ggml.pre = some-new-split" in refusal(tmp_path / "pre.gguf")


def split_in_three(writer: gguf.GGUFWriter) -> None:
    writer.add_uint16("split.count", 3)


def yarn(writer: gguf.GGUFWriter) -> None:
    writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)


def no_yarn(writer: gguf.GGUFWriter) -> None:
    writer.add_rope_scaling_type(gguf.RopeScalingType.NONE)
    writer.add_key_length(16)


def a_tensor_of_no_use(writer: gguf.GGUFWriter) -> None:
    writer.add_tensor("blk.0.attn_sinks.weight", np.zeros(4, dtype=np.float32))


def test_what_transformers_would_skip_is_refused(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "part.gguf", change=split_in_three)
    assert "one of 3 parts" in refusal(tmp_path / "part.gguf")
    tiny_gguf.write(tmp_path / "yarn.gguf", change=yarn)
    assert "llama.rope.scaling.type = yarn" in refusal(tmp_path / "yarn.gguf")
    tiny_gguf.write(tmp_path / "sinks.gguf", change=a_tensor_of_no_use)
    assert "blk.0.attn_sinks.weight" in refusal(tmp_path / "sinks.gguf")
    tiny_gguf.write(tmp_path / "plain.gguf", change=no_yarn)
    load(tmp_path / "plain.gguf").score_options(PROMPTS)


def llama3_factors(network: Any) -> tuple[Any, Any]:
    """The factors of a file, by transformers' own frequencies, and the network that has these."""
    settings = tiny_gguf.config()
    settings.rope_parameters = {
        "rope_type": "llama3",
        "rope_theta": 5000.0,
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    scaled = LlamaForCausalLM(settings)
    scaled.load_state_dict(network.state_dict())
    plain = network.model.rotary_emb.inv_freq.numpy()
    return (plain / scaled.model.rotary_emb.inv_freq.numpy()).astype(np.float32), scaled.eval()


def test_scaled_positions_of_llama_3(tmp_path: Path) -> None:
    factors, scaled = llama3_factors(tiny_gguf.write(tmp_path / "plain.gguf", ("F32",)))
    assert factors.min() < 1.01
    assert factors.max() > 2
    tiny_gguf.write(tmp_path / "three.gguf", ("F32",), change=lambda to: to.add_tensor("rope_freqs.weight", factors))
    long = [Prompt("Question: " + "which river is red and far? " * 12, ("stone", "bread"), " "), *PROMPTS]
    for prompt, scores in zip(long, load(tmp_path / "three.gguf").score_options(long), strict=True):
        assert scores.logprobs == pytest.approx(plain_passes.logprobs(scaled, tiny_gguf.tokenizer(), prompt), abs=1e-4)
    other = factors * np.float32(1.5)
    tiny_gguf.write(tmp_path / "other.gguf", change=lambda to: to.add_tensor("rope_freqs.weight", other))
    assert "rope_freqs.weight" in refusal(tmp_path / "other.gguf")


def test_it_is_saved_as_an_ordinary_folder(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf", ("Q8_0",))
    network = load(tmp_path / "tiny.gguf").network
    assert not hasattr(network.config, "quantization_config")
    network.save_pretrained(tmp_path / "saved")
    tiny_gguf.tokenizer().save_pretrained(tmp_path / "saved")
    again = load(tmp_path / "saved").score_options(PROMPTS)
    for one, other in zip(load(tmp_path / "tiny.gguf").score_options(PROMPTS), again, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-5)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    path = tmp_path / "deep.gguf"
    tiny_gguf.write(path, change=lambda writer: writer.add_block_count(3))
    said = refusal(path)
    assert "incomplete" in said or "cannot be read" in said
