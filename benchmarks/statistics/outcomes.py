"""Millions of stored outcomes: how long commands take, how much memory they need, and how both grow.

    python -m benchmarks.statistics.outcomes [--tasks 20] [--wordings 100] [--examples 5000] [--keep FOLDER]
    python -m benchmarks.statistics.outcomes --tasks 1 --wordings 5000 --examples 100 1000 10000 --small

Makes runs of wordings in two groups on answers drawn at random, through the store that `evaluate` writes with, and
calls the command line on each as a user would, every command in a process of its own. `plan` is `evaluate --dry-run` of
a grid of the same size. `--small` makes runs of two options and of log-probabilities with one decimal, which take a
tenth of the disk.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from phraseproof.core import Cell
from phraseproof.identity import content_hash
from phraseproof.store.schema import CELL_COLUMNS, COLUMNS, add_missing_columns, with_metadata
from phraseproof.store.writer import RunStore

COMMANDS = ("table", "table --json", "analyze", "analyze --by-task --json", "report", "gate", "compare")
_SETTINGS = {"model": {"name": "random", "adapter": None}, "scoring": "loglikelihood"}


def make_run(
    path: Path, tasks: int, wordings: int, examples: int, *, seed: int = 0, options: int = 4, decimals: int = 15
) -> None:
    """Write a run of `tasks * wordings` cells, as a process that evaluates does."""
    store = RunStore(path, _SETTINGS)
    cells = [
        Cell(content_hash([task, wording]), f"task-{task:02}", f"category-{task % 4}", f"w/{wording:04}",
             "observed" if wording < wordings // 2 else "unobserved", 0, 0, examples)
        for task in range(tasks)
        for wording in range(wordings)
    ]  # fmt: skip
    texts = {f"w/{wording:04}": {"text": f"Wording {wording} of the question: {{{{ question }}}}"}
             for wording in range(wordings)}  # fmt: skip
    store.register(cells, {"groups": {"observed": {}, "unobserved": {}}, "instructions": texts})
    store.write_tables(_tables(cells, wordings, examples, np.random.default_rng(seed), options, decimals))
    store.finish(0)


def _tables(
    cells: list[Cell], wordings: int, examples: int, random: np.random.Generator, number: int, decimals: int
) -> Iterator[tuple[Cell, pa.Table]]:
    ids = pa.array([f"example-{number}" for number in range(examples)])
    options = pa.array([list("ABCD"[:number])] * examples, COLUMNS.field("options").type)
    tokens = pa.array(np.full(examples, 100, dtype=np.int32))
    none = pa.array(np.zeros(examples, dtype=np.int32))
    hard = random.normal(0, 1.5, (len(cells) // wordings, examples))
    target = np.arange(examples) % number
    for place, cell in enumerate(cells):
        odds = 0.5 + random.normal(0, 0.3) + hard[place // wordings]
        right = random.random(examples) < 1 / (1 + np.exp(-odds))
        predicted = np.where(right, target, (target + random.integers(1, number, examples)) % number)
        values = np.round(-random.gamma(4.0, 0.5, number * examples), decimals)
        logprobs = pa.FixedSizeListArray.from_arrays(pa.array(values), number)
        columns = {
            **{name: pa.repeat(pa.scalar(getattr(cell, name), COLUMNS.field(name).type), examples)
               for name in CELL_COLUMNS},
            "example_id": ids,
            "options": options,
            "option_logprobs": logprobs.cast(COLUMNS.field("option_logprobs").type),
            "predicted": pa.array(predicted.astype(np.int32)),
            "target": pa.array(target.astype(np.int32)),
            "score": pa.array(right.astype(np.float64)),
            "prompt_tokens": tokens,
            "computed_tokens": tokens,
            "truncated_tokens": none,
            "option_tokens": pa.array([[1] * number] * examples, COLUMNS.field("option_tokens").type),
        }  # fmt: skip
        table = add_missing_columns(pa.table(columns)).select(COLUMNS.names)
        yield cell, with_metadata(table, cell.identity, "{}")


def write_plan(folder: Path, wordings: int, examples: int) -> list[str]:
    """Files of a task and its wordings, and the command that plans the grid."""
    rows = "".join(f"Is {number} larger than {number * 7 % examples}?,{('no', 'yes')[number % 2]}\n"
                   for number in range(examples))  # fmt: skip
    (folder / "task.csv").write_text(f"question,label\n{rows}")
    (folder / "task.yaml").write_text(
        "name: task\nkind: binary\ndata: task.csv\nchoices: ['yes', 'no']\nanswer: label\ncategory: all\n"
    )
    asked = [{"id": f"i{number}", "template": f"Wording {number}: {{{{ question }}}}", "answer": "text"}
             for number in range(wordings)]  # fmt: skip
    (folder / "wordings.yaml").write_text(json.dumps({"name": "wordings", "instructions": asked}))
    inputs = ["--tasks", str(folder / "task.yaml"), "--instructions", f"mine={folder / 'wordings.yaml'}"]
    return ["evaluate", "--model", "scripted", *inputs, "--out", str(folder / "plan"), "--dry-run"]


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


def show(name: str, found: dict[str, float]) -> None:
    """Print a line of the result."""
    cost = f"{found['wall_s']:7.1f} s, {found['cpu_s']:7.1f} s of CPU time, {found['peak_gb']:6.2f} GB at most"
    print(f"{name:26} {cost}", flush=True)


def at_size(
    folder: Path, tasks: int, wordings: int, examples: int, commands: list[str], *, is_small: bool = False
) -> None:
    """Make a run, unless the folder holds it, and measure every command on it."""
    path, program = folder / f"run-{tasks}-{wordings}-{examples}", [sys.executable, "-m", "phraseproof"]
    print(f"{tasks} tasks x {wordings:,} wordings x {examples:,} examples = {tasks * wordings * examples:,} outcomes")
    if "plan" in commands and tasks == 1:
        show("plan", measure([*program, *write_plan(folder, wordings, examples)]))
    if not (path / "run.json").exists():
        small = ", options=2, decimals=1" if is_small else ""
        call = f"make_run(pathlib.Path({str(path)!r}), {tasks}, {wordings}, {examples}{small})"
        script = f"import pathlib; from benchmarks.statistics.outcomes import make_run; {call}"
        show("write", measure([sys.executable, "-c", script]))
        files = list(path.rglob("*.parquet"))
        print(f"  {len(files):,} Parquet files, {sum(each.stat().st_size for each in files) / 1e9:.2f} GB", flush=True)
    for command in commands:
        name, *options = command.split()
        if name == "report":
            options += ["--out", str(folder / "report.html")]
        elif name == "gate":
            options += ["--max-spread", "50"]
        elif name == "compare":
            options = [str(path), *options]
        if name != "plan":
            show(command, measure([*program, name, str(path), *options]))
    page = folder / "report.html"
    if page.exists():
        print(f"  the page has {page.stat().st_size / 1e6:.2f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--wordings", type=int, default=100)
    parser.add_argument("--examples", type=int, nargs="+", default=[5000])
    parser.add_argument("--commands", nargs="+", default=["plan", *COMMANDS])
    parser.add_argument("--small", action="store_true", help="fewer bytes per outcome")
    parser.add_argument("--keep", type=Path, help="make the runs here, or use those that are there")
    chosen, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        for examples in chosen.examples:
            at_size(folder, chosen.tasks, chosen.wordings, examples, chosen.commands, is_small=chosen.small)


if __name__ == "__main__":
    main()
