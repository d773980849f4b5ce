"""How the cost of scoring grows: with prompts, wordings, options, demonstrations, length and threads.

`python -m benchmarks.scoring.growth [--only KIND ...] [--out FOLDER]` measures the 84M Llama shape with random weights
and prints CPU milliseconds per prompt, the best of several repeats, next to the bound: the operations that cannot be
left out (`flops.py`) at the speed of packed matrix products. `--out` gets a figure (SVG) for each kind.

Threads are measured in CPU time too, because other processes disturb the clock: while threads that wait take no CPU
time (`GOMP_SPINCOUNT=0`), the time of the main thread is that of what cannot be divided and of its own share of the
rest. One thread's time divided by it is how much faster scoring is on free cores, at most.
"""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["GOMP_SPINCOUNT"] = "0"

import argparse
import dataclasses
import logging
import random
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.scoring.flops import peak_flops, unavoidable
from benchmarks.scoring.work import many_wordings, prompts
from benchmarks.shapes import build_llama, prompt_text, questions
from phraseproof.core import Prompt
from phraseproof.models import ModelOptions, load_model
from phraseproof.reports.charts.chart import Chart, Spec
from phraseproof.reports.charts.plot import draw

REPEATS = 3
WIDTH = 420


class Point(NamedTuple):
    """A measurement: CPU milliseconds per prompt, and at least how many by the bound."""

    at: int
    prompts: int
    measured: float
    bound: float


def of_prompts() -> Iterable[tuple[int, list[Prompt]]]:
    return ((count, prompts("letters", count)) for count in (4, 8, 16, 32, 64))


def of_wordings() -> Iterable[tuple[int, list[Prompt]]]:
    return ((count, many_wordings(count, 4, shots=2)) for count in (1, 2, 5, 10, 20))


def of_options() -> Iterable[tuple[int, list[Prompt]]]:
    asked = prompts("letters", 8)
    others = [option for _, options in questions(200) for option in options]
    texts = list(dict.fromkeys(option for option in others if 3 <= len(option.split()) <= 8))
    for count in (2, 4, 8, 16, 32):
        yield count, [dataclasses.replace(prompt, options=tuple(texts[:count])) for prompt in asked]


def of_shots() -> Iterable[tuple[int, list[Prompt]]]:
    return ((count, prompts("letters", 12, shots=count)) for count in (0, 1, 2, 5, 10))


