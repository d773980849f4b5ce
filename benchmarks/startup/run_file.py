"""CPU time of writing and reading `run.json`, by its number of cells."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CELLS = (10, 5_000)
REPEATS = 5


def measure_in(root: Path, name: str) -> None:
    """`main` with the sources of one tree."""
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    subprocess.run([sys.executable, str(Path(__file__).resolve()), name], env=environment, check=True)


def content(cells: int) -> dict[str, Any]:
    """A run of one task under `cells` wordings, as an evaluation writes it."""
    names = [f"wording-{number}" for number in range(cells)]
    identities = [f"{number:032x}" for number in range(cells)]
    cell = {
        "task": "everyday/tickets",
        "category": "Everyday",
        "group": "observed",
        "num_fewshot": 0,
        "fewshot_seed": 0,
        "num_examples": 100,
        "grid_examples": None,
        "scoring": "loglikelihood",
        "metric": "accuracy",
        "repeat": 0,
        "option_order": 0,
    }
    text = "Read the message and pick the team that handles it. " * 3
    wording = {"text": text, "ask": text, "content": "0" * 32}
    example = {"task": "everyday/tickets", "num_fewshot": 0, "prompt": text * 5}
    return {
        "schema_version": 1,
        "settings": {"model": {"name": "m"}, "scoring": "loglikelihood", "limit": 100, "seed": 0},
        "cells": [
            {"identity": each, "instruction": name, **cell} for each, name in zip(identities, names, strict=True)
        ],
        "instructions": {name: {**wording, "example": example} for name in names},
        "checksums": {f"cells/everyday_tickets/observed/{each}-01234567.parquet": 2**31 for each in identities},
    }


def main() -> None:
    from phraseproof.store.run_file import RUN_FILE, read_run_file, write_run_file

    with tempfile.TemporaryDirectory() as place:
        for cells in CELLS:
            plain, folder = content(cells), Path(place)
            writes, reads = [], []
            for _ in range(REPEATS):
                start = time.process_time()
                write_run_file(folder, plain)
                middle = time.process_time()
                read_run_file(folder)
                writes.append(middle - start)
                reads.append(time.process_time() - middle)
            size = (folder / RUN_FILE).stat().st_size / 1e6
            print(
                f"run.json, {cells:,} cells ({size:.2f} MB), {sys.argv[1]}: "
                f"write {1e3 * statistics.median(writes):.1f} ms, read {1e3 * statistics.median(reads):.1f} ms",
                flush=True,
            )


if __name__ == "__main__":
    main()
