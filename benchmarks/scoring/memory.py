"""Peak memory of scoring many examples, each number of them in its own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.scoring.work import NumberedPrompts


def peak_memory(folder: Path, counts: tuple[int, ...]) -> list[tuple[int, float]]:
    """(examples, peak resident MiB) for each count."""
    return [
        (
            count,
            float(
                subprocess.run(
                    [sys.executable, "-m", __name__, folder, str(count)], capture_output=True, text=True, check=True
                ).stdout
            ),
        )
        for count in counts
    ]


def main() -> None:
    import torch

    from phraseproof.models import load_model

    torch.set_num_threads(1)
    model: Any = load_model(sys.argv[1])
    scores = model.score_options(NumberedPrompts(int(sys.argv[2])))
    assert len(scores) == int(sys.argv[2])
    print(_peak_mebibytes())


def _peak_mebibytes() -> float:
    # Not ru_maxrss: on Linux a program inherits its parent's.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    main()
