"""How much CPU time `phraseproof --help` takes; the limit is 0.3 s."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

REPEATS = 7


def cpu_seconds(command: list[str]) -> float:
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    bare, ours = [sys.executable, "-c", "pass"], [sys.executable, "-m", "phraseproof", "--help"]
    pairs = [(cpu_seconds(bare), cpu_seconds(ours)) for _ in range(REPEATS)]
    python, whole = (statistics.median(values) for values in zip(*pairs, strict=True))
    print(
        f"phraseproof --help: {whole:.2f} s of CPU time (median of {REPEATS}; a bare interpreter takes {python:.2f} s)"
    )


if __name__ == "__main__":
    main()
