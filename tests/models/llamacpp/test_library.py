"""llama.cpp itself: a float32 file gives the numbers of a plain network, and what it cannot read is one line."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.request import Request
from phraseproof.errors import ModelError
from phraseproof.models.llamacpp.library import LlamaLibrary
from phraseproof.models.llamacpp.sequences import plan_sequences
from support import tiny_gguf
from support.llama_cpp import needs_llama_cpp

pytestmark = [pytest.mark.real, needs_llama_cpp]


def some_requests() -> list[Request]:
    draw = random.Random(1)
    heads = [[draw.randrange(400) for _ in range(20)] for _ in range(3)]
    requests: list[Request] = []
    for _ in range(30):
        context = draw.choice(heads)[: draw.randrange(5, 21)] + [
            draw.randrange(400) for _ in range(draw.randrange(1, 9))
        ]
        options = {tuple(draw.randrange(6) for _ in range(draw.randrange(1, 4))) for _ in range(6)}
        requests.append(Request(np.array(context, dtype=np.int32), tuple(sorted(options))))
    return requests


def one_pass_per_option(network: Any, requests: list[Request]) -> list[float]:
    found: list[float] = []
    for request in requests:
        context = request.context.tolist()
        for option in request.options:
            tokens = [*context, *option]
            with torch.no_grad():
                logprobs = network(torch.tensor([tokens])).logits[0].log_softmax(-1)
            found.append(sum(float(logprobs[place - 1, tokens[place]]) for place in range(len(context), len(tokens))))
    return found


@pytest.mark.parametrize(
    ("limit", "sequences"),
    [(BatchLimit(tokens=4096), 256), (BatchLimit(tokens=100), 256), (BatchLimit(items=1), 256), (BatchLimit(), 4)],
)
def test_a_tree_has_the_numbers_of_single_passes(tmp_path: Path, limit: BatchLimit, sequences: int) -> None:
    network = tiny_gguf.write(tmp_path / "tiny.gguf", ("F32",))
    library = LlamaLibrary(tmp_path / "tiny.gguf", threads=1)
    requests = some_requests()
    plan = plan_sequences(requests, limit, max_sequences=sequences)
    library.reserve(
        cells=max(batch.cells for batch in plan.batches), batch=max(len(batch.tokens) for batch in plan.batches)
    )
    for _ in range(2):  # the second time with a memory that was used
        library.forget()
        totals = [[0.0] * len(request.options) for request in requests]
        for batch in plan.batches:
            for place, value in zip(batch.places, library.compute(batch), strict=True):
                totals[place.request][place.option] += value
        found = [value for some in totals for value in some]
        assert found == pytest.approx(one_pass_per_option(network, requests), abs=1e-4)
    library.close()


def test_what_it_cannot_read_is_one_line(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "other.gguf", architecture="no-such-architecture")
    with pytest.raises(ModelError, match=r"llama\.cpp cannot read '.*other\.gguf' \(got .*\)") as caught:
        LlamaLibrary(tmp_path / "other.gguf", threads=1)
    assert "\n" not in str(caught.value)


def test_its_log_is_not_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf", ("F32",))
    library = LlamaLibrary(tmp_path / "tiny.gguf", threads=1)
    library.reserve(cells=64, batch=64)
    assert library.vocabulary_size == len(tiny_gguf.tokenizer())
    assert "1 threads" in library.description
    assert capfd.readouterr() == ("", "")
