"""What two threads gain, by the clock: every row of the scoring benchmark, and alignment steps.

`python -m benchmarks.scoring.threads [--rows ROW ...] [--threads N]` scores the same prompts with one thread and with
N in turns and prints the median of the ratios of wall time. Scores must agree. The machine must have N free cores:
anything else that runs is in the figures. `python -m benchmarks.scoring.growth --only threads` estimates the same from
CPU time on a busy machine.
"""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import argparse
import logging
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.alignment.__main__ import BATCHES, Ours, examples
from benchmarks.scoring.__main__ import ROWS, SHAPES, check_equal, our_scores
from benchmarks.shapes import build_llama, build_t5, prompt_text, questions
from phraseproof.models import ModelOptions, load_model

REPEATS = 5
STEPS = {"t5-step": "t5", "llama-step": "llama"}


def in_turns(work: Callable[[], Any], threads: int) -> tuple[float, float, list[Any]]:
    """(seconds with one thread, the median ratio to those with `threads`, both results)."""
    import torch

    alone: list[float] = []
    ratios: list[float] = []
    results: list[Any] = []
    work()
    for _ in range(REPEATS):
        seconds: list[float] = []
        results = []
        for count in (1, threads):
            torch.set_num_threads(count)
            before = time.perf_counter()
            results.append(work())
            seconds.append(time.perf_counter() - before)
        alone.append(seconds[0])
        ratios.append(seconds[0] / seconds[1])
    torch.set_num_threads(1)
    return statistics.median(alone), statistics.median(ratios), results


def of_row(row: str, folder: Path, threads: int) -> tuple[float, float]:
    asked = ROWS[row].prompts()
    model: Any = load_model(str(folder), ModelOptions(device="cpu", dtype="float32"))
    seconds, ratio, (one, other) = in_turns(lambda: our_scores(model, asked), threads)
    check_equal(one, other)
    return seconds, ratio


def of_step(folder: Path, threads: int) -> tuple[float, float]:
    side = Ours(folder)
    batches = examples(folder, BATCHES)
    seconds, ratio, losses = in_turns(lambda: side.step(batches), threads)
    assert abs(losses[0] - losses[1]) < 1e-5 * max(1.0, abs(losses[0])), f"losses differ: {losses}"
    return seconds, ratio


def main(rows: Sequence[str], threads: int) -> None:
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    texts = [prompt_text(*question) for question in questions(2000)]
    print(f"{'row':<28}{'seconds, 1 thread':>18}{f'x {threads} threads':>14}")
    with tempfile.TemporaryDirectory() as home:
        folders = {"t5": build_t5(Path(home, "t5"), texts), "llama": build_llama(Path(home, "llama"), texts)}
        if any(row in ROWS and ROWS[row].model == "smollm2" for row in rows):
            from benchmarks.scoring.engines import as_folder

            as_folder(Path(home, "smollm2"))
            folders["smollm2"] = Path(home, "smollm2")
        for row in rows:
            if row in ROWS:
                shape = ROWS[row].model
                seconds, ratio = of_row(row, folders[shape], threads)
            else:
                shape = STEPS[row]
                seconds, ratio = of_step(folders[shape], threads)
            print(f"{SHAPES[shape][0] + ', ' + row.split('-', 1)[1]:<40}{seconds:>6.2f}{ratio:>14.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring.threads")
    every = (*ROWS, *STEPS)
    parser.add_argument("--rows", nargs="+", choices=every, default=every)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    main(chosen.rows, chosen.threads)
