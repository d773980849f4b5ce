"""Eleven tasks of different kinds in lm-evaluation-harness and here, on one model in float32.

`python -m benchmarks.harness MODEL DATA` needs the package lm_eval, a model folder, and a folder with `mmlu` and `bbl`
in the benchmarks' published files. One line per metric: its value there and here, how many documents have another
score or text, and the largest difference of a log-likelihood in nats.
"""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import argparse
import tempfile
from pathlib import Path

from benchmarks.harness.parity import ELEVEN, compare, harness_model, write_tasks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="", help="names of tasks, separated by commas")
    parser.add_argument("--limit", type=int, help="only the first documents of each task")
    asked = parser.parse_args()
    lm = harness_model(asked.model)
    print(
        f"{'task':22}{'metric':20}{'shots':>6}{'documents':>10}{'lm_eval':>10}{'ours':>10}{'different':>10}{'error':>10}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = write_tasks(Path(name) / "tasks", asked.data.resolve())
        for each in ELEVEN:
            if asked.only and each.task not in asked.only.split(","):
                continue
            for score in compare(each, folder, lm, asked.model, Path(name) / "runs" / each.task, limit=asked.limit):
                values = f"{score.documents:10}{score.theirs:10.4f}{score.ours:10.4f}{score.different:10}"
                values += "         -" if score.error is None else f"{score.error:10.1e}"
                print(f"{each.task:22}{score.metric:20}{each.shots:6}{values}", flush=True)


if __name__ == "__main__":
    main()
