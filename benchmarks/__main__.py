"""`make bench`: run the benchmarks named on the command line, or the three with ratios, one after another."""

from __future__ import annotations

import importlib
import sys

BENCHMARKS = ("startup", "scoring", "alignment")


def main() -> None:
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}.__main__").main()


if __name__ == "__main__":
    main()
