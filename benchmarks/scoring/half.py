"""Half precision against float32 on one CPU core: speed, choices, and what scoring near-ties again costs.

For SmolLM2 and for the shapes of `benchmarks.scoring`, in bfloat16 as `evaluate --dtype bfloat16 --rescore-ties`
computes it, and with int8 weights (torch's dynamic quantisation through oneDNN: weights per output channel,
activations per product), which the program does not offer. The error bound is measured as `evaluate` measures it, on
64 of the prompts; near-ties are then scored again in float32. Interleaved repeats, CPU time.

`python -m benchmarks.scoring.half`; `--rows smollm2-letters` runs parts.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import argparse
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from benchmarks.scoring.device import device_line
from benchmarks.scoring.work import WORDINGS, many_wordings, prompts
from benchmarks.shapes import build_llama, build_t5, prompt_text, questions
from phraseproof.core import OptionScores, Prompt
from phraseproof.engine.cpu.half_products import bfloat16_units
from phraseproof.engine.cpu.packed_linear import PackedLinear
from phraseproof.evaluation.half_precision import SAFETY
from phraseproof.evaluation.near_ties import NearTies, error_of
from phraseproof.evaluation.numerical_error import SAMPLED_PROMPTS
from phraseproof.models import ModelOptions, load_model

SCORING = "loglikelihood"
ROWS = {
    "smollm2-letters": ("smollm2", "letters", 0),
    "smollm2-texts": ("smollm2", "texts", 0),
    "llama-letters": ("llama", "letters", 0),
    "llama-texts": ("llama", "texts", 0),
    "llama-5shot-letters": ("llama", "letters", 5),
    "t5-letters": ("t5", "letters", 0),
    "t5-texts": ("t5", "texts", 0),
}
"""Model, options and demonstrations of each row. SmolLM2's questions come under 20 wordings."""


