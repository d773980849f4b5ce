"""Attention over a packed row equals attention over each prompt and option by itself."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from phraseproof.engine.attention.causal import PackedPass, attend, is_causal
from phraseproof.engine.plan.packed_layout import PackedPrompt, pack_prompts
from phraseproof.engine.plan.prefix_tree import token_trie


def packed_pass() -> PackedPass:
    prompts = [
        PackedPrompt(np.asarray([5, 9, 14, 3, 8], dtype=np.int32), 0, token_trie([(7, 12), (4, 6)])),
        PackedPrompt(np.asarray([5, 9, 2], dtype=np.int32), 2, token_trie([(7,)])),
    ]
    return PackedPass(pack_prompts(prompts, 0))


def test_a_sequence_whose_options_branch_needs_a_mask() -> None:
    step = packed_pass()
    first, _ = step.row.units
    assert not is_causal(first, None)
    assert step.mask(0, None, torch.zeros(1), whole=True) is not None


def test_each_option_sees_its_prompt_and_itself_alone() -> None:
    step = packed_pass()
    module = nn.Module()
    module.layer_idx = 0  # pyright: ignore[reportArgumentType, reportAttributeAccessIssue]
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 1, 2, len(step.row.tokens), 8)
    out, _ = attend(module, query, key, value, None, packed=step)
    # The row: five context tokens, the options' first tokens 7 and 4, then the second prompt's last token 2.
    for asking, seen in ((5, [0, 1, 2, 3, 4, 5]), (6, [0, 1, 2, 3, 4, 6]), (7, [0, 1, 7])):
        alone = functional.scaled_dot_product_attention(query[:, :, [asking]], key[:, :, seen], value[:, :, seen])
        assert torch.allclose(out[:, [asking]], alone.transpose(1, 2), atol=1e-6)
