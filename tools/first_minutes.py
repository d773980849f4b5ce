"""Walk a newcomer's first minutes in a fresh clone: README's commands, then the tutorial's, with the time of each step.

    python3 tools/first_minutes.py               # clone, make demo, tutorial
    python3 tools/first_minutes.py --no-demo     # clone, the tutorial's own installation, tutorial

Commands are read from the pages. Nothing is taken from earlier walks: pip downloads everything, and caches are empty.
Needs git, make, Python and pip; prints a table in Markdown. What people read and type takes time besides.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from docs.building.blocks import Block, blocks_of, commands  # noqa: E402

TUTORIAL = ROOT / "docs" / "tutorial.md"
FIRST_TABLE = "percent right"
"""How the first result of `phraseproof demo` begins."""


class Command(NamedTuple):
    """A command of a page.

    Attributes:
        step: the heading that it is below.
        text: for a shell.
    """

    step: str
    text: str


class Taken(NamedTuple):
    """What a step took.

    Attributes:
        elapsed, cpu: seconds; `cpu` of all its processes and threads together.
    """

    step: str
    elapsed: float
    cpu: float


def main() -> None:
    """Walk, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--no-demo", action="store_true", help="install as the tutorial says, without `make demo`")
    has_demo = not parser.parse_args().no_demo
    if missing := [name for name in ("git", "make") if shutil.which(name) is None]:
        sys.exit(f"error: {', '.join(missing)} cannot be found")
    with tempfile.TemporaryDirectory(prefix="phraseproof-first-") as folder:
        print(table(walk(Path(folder), has_demo=has_demo)))


def walk(folder: Path, *, has_demo: bool) -> list[Taken]:
    """Do it all in an empty folder.

    Raises:
        SystemExit: a command failed; what it printed is shown.
    """
    clone, mine = folder / "phraseproof", folder / "mine"
    taken = [timed("clone", [f"git clone --quiet {ROOT} {clone}"], folder, environment(folder))]
    kept = {**environment(folder), "PATH": f"{clone / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    if has_demo:
        taken.append(timed("install (the first part of `make demo`)", ["make --quiet .venv/.demo"], clone, kept))
        taken += demo(clone, kept)
    mine.mkdir()
    write_files(blocks_of(TUTORIAL), mine)
    steps = by_step(tutorial_commands(with_install=not has_demo))
    return taken + [timed(step, given, clone if step.endswith("Install") else mine, kept) for step, given in steps]


def demo(clone: Path, kept: Mapping[str, str]) -> list[Taken]:
    """`make demo` after its installation: until it shows the first result, and the rest."""
    began, before = time.monotonic(), cpu_seconds()
    shown = 0.0
    with subprocess.Popen(
        ["make", "--quiet", "demo"], cwd=clone, env=kept, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(FIRST_TABLE) and not shown:
                shown = time.monotonic() - began
    if process.returncode:
        sys.exit(f"error: make demo: exit code {process.returncode}")
    whole = announced(Taken("`make demo`, all of it", time.monotonic() - began, cpu_seconds() - before))
    # The processor time of a part is not known: that of a process is counted when it ends.
    return [Taken("`make demo`, until its first result", shown, float("nan")), whole]


def tutorial_commands(*, with_install: bool) -> list[Command]:
    """The commands of the tutorial, those of its installation only if they are wanted."""
    text = TUTORIAL.read_text(encoding="utf-8").splitlines()
    found: list[Command] = []
    for block in blocks_of(TUTORIAL):
        headings = [line.removeprefix("## ") for line in text[: block.line] if line.startswith("## ")]
        step = headings[-1] if headings else ""
        if step.endswith("Install"):
            found += [Command(step, text) for text in block.text.splitlines() if with_install]
        elif block.language == "python":
            found.append(Command(step, f"python - <<'END'\n{block.text}END"))
        elif block.is_command and not block.mark("not run"):
            found += [Command(step, command) for command, _ in commands(block.text)]
    return found


def by_step(given: Iterable[Command]) -> list[tuple[str, list[str]]]:
    """The commands of each heading, in their order."""
    found: dict[str, list[str]] = {}
    for command in given:
        found.setdefault(command.step, []).append(command.text)
    return list(found.items())


def write_files(blocks: Iterable[Block], folder: Path) -> None:
    """Write the files that a page shows."""
    for block in blocks:
        if name := block.mark("file"):
            (folder / name).write_text(block.text, encoding="utf-8")


def timed(step: str, given: Sequence[str], folder: Path, kept: Mapping[str, str]) -> Taken:
    """Run commands in one shell.

    Raises:
        SystemExit: one failed; what it printed is shown.
    """
    began, before = time.monotonic(), cpu_seconds()
    done = subprocess.run(
        ["bash", "-e"], input="\n".join(given), cwd=folder, env=kept, text=True, capture_output=True, check=False
    )
    if done.returncode:
        sys.exit(f"error: {step}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return announced(Taken(step, time.monotonic() - began, cpu_seconds() - before))


def announced(taken: Taken) -> Taken:
    """Print a step when it has ended: the table comes last."""
    print(f"{taken.step}: {taken.elapsed:.0f} s, {taken.cpu:.0f} CPU s", file=sys.stderr, flush=True)
    return taken


def cpu_seconds() -> float:
    """The processor time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def environment(folder: Path) -> dict[str, str]:
    """The variables of a new user: nothing of Python and its libraries, and empty caches."""
    own = ("PYTHON", "HF_", "OMP_", "PHRASEPROOF", "VIRTUAL_ENV", "MAKE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return {**kept, "PIP_NO_CACHE_DIR": "1", "XDG_CACHE_HOME": str(folder / "cache"), "COLUMNS": "100"}


def table(taken: Iterable[Taken]) -> str:
    """The steps in Markdown, and their sum; a part of the next step (without processor time) does not count twice."""
    lines = ["| step | seconds | CPU seconds | minutes so far |", "|---|---|---|---|"]
    so_far = 0.0
    for each in taken:
        is_part = each.cpu != each.cpu
        cpu = "" if is_part else f"{each.cpu:.0f}"
        lines.append(f"| {each.step} | {each.elapsed:.0f} | {cpu} | {(so_far + each.elapsed) / 60:.1f} |")
        so_far += 0 if is_part else each.elapsed
    return "\n".join(lines)


if __name__ == "__main__":
    main()
