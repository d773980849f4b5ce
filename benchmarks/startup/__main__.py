"""CPU time of starts: help, a small evaluation of a real model, and what reads its run.

Rows are commands, each in a process of its own. Trees are measured in turns, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.startup import run_file

HERE = Path(__file__).resolve().parents[2]
WORDINGS = """
name: two
instructions:
  - id: label
    ask: Read the message and pick the right label.
  - id: decide
    ask: Decide which of the labels fits.
"""

PLAIN = """
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
network = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
with torch.inference_mode():
    network(**tokenizer("Read the message and pick the right label.", return_tensors="pt"))
"""


class Row(NamedTuple):
    """What is measured.

    Attributes:
        name: in the table.
        command: after the interpreter; `{run}` is the run folder.
        is_first: the run folder is removed before.
    """

    name: str
    command: tuple[str, ...]
    is_first: bool = False


def rows(model: str, folder: Path) -> list[Row]:
    wordings = ("--instructions", f"observed={folder / 'two.yaml'}", "-n", "5")
    # The words of `everyday` are not in the pocket model's vocabulary.
    task = "pocket/choose-maker" if model == "pocket" else "everyday/tickets"
    evaluate = ("evaluate", "-m", model, "-t", task, *wordings)
    pocket = ("evaluate", "-m", "pocket", "-t", "pocket/choose-maker", *wordings, "-o", "{run}-pocket")
    ours = ("-m", "phraseproof")
    return [
        Row("bare interpreter", ("-c", "pass")),
        Row("help", (*ours, "--help")),
        Row("help of evaluate", (*ours, "evaluate", "--help")),
        Row("transformers alone: load, one prompt", ("-c", PLAIN, model)),
        Row("evaluate, 10 prompts", (*ours, *evaluate, "-o", "{run}"), is_first=True),
        Row("the same again: nothing to score", (*ours, *evaluate, "-o", "{run}")),
        Row("evaluate, pocket, 10 prompts", (*ours, *pocket), is_first=True),
        Row("table", (*ours, "table", "{run}")),
        Row("analyze", (*ours, "analyze", "{run}")),
        Row("gate", (*ours, "gate", "{run}", "--max-spread", "50")),
        Row("report", (*ours, "report", "{run}", "-o", "{run}.html")),
    ]


def cpu_seconds(command: Sequence[str], root: Path) -> float:
    """The user and system time of a process and its children, with the sources of one tree."""
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "HF_HUB_OFFLINE": "1"}
    environment.setdefault("OMP_NUM_THREADS", "1")
    before = os.times()
    done = subprocess.run(
        [sys.executable, *command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    after = os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr.decode(errors='replace')}")
    return after.children_user + after.children_system - before.children_user - before.children_system


def measure(found: Sequence[Row], trees: dict[str, Path], folder: Path, rounds: int) -> None:
    """Print the median CPU time of every row in every tree."""
    print(f"{'':38s}" + "".join(f"{name:>12s}" for name in trees))
    for row in found:
        seconds: dict[str, list[float]] = {name: [] for name in trees}
        for _ in range(rounds):
            for name, root in trees.items():
                run = folder / name / "run"
                if row.is_first:
                    for path in run.parent.glob("run*"):
                        if path.is_dir() and ("pocket" in row.name) == path.name.endswith("pocket"):
                            shutil.rmtree(path)
                command = [part.replace("{run}", str(run)) for part in row.command]
                seconds[name].append(cpu_seconds(command, root))
        print(f"{row.name:38s}" + "".join(f"{statistics.median(each):12.2f}" for each in seconds.values()), flush=True)


def help_of_every_command(trees: dict[str, Path]) -> None:
    """Print the median and the largest CPU time of the help of every command, one round."""
    from benchmarks.startup.commands import command_names

    names = command_names()
    for tree, root in trees.items():
        seconds = {name: cpu_seconds(["-m", "phraseproof", *name.split(), "--help"], root) for name in names}
        slowest = max(seconds, key=lambda name: seconds[name])
        print(
            f"--help of {len(names)} commands, {tree}: median {statistics.median(seconds.values()):.2f}, "
            f"largest {seconds[slowest]:.2f} ({slowest})"
        )


@contextlib.contextmanager
def tree_of(revision: str, folder: Path) -> Generator[Path]:
    """The sources of another revision, in a work tree that is removed afterwards."""
    path = folder / "tree"
    git: Callable[..., object] = lambda *arguments: subprocess.run(["git", *arguments], cwd=HERE, check=True)  # noqa: E731
    git("worktree", "add", "--quiet", "--detach", str(path), revision)
    try:
        yield path
    finally:
        git("worktree", "remove", "--force", str(path))


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--model", help="a model folder or `smollm2`; without it, no row of a real model")
    parser.add_argument("--before", metavar="REVISION", help="measure another revision of the sources as well")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", nargs="*", help="beginnings of the names of rows; also `every` and `run.json`")
    given = parser.parse_args(arguments)
    wanted = tuple(given.rows or ("",))
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        folder = Path(place)
        (folder / "two.yaml").write_text(WORDINGS, encoding="utf-8")
        trees = {} if given.before is None else {"before": stack.enter_context(tree_of(given.before, folder))}
        trees["now"] = HERE
        for name in trees:
            (folder / name).mkdir()
        found = rows(given.model or "pocket", folder)
        if given.model is None:
            found = [row for row in found if row.name != "transformers alone: load, one prompt"]
        measure([row for row in found if row.name.startswith(wanted)], trees, folder, given.rounds)
        if "every".startswith(wanted):
            help_of_every_command(trees)
        if "run.json".startswith(wanted):
            for name, root in trees.items():
                run_file.measure_in(root, name)


if __name__ == "__main__":
    main(sys.argv[1:])