class Int8Linear(nn.Module):
    """A layer with int8 weights, as torch quantises them dynamically."""

    def __init__(self, layer: PackedLinear) -> None:
        super().__init__()
        weight = layer.weight.to_dense()
        scales = weight.abs().amax(dim=1).double().clamp_(min=1e-12) / 127
        zero = torch.zeros(len(scales), dtype=torch.long)
        quantised = torch.quantize_per_channel(weight, scales, zero, 0, torch.qint8)
        self.weight = weight[:0]  # T5 reads the type of its layers' weights
        self._packed: Any = torch.ops.quantized.linear_prepack(quantised, layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ops.quantized.linear_dynamic(x, self._packed, False)


def in_int8(model: Any, some: Sequence[Prompt]) -> Any:
    """The model with int8 weights in all linear layers but the output head.

    Changed after its first prompts: the scale of activations depends on all tokens of a batch, so that a model that
    is quantised earlier is refused, because its predictions depend on later tokens.
    """
    from phraseproof.engine.cpu.fused_mlp import unfuse_gates

    torch.backends.quantized.engine = "onednn"
    model.score_options(some)
    network = model.network
    unfuse_gates(network)
    head = network.get_output_embeddings()
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is PackedLinear and child is not head:
                setattr(parent, name, Int8Linear(child))
    return model


class Outcome(NamedTuple):
    """What a precision gave.

    Attributes:
        alone_s: CPU seconds without scoring near-ties again.
        again_s: CPU seconds of scoring them again.
        errors: sorted, one per prompt, in nats.
        bound: twice the largest error on the sample.
        near: the number of near-ties.
        changed_before, changed_after: the number of choices other than float32's, without and with scoring again.
    """

    alone_s: float
    again_s: float
    errors: list[float]
    bound: float
    near: int
    changed_before: int
    changed_after: int


def main(rows: Sequence[str], count: int, repeats: int, precisions: Sequence[str]) -> None:
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    print(f"{device_line('cpu')}; units for bfloat16: {bfloat16_units()}; torch {torch.__version__}, one thread")
    print(
        f"{'row':<21}{'precision':<10}{'prompts':>8}{'ms float32':>11}{'ms':>7}{'x':>6}{'again':>7}{'x all':>7}"
        f"{'changed':>8}{'after':>6}{'error median, largest, bound':>30}"
    )
    texts = [prompt_text(*question) for question in questions(2000)]
    with tempfile.TemporaryDirectory() as home:
        folders = {"smollm2": "smollm2"}
        for name, build in (("llama", build_llama), ("t5", build_t5)):
            if any(ROWS[row][0] == name for row in rows):
                folders[name] = str(build(Path(home, name), texts))
        for row in rows:
            model, kind, shots = ROWS[row]
            for line in measured(row, folders[model], asked(model, kind, shots, count), repeats, precisions):
                print(line, flush=True)


def asked(model: str, kind: str, shots: int, count: int) -> list[Prompt]:
    if model != "smollm2":
        return prompts(kind, count, shots=shots)
    each = -(-count // len(WORDINGS))
    letters = many_wordings(len(WORDINGS), each, shots=0)
    if kind == "letters":
        return letters
    # The same prompts; the options are the texts of the question's choices.
    options = [tuple(choices) for _, choices in questions(each)]
    return [
        Prompt(prompt.text, options[number % each], target_delimiter=prompt.target_delimiter)
        for number, prompt in enumerate(letters)
    ]


def measured(row: str, folder: str, some: list[Prompt], repeats: int, precisions: Sequence[str]) -> list[str]:
    """A line per precision."""
    exact: Any = load_model(folder, ModelOptions(device="cpu", dtype="float32"))
    models: dict[str, Any] = {}
    if "bfloat16" in precisions:
        models["bfloat16"] = load_model(folder, ModelOptions(device="cpu", dtype="bfloat16"))
    if "int8" in precisions:
        models["int8"] = in_int8(load_model(folder, ModelOptions(device="cpu", dtype="float32")), some[:2])
    for model in (exact, *models.values()):
        model.score_options(some[:2])
    full_s: list[float] = []
    found: dict[str, list[Outcome]] = {name: [] for name in models}
    for _ in range(repeats):
        seconds, full = timed(exact, some)
        full_s.append(seconds)
        for name, model in models.items():
            found[name].append(outcome(exact, full, *timed(model, some), some))
    of_full = statistics.median(full_s)
    return [line(row, name, len(some), of_full, outcomes) for name, outcomes in found.items()]


def timed(model: Any, some: Sequence[Prompt]) -> tuple[float, list[OptionScores]]:
    before = time.process_time()
    scores = list(model.score_options(some))
    return time.process_time() - before, scores


def outcome(
    exact: Any, full: list[OptionScores], seconds: float, half: list[OptionScores], some: list[Prompt]
) -> Outcome:
    errors = [
        error_of(one.logprobs, other.logprobs, prompt.options, SCORING).lead
        for one, other, prompt in zip(half, full, some, strict=True)
    ]
    size = min(SAMPLED_PROMPTS, len(some))
    bound = SAFETY * max(errors[place * len(some) // size] for place in range(size))
    ties = NearTies(exact, bound, SCORING)
    near = [
        place for place, (scores, prompt) in enumerate(zip(half, some, strict=True)) if ties.is_near(scores, prompt)
    ]
    before = time.process_time()
    again = ties.again([half[place] for place in near], [some[place] for place in near]) if near else []
    again_s = time.process_time() - before
    decided = dict(enumerate(half)) | {place: one.scores for place, one in zip(near, again, strict=True)}
    return Outcome(
        seconds,
        again_s,
        sorted(errors),
        bound,
        len(near),
        sum(choice(one) != choice(other) for one, other in zip(half, full, strict=True)),
        sum(choice(decided[place]) != choice(scores) for place, scores in enumerate(full)),
    )


def choice(scores: OptionScores) -> int:
    return scores.logprobs.index(max(scores.logprobs))


def line(row: str, name: str, count: int, full_s: float, outcomes: Sequence[Outcome]) -> str:
    alone = statistics.median(each.alone_s for each in outcomes)
    whole = statistics.median(each.alone_s + each.again_s for each in outcomes)
    last = outcomes[-1]
    errors = f"{statistics.median(last.errors):.3f}, {last.errors[-1]:.3f}, {last.bound:.3f}"
    return (
        f"{row:<21}{name:<10}{count:>8}{1000 * full_s / count:>11.1f}{1000 * alone / count:>7.1f}{full_s / alone:>6.2f}"
        f"{last.near / count:>7.1%}{full_s / whole:>7.2f}{last.changed_before:>8}{last.changed_after:>6}{errors:>30}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring.half")
    parser.add_argument("--rows", nargs="+", choices=tuple(ROWS), default=tuple(ROWS))
    parser.add_argument("--prompts", type=int, default=160)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--precisions", nargs="+", choices=("bfloat16", "int8"), default=("bfloat16", "int8"))
    chosen = parser.parse_args()
    main(chosen.rows, chosen.prompts, chosen.repeats, chosen.precisions)
