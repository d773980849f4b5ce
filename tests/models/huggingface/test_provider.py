"""`--model-arg` pairs win over the options of the same name."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import ModelError, UsageError
from phraseproof.models import ModelOptions
from phraseproof.models.huggingface.provider import load
from support import tiny_models


def test_arguments_win_over_options() -> None:
    args = {"dtype": "bfloat16", "max_length": "33"}
    model = load(str(tiny_models.tiny_llama()), ModelOptions(dtype="float32", device="cpu", max_length=5, args=args))
    assert model.dtype == "bfloat16"
    assert model.context_limit == 33


def test_the_shown_name_is_the_identitys() -> None:
    model = load(str(tiny_models.tiny_t5()), ModelOptions(device="cpu"), shown_as="mine")
    assert model.identity.name == "mine"
    assert not model.is_decoder_only


@pytest.mark.parametrize("args", [{"trust_remote_code": "maybe"}, {"max_length": "0"}, {"attn": "eager"}])
def test_arguments_that_cannot_be_used_are_refused(args: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        load(str(tiny_models.tiny_llama()), ModelOptions(device="cpu", args=args))


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not an adapter folder"):
        load(str(tiny_models.tiny_llama()), ModelOptions(device="cpu", adapter=tmp_path))
