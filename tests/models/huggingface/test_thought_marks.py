from __future__ import annotations

import pytest

from phraseproof.models.huggingface.thought_marks import decoded
from support.tiny_models import llama_tokenizer


@pytest.mark.parametrize("is_special", [True, False])
def test_marks_of_thoughts_stay_where_they_are_special_too(is_special: bool) -> None:
    tokenizer = llama_tokenizer()
    if is_special:
        tokenizer.add_special_tokens({"additional_special_tokens": ["[THINK]", "[/THINK]", "<|im_end|>"]})
    else:
        tokenizer.add_tokens(["[THINK]", "[/THINK]"])
    tokens = tokenizer("[THINK]one of them[/THINK] the bug")["input_ids"]
    assert decoded(tokenizer, [*tokens, tokenizer.eos_token_id]) == "[THINK]one of them[/THINK] the bug"
    if is_special:
        assert "THINK" not in tokenizer.decode(tokens, skip_special_tokens=True)
        assert decoded(tokenizer, tokenizer("yes<|im_end|>")["input_ids"]) == "yes"
    assert decoded(tokenizer, []) == ""
