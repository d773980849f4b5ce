"""A run says how large its model is, so that several runs can be set against size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

import phraseproof
from support.tiny_models import tiny_llama, tiny_t5


def evaluate(model: str, folder: Path) -> phraseproof.Run:
    (folder / "t.csv").write_text("question,label\nIs it?,yes\nWas it?,no\n")
    (folder / "t.yaml").write_text("name: t\nkind: binary\ndata: t.csv\nchoices: ['yes', 'no']\nanswer: label\n")
    (folder / "w.yaml").write_text("name: w\ninstructions:\n- {id: a, template: '{{ question }}'}\n")
    return phraseproof.evaluate(
        model, str(folder / "t.yaml"), {"g": folder / "w.yaml"}, folder / "run", self_test=False
    )


@pytest.mark.parametrize(("make", "family"), [(tiny_t5, AutoModelForSeq2SeqLM), (tiny_llama, AutoModelForCausalLM)])
def test_the_run_holds_the_model_s_parameters(tmp_path: Path, make: Any, family: Any):
    model = make()
    network = family.from_pretrained(model)
    expected = sum(parameter.numel() for parameter in network.parameters())
    assert evaluate(str(model), tmp_path).model_parameters == expected


def test_a_model_that_does_not_count_them_leaves_it_open(tmp_path: Path):
    assert evaluate("scripted", tmp_path).model_parameters is None
