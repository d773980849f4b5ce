"""Option scoring against lm-evaluation-harness: same models, same prompts, one core, CPU time, interleaved repeats.

Both score the log-likelihood of every option; the run stops if a choice differs. The peer is lm-evaluation-harness's
Hugging Face backend at batch size 1, its default, and at 16. It takes long, so it scores only the first of the
questions that we score; CPU seconds are compared per question. `python -m benchmarks.scoring --rows t5-letters memory`
runs parts; `--device cuda` runs both on an accelerator and compares wall time. Rows of SmolLM2 need its package
(`--model smollm2`), and one of them BIG-bench's published files.
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
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.scoring.device import both_ways, device_line
from benchmarks.scoring.flops import peak_flops, unavoidable
from benchmarks.scoring.memory import peak_memory
from benchmarks.scoring.peer import Scores, load_peer, peer_scores
from benchmarks.scoring.work import BIG_BENCH, WORDINGS, big_bench, many_wordings, prompts
from benchmarks.shapes import build_llama, build_t5, prompt_text, questions
from phraseproof.core import Prompt
from phraseproof.models import ModelOptions, load_model

REPEATS = 3
BATCHES = (1, 16)
TOLERANCE = 2.5e-4
MEMORY_COUNTS = (1_000, 10_000, 100_000)


class Row(NamedTuple):
    """A row of the table: what is scored by us, and on how many of its questions the peer is measured.

    With several wordings, `questions` is their number for each wording.
    """

    model: str
    kind: str
    shots: int
    questions: int
    of_peer: int
    wordings: int = 1

    def prompts(self) -> list[Prompt]:
        if self.kind == "BIG-bench":
            return big_bench(self.wordings, self.questions // len(BIG_BENCH))
        if self.wordings > 1:
            return many_wordings(self.wordings, self.questions, shots=self.shots)
        return prompts(self.kind, self.questions, shots=self.shots)


ROWS = {
    "t5-letters": Row("t5", "letters", 0, 32, 16),
    "t5-texts": Row("t5", "texts", 0, 32, 16),
    "llama-letters": Row("llama", "letters", 0, 32, 16),
    "llama-texts": Row("llama", "texts", 0, 32, 8),
    "llama-5shot-letters": Row("llama", "letters", 5, 48, 4),
    "llama-5shot-texts": Row("llama", "texts", 5, 48, 2),
    "smollm2-letters": Row("smollm2", "letters", 0, 4, 8, wordings=20),
    "smollm2-bigbench": Row("smollm2", "BIG-bench", 0, 6, 12, wordings=20),
}
OTHERS = ("attention", "tokens", "memory")
SHAPES = {
    "t5": ("flan-t5-small shape", "seq2seq"),
    "llama": ("84M Llama shape", "causal"),
    "smollm2": ("SmolLM2-135M", "causal"),
}


class Measured(NamedTuple):
    """CPU seconds of one call, and its result."""

    seconds: float
    scores: Scores


def timed(score: Callable[[Any, list[Prompt]], Scores], model: Any, asked: list[Prompt], device: str) -> Measured:
    # Scores come back as Python numbers, so an accelerator has finished when they are there.
    clock = time.process_time if device == "cpu" else time.perf_counter
    before = clock()
    scores = score(model, asked)
    return Measured(clock() - before, scores)


def our_scores(model: Any, asked: list[Prompt]) -> Scores:
    return [scores.logprobs for scores in model.score_options(asked)]


def check_equal(ours: Scores, theirs: Scores) -> float:
    worst = max(abs(a - b) for one, other in zip(ours, theirs, strict=True) for a, b in zip(one, other, strict=True))
    assert worst < TOLERANCE, f"log-likelihoods differ by {worst}"
    for one, other in zip(ours, theirs, strict=True):
        assert one.index(max(one)) == other.index(max(other)), "a choice differs"
    return worst


def compare(row: Row, folder: Path, device: str) -> str:
    """One line of the table."""
    name, backend = SHAPES[row.model]
    asked = row.prompts()
    few = asked[: row.of_peer]
    ours = load_model(str(folder), ModelOptions(device=device, dtype="float32"))
    our_scores(ours, asked[:2])
    needed = unavoidable(ours, asked)
    peers = [load_peer(folder, backend, size, device) for size in BATCHES]
    ratios: list[list[float]] = []
    shares: list[float] = []
    seconds: list[float] = []
    worst = 0.0
    for _ in range(REPEATS):
        mine = timed(our_scores, ours, asked, device)
        seconds.append(mine.seconds)
        if device == "cpu":
            shares.append(needed / mine.seconds / max(peak_flops()))
        line: list[float] = []
        for other in peers:
            theirs = timed(peer_scores, other, few, device)
            worst = max(worst, check_equal(mine.scores[: len(few)], theirs.scores))
            line.append((theirs.seconds / len(few)) / (mine.seconds / len(asked)))
        ratios.append(line)
    first, second = (statistics.median(column) for column in zip(*ratios, strict=True))
    peak = f"{statistics.median(shares):.0%}" if shares else "n/a"
    return (
        f"{name:<22}{row.kind:<10}{row.shots:>5}{row.wordings:>9}"
        f"{1000 * statistics.median(seconds) / len(asked):>12.1f}{first:>11.1f}{second:>12.1f}{peak:>10}{worst:>12.1e}"
    )


def attention(folder: Path, name: str, device: str) -> str:
    """Attention in blocks against prompt by prompt."""
    asked = prompts("letters", ROWS["llama-5shot-letters"].questions, shots=5)
    blocks, alone = both_ways(folder, device, asked)
    worst = check_equal(blocks.scores, alone.scores)
    return (
        f"{name}, 5 shots, {len(asked)} questions: in blocks {1000 * blocks.seconds:.1f} ms a question and "
        f"{blocks.calls:,} calls of torch, prompt by prompt {1000 * alone.seconds:.1f} ms and {alone.calls:,}; "
        f"difference {worst:.1e}"
    )


def token_sharing(folder: Path) -> str:
    """The tokens of many wordings of the same questions, by the forecast; scoring computes as many (tests say so)."""
    asked = many_wordings(len(WORDINGS), 200, shots=5)
    model: Any = load_model(str(folder))
    forecast = model.forecast_tokens(asked)
    return (
        f"{len(WORDINGS)} wordings x 200 questions, 5 shots, letters: {forecast.asked:,} tokens asked, "
        f"{forecast.unique:,} computed, {forecast.asked / forecast.unique:.1f} times fewer"
    )


def memory(folder: Path) -> str:
    """Peak memory by the number of examples."""
    return "peak memory: " + ", ".join(
        f"{count:,} examples {mebibytes:.0f} MiB" for count, mebibytes in peak_memory(folder, MEMORY_COUNTS)
    )


def main(rows: Sequence[str] = (*ROWS, *OTHERS), device: str = "cpu") -> None:
    import torch

    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "lm_eval"))
    print(device_line(device))
    plain, packed = peak_flops()
    print(f"{packages}; one thread; matrix products: {plain / 1e9:.0f} GFLOP/s plain, {packed / 1e9:.0f} packed")
    print(
        f"four-option questions; x: the peer's CPU time over ours, median of {REPEATS} repeats; peak: the share of the"
    )
    print("packed matrix products' speed that operations which cannot be left out were done at\n")
    texts = [prompt_text(*question) for question in questions(2000)]
    with tempfile.TemporaryDirectory() as home:
        folders = {"t5": build_t5(Path(home, "t5"), texts), "llama": build_llama(Path(home, "llama"), texts)}
        if any(row in ROWS and ROWS[row].model == "smollm2" for row in rows):
            from benchmarks.scoring.engines import as_folder

            as_folder(Path(home, "smollm2"))
            folders["smollm2"] = Path(home, "smollm2")
        if any(row in ROWS for row in rows):
            print(
                f"{'model':<22}{'options':<10}{'shots':>5}{'wordings':>9}{'ms/question':>12}"
                f"{'x batch 1':>11}{'x batch 16':>12}{'of peak':>10}{'difference':>12}"
            )
        for row in rows:
            if row in ROWS:
                print(compare(ROWS[row], folders[ROWS[row].model], device), flush=True)
        if "attention" in rows:
            for model in ("t5", "llama"):
                print(attention(folders[model], SHAPES[model][0], device), flush=True)
        if "tokens" in rows:
            print(token_sharing(folders["llama"]), flush=True)
        if "memory" in rows:
            from benchmarks.shapes import build_tiny_llama

            print(memory(build_tiny_llama(Path(home, "tiny"), folders["llama"])), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring")
    parser.add_argument("--rows", nargs="+", choices=(*ROWS, *OTHERS), default=(*ROWS, *OTHERS))
    parser.add_argument("--device", default="cpu")
    chosen = parser.parse_args()
    main(chosen.rows, chosen.device)
