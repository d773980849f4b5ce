"""`make bench`: run every benchmark, one after another."""

from __future__ import annotations

import importlib
import sys

BENCHMARKS = ("help_time", "scoring", "alignment")


def main() -> None:
    for name in sys.argv[1:] or BENCHMARKS:
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
