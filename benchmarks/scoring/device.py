"""What a benchmark ran on, and the cost or gain of attention in blocks (as on accelerators) there."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from phraseproof.core import Prompt


def device_line(device: str) -> str:
    """A device's name, with its driver where it has one."""
    import torch

    chosen = torch.device(device)
    if chosen.type == "cpu":
        return f"cpu: {_processor()}"
    if chosen.type != "cuda":
        return device
    return f"{device}: {torch.cuda.get_device_name(chosen)}, driver {_driver()}, CUDA {torch.version.cuda}"


class Way(NamedTuple):
    """Seconds per question of one way, the number of torch's operators called for all questions, and the scores."""

    seconds: float
    calls: int
    scores: list[tuple[float, ...]]


def both_ways(folder: Path, device: str, asked: Sequence[Prompt]) -> tuple[Way, Way]:
    """In blocks, and prompt by prompt, in batches of an accelerator's size; the better of three repeats.

    CPU seconds on a CPU, else wall time.
    """
    from phraseproof.engine.attention import block_sdpa
    from phraseproof.engine.plan.batching import BatchLimit, batch_tokens
    from phraseproof.models import ModelOptions, load_model

    def score(model: Any) -> list[tuple[float, ...]]:
        limit = BatchLimit(tokens=batch_tokens("an accelerator"))
        return [scores.logprobs for scores in model.executor.score(asked, limit=limit)]

    chosen = block_sdpa.in_blocks
    clock = time.process_time if device == "cpu" else time.perf_counter
    ways: list[Way] = []
    for in_blocks in (True, False):
        block_sdpa.in_blocks = lambda _, way=in_blocks: way
        try:
            model: Any = load_model(str(folder), ModelOptions(device=device, dtype="float32"))
            best, found = float("inf"), score(model)
            for _ in range(3):
                before = clock()
                found = score(model)
                best = min(best, clock() - before)
            ways.append(Way(best / len(asked), _calls(lambda ready=model: score(ready)), found))
        finally:
            block_sdpa.in_blocks = chosen
    return ways[0], ways[1]


def _calls(score: Callable[[], object]) -> int:
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU]) as seen:
        score()
    events: Any = seen.events()
    return sum(event.name.startswith("aten::") for event in events)


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _driver() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return "unknown"
    asked = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    return said[0] if said else "unknown"
