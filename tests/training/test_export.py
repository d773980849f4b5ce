"""A tuned model is written as a folder that transformers reads, with equal weights and equal logits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from phraseproof.errors import FileError
from phraseproof.models import load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.training.export import save_model
from phraseproof.training.trainable_model import TrainableModel
from support import tiny_models


def trainable(folder: Path) -> tuple[HuggingFaceModel, TrainableModel]:
    model = load_model(str(folder))
    assert isinstance(model, HuggingFaceModel)
    return model, TrainableModel(model.network, None, joined=model.is_decoder_only, pad_id=model.pad_id)


@pytest.mark.parametrize("family", ["llama", "t5"])
def test_transformers_reads_the_folder(family: str, tmp_path: Path) -> None:
    is_decoder_only = family == "llama"
    source = tiny_models.tiny_llama() if is_decoder_only else tiny_models.tiny_t5(tied=True)
    model, tuned = trainable(source)
    with torch.no_grad():
        for parameter in tuned.parameters():
            parameter.add_(0.125)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    save_model(tuned, Accelerator(cpu=True), model.tokenizer, tmp_path / "out")

    loader = AutoModelForCausalLM if is_decoder_only else AutoModelForSeq2SeqLM
    again = loader.from_pretrained(tmp_path / "out").eval()
    original = dict(loader.from_pretrained(source).named_parameters())
    for name, parameter in again.named_parameters():
        assert torch.equal(parameter, original[name] + 0.125), name
    ids = torch.tensor([[5, 6, 7]])
    inputs = {"input_ids": ids} if is_decoder_only else {"input_ids": ids, "decoder_input_ids": ids}
    with torch.no_grad():
        assert torch.equal(again(**inputs).logits, tuned.network(**inputs).logits)
    read = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert read("the red king")["input_ids"] == model.tokenizer("the red king")["input_ids"]
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    assert not list((tmp_path / "out").glob(".*"))


def test_the_configuration_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, tuned = trainable(tiny_models.tiny_llama())
    moved: list[str] = []
    replace = Path.replace

    def noted(self: Path, target: Path) -> Path:
        moved.append(self.name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", noted)
    save_model(tuned, Accelerator(cpu=True), model.tokenizer, tmp_path)
    assert moved[-1] == "config.json"
    assert "model.safetensors" in moved[:-1]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    model, tuned = trainable(tiny_models.tiny_llama())
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="the model cannot be written") as raised:
        save_model(tuned, Accelerator(cpu=True), model.tokenizer, tmp_path / "file")
    assert str(tmp_path / "file") in str(raised.value)
    assert "\n" not in str(raised.value)
