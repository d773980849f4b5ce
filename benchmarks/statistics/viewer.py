"""The viewer on a million outcomes: how long each kind of page takes, and how much memory.

    python -m benchmarks.statistics.viewer [--tasks 20] [--wordings 100] [--examples 500] [--keep FOLDER]

Makes two runs as `benchmarks.statistics.outcomes` does, and asks for each page as a browser does, without a network in
between. CPU time counts all threads; the first page of a run reads all its cells.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from starlette.testclient import TestClient

from benchmarks.statistics.outcomes import make_run
from phraseproof.viewer.app import application
from phraseproof.viewer.library import Library

_TASK = {"run": "one", "task": "task-03"}
REQUESTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "the runs of the folder": ("/", {}),
    "a run's tasks, the first time": ("/run", {"run": "one"}),
    "a run's tasks": ("/run", {"run": "one"}),
    "the wordings of a task": ("/run", _TASK),
    "the grid": ("/examples", _TASK),
    "the grid, scores differ": ("/examples", {**_TASK, "show": "differ"}),
    "the grid, worse than a wording": ("/examples", {**_TASK, "show": "lost", "base": "w/0003"}),
    "its last page": ("/examples", {**_TASK, "show": "lost", "base": "w/0003", "page": "999"}),
    "a text, searched": ("/examples", {**_TASK, "q": "ample-77"}),
    "a text, its next page": ("/examples", {**_TASK, "q": "ample-77", "page": "2"}),
    "an example": ("/example", {**_TASK, "example": "example-77"}),
    "two runs, the first time": ("/compare", {**_TASK, "other": "two"}),
    "two runs": ("/compare", {**_TASK, "other": "two", "show": "lost", "page": "50"}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--wordings", type=int, default=100)
    parser.add_argument("--examples", type=int, default=500)
    parser.add_argument("--keep", type=Path, help="make the runs here, or use those that are there")
    chosen, _ = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder: Path = chosen.keep or Path(temporary)
        for seed, name in enumerate(("one", "two")):
            if not (folder / name / "run.json").exists():
                make_run(folder / name, chosen.tasks, chosen.wordings, chosen.examples, seed=seed)
        count = chosen.tasks * chosen.wordings * chosen.examples
        print(f"{count:,} outcomes of {chosen.tasks * chosen.wordings:,} cells in each of two runs")
        library = Library()
        client = TestClient(application(folder, library), base_url="http://127.0.0.1")
        for name, (path, given) in REQUESTS.items():
            wall, cpu = time.perf_counter(), time.process_time()
            answer = client.get(path, params=given)
            assert answer.status_code == 200, answer.text
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            print(f"{name:32} {wall:7.3f} s, {cpu:7.3f} s of CPU time, {len(answer.content) / 1e3:6.1f} kB", flush=True)
        library.clear()
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.2f} GB at most")


if __name__ == "__main__":
    main()
