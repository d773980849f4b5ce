"""Log-probabilities of a few tokens against torch's softmax in float64, however logits are cut."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.engine import logprobs as module
from phraseproof.engine.logprobs import log_probabilities


@given(st.integers(1, 9), st.integers(1, 40), st.integers(0, 2**32), st.sampled_from([1, 50, 2**20]))
def test_they_are_the_softmax_s(rows: int, vocabulary: int, seed: int, entries: int) -> None:
    draw = np.random.default_rng(seed)
    logits = 30 * draw.standard_normal((rows, vocabulary))
    asked = draw.integers(0, rows, size=12).tolist(), draw.integers(0, vocabulary, size=12).tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ENTRIES", entries)
        found = log_probabilities(torch.from_numpy(logits).float(), *asked)
    expected = (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))[asked]
    assert found == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_float32(dtype: torch.dtype) -> None:
    # In half precision the sum of 40,000 equal terms would stop growing long before its end.
    logits = torch.zeros(3, 40_000, dtype=dtype)
    assert log_probabilities(logits, [2, 0], [5, 39_999]) == pytest.approx([-np.log(40_000)] * 2, abs=1e-5)