def of_length() -> Iterable[tuple[int, list[Prompt]]]:
    words = [word for question, _ in questions(300) for word in question.split()]
    draw_words = random.Random(0)
    for count in (50, 100, 200, 500, 1000, 2000):
        texts = [" ".join(draw_words.choices(words, k=count)) for _ in range(max(2, 400 // count))]
        yield count, [Prompt(f"{text}\nAnswer:", ("yes", "no")) for text in texts]


KINDS: dict[str, tuple[str, Callable[[], Iterable[tuple[int, list[Prompt]]]]]] = {
    "prompts": ("prompts", of_prompts),
    "wordings": ("wordings of 4 questions, 2 demonstrations", of_wordings),
    "options": ("options of 3 to 8 words", of_options),
    "shots": ("demonstrations", of_shots),
    "length": ("words in a prompt", of_length),
}
THREADS = "threads"


def cpu_seconds(model: Any, asked: Sequence[Prompt], clock: Callable[[], float] = time.process_time) -> float:
    before = clock()
    model.score_options(asked)
    return clock() - before


def grown(model: Any, works: Iterable[tuple[int, list[Prompt]]]) -> list[Point]:
    """One point per amount of work. The peak is measured at the same time as the scoring, as both vary."""
    points: list[Point] = []
    for at, asked in works:
        needed = unavoidable(model, asked)
        pairs = [(cpu_seconds(model, asked), needed / max(peak_flops(0.2))) for _ in range(REPEATS)]
        measured, bound = (1000 * min(column) / len(asked) for column in zip(*pairs, strict=True))
        points.append(Point(at, len(asked), measured, bound))
    return points


def threads(model: Any) -> list[tuple[int, float, float]]:
    """(threads, CPU seconds of all, CPU seconds of the main one) for each number of threads up to that of the cores."""
    import torch

    asked = prompts("letters", 16, shots=5)
    counts = sorted({1, 2, *(2**power for power in range(2, 10) if 2**power <= (os.cpu_count() or 1))})
    found: dict[int, list[tuple[float, float]]] = {count: [] for count in counts}
    try:
        for _ in range(REPEATS):
            for count in counts:
                torch.set_num_threads(count)
                before = time.process_time()
                main = cpu_seconds(model, asked, time.thread_time)
                found[count].append((time.process_time() - before, main))
    finally:
        torch.set_num_threads(1)
    return [(count, *(min(column) for column in zip(*pairs, strict=True))) for count, pairs in found.items()]


def figure(kind: str, title: str, points: Sequence[Point]) -> Chart:
    """Measured and least milliseconds per prompt, both axes logarithmic."""
    names = ("measured", "bound")
    rows = [
        {"at": point.at, "ms": value, "time": name}
        for point in points
        for name, value in zip(names, (point.measured, point.bound), strict=True)
    ]
    values = [value for point in points for value in (point.measured, point.bound)]
    x: Spec = {
        "field": "at",
        "type": "quantitative",
        "scale": {"type": "symlog" if points[0].at == 0 else "log", "nice": False},
        "axis": {"title": title, "values": [point.at for point in points], "format": "d"},
    }
    y: Spec = {
        "field": "ms",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [0.7 * min(values), 1.4 * max(values)], "nice": False},
        "axis": {"title": "CPU milliseconds per prompt", "grid": True, "tickCount": 5},
    }
    color: Spec = {"field": "time", "type": "nominal", "scale": {"domain": list(names)}, "legend": {"title": None}}
    lines: Spec = {
        "data": {"name": "times"},
        "mark": {"type": "line", "point": True},
        "encoding": {"x": x, "y": y, "color": color, "strokeDash": {**color}},
    }
    shares = [point.bound / point.measured for point in points]
    return Chart(
        kind=f"growth-{kind}",
        title=f"Cost by {kind}",
        description=f"CPU time per prompt and its bound, which is {min(shares):.0%} to {max(shares):.0%} of it.",
        spec={"height": 200, "layer": [lines]},
        data={"times": rows},
    )


def main(only: Sequence[str], out: Path | None) -> None:
    import torch

    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as home:
        folder = build_llama(Path(home, "llama"), [prompt_text(*question) for question in questions(2000)])
        model: Any = load_model(str(folder), ModelOptions(device="cpu", dtype="float32"))
        model.score_options(prompts("letters", 2))
        for kind in only:
            if kind == THREADS:
                continue
            title, works = KINDS[kind]
            points = grown(model, works())
            print(f"{title:<44}{'prompts':>8}{'ms/prompt':>11}{'bound':>9}{'share':>7}")
            for point in points:
                share = point.bound / point.measured
                print(
                    f"{point.at:<44}{point.prompts:>8}{point.measured:>11.1f}{point.bound:>9.1f}{share:>7.0%}",
                    flush=True,
                )
            if out is not None:
                draw(figure(kind, title, points), out / f"growth-{kind}.svg", width=WIDTH)
        if THREADS in only:
            found = threads(model)
            alone = found[0][1]
            print(f"{'threads':<44}{'CPU s':>8}{'main, s':>11}{'at most':>9}{'bound':>7}")
            for count, seconds, main_seconds in found:
                print(f"{count:<44}{seconds:>8.2f}{main_seconds:>11.2f}{alone / main_seconds:>8.2f}x{count:>6}x")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring.growth")
    parser.add_argument("--only", nargs="+", choices=(*KINDS, THREADS), default=(*KINDS, THREADS))
    parser.add_argument("--out", type=Path, help="an existing folder for figures")
    chosen = parser.parse_args()
    main(chosen.only, chosen.out)
