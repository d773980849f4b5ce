"""Ten million stored outcomes: how long `table` and `analyze` take, and how much memory.

    python -m benchmarks.statistics.outcomes [--outcomes 10_000_000] [--keep FOLDER]

Makes a run of 20 tasks x 100 wordings in two groups x 5,000 examples (fewer for fewer outcomes), of answers drawn at
random, and calls the command line on it, as a user would, each time in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from phraseproof.core import Cell
from phraseproof.identity import SCHEMA_VERSION, content_hash
from phraseproof.store.cell_files import write_parquet
from phraseproof.store.schema import COLUMNS, IDENTITY_KEY, SCHEMA_KEY, USAGE_KEY, add_missing_columns
from phraseproof.store.writer import RunStore

TASKS, WORDINGS = 20, 100
COMMANDS = (("table",), ("table", "--json"), ("analyze",), ("analyze", "--by-task", "--json"))


def make_run(path: Path, outcomes: int) -> None:
    """A run of about so many outcomes."""
    examples = max(2, outcomes // (TASKS * WORDINGS))
    random = np.random.default_rng(0)
    store = RunStore(path, {"model": {"name": "random", "adapter": None}, "scoring": "loglikelihood"})
    cells = [
        Cell(content_hash([task, wording]), f"task-{task:02}", f"category-{task % 4}", f"w/{wording:03}",
             "observed" if wording < WORDINGS // 2 else "unobserved", 0, 0, examples)
        for task in range(TASKS)
        for wording in range(WORDINGS)
    ]  # fmt: skip
    store.register(cells, {"groups": {"observed": {}, "unobserved": {}}})
    ids = pa.array([f"example-{number}" for number in range(examples)])
    options = pa.array([["A", "B", "C", "D"]] * examples, COLUMNS.field("options").type)
    tokens = pa.array(np.full(examples, 100, dtype=np.int32))
    none = pa.array(np.zeros(examples, dtype=np.int32))
    hard = random.normal(0, 1.5, (TASKS, examples))
    for number, cell in enumerate(cells):
        target = np.arange(examples) % 4
        odds = 0.5 + random.normal(0, 0.3) + hard[number // WORDINGS]
        right = random.random(examples) < 1 / (1 + np.exp(-odds))
        predicted = np.where(right, target, (target + random.integers(1, 4, examples)) % 4)
        logprobs = pa.FixedSizeListArray.from_arrays(pa.array(-random.gamma(4.0, 0.5, 4 * examples)), 4)
        columns = {
            **{name: pa.array([getattr(cell, name)] * examples, COLUMNS.field(name).type)
               for name in ("task", "category", "instruction", "group", "num_fewshot", "fewshot_seed",
                            "scoring", "metric")},
            "example_id": ids,
            "options": options,
            "option_logprobs": logprobs.cast(COLUMNS.field("option_logprobs").type),
            "predicted": pa.array(predicted.astype(np.int32)),
            "target": pa.array(target.astype(np.int32)),
            "score": pa.array(right.astype(np.float64)),
            "prompt_tokens": tokens,
            "computed_tokens": tokens,
            "truncated_tokens": none,
            "option_tokens": pa.array([[1, 1, 1, 1]] * examples, COLUMNS.field("option_tokens").type),
        }  # fmt: skip
        metadata = {IDENTITY_KEY: cell.identity.encode(), SCHEMA_KEY: str(SCHEMA_VERSION).encode(), USAGE_KEY: b"{}"}
        table = add_missing_columns(pa.table(columns)).select(COLUMNS.names).replace_schema_metadata(metadata)
        write_parquet([(store.cell_path(cell), table)])


def measure(command: list[str]) -> dict[str, float]:
    """Elapsed and CPU seconds of a process, and its peak memory."""
    script = (
        "import json, resource, subprocess, sys, time; begin = time.perf_counter();"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL);"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(json.dumps({'wall_s': time.perf_counter() - begin, 'cpu_s': used.ru_utime + used.ru_stime,"
        " 'peak_gb': used.ru_maxrss / 1024**2}))"
    )
    done = subprocess.run([sys.executable, "-c", script, *command], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outcomes", type=int, default=10_000_000)
    parser.add_argument("--keep", type=Path, help="make the run here, or use the one that is there")
    chosen, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        path = chosen.keep or Path(folder) / "run"
        if not (path / "run.json").exists():
            begin = time.perf_counter()
            make_run(path, chosen.outcomes)
            print(f"made {chosen.outcomes:,} outcomes in {time.perf_counter() - begin:.0f} s", flush=True)
        for command in COMMANDS:
            found = measure([sys.executable, "-m", "phraseproof", command[0], str(path), *command[1:]])
            print(f"{' '.join(command)}: {found['wall_s']:.1f} s, {found['cpu_s']:.1f} s of CPU time,"
                  f" {found['peak_gb']:.2f} GB at most", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
