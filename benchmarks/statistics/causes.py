"""How often the intervals of the causes of a spread contain the true shares, on runs with known causes.

    python -m benchmarks.statistics.causes [--grids 200] [--only 'skill 2 80% 50']

Log-probabilities are prior + skill for the right option + noise of the example and of the outcome. In 12 wordings there
move: only the priors, only the skill, both, or nothing, with and without skill. True shares are computed with plain
arrays from the priors that were put in, on 20,000 examples. Prints a line for each design, for the table in
docs/causes.md, and the standard errors of the true shares.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.causes.components import CAUSES
from phraseproof.analysis.causes.spread import NOISE, SpreadCauses, spread_causes
from phraseproof.analysis.option_values import OptionValues
from phraseproof.core import Finding

WORDINGS = 12
RESAMPLES = 400
TRUE_EXAMPLES = 20_000
PARTS = (*CAUSES, NOISE)
HEADINGS = ("what moves", "classes, examples", "true shares", "median estimates", "covers", "lowest of other wordings",
            "median widths", "beyond chance, named", "named the largest")  # fmt: skip
KINDS = ("prior", "skill", "both", "nothing, with skill", "nothing, no skill")


class Shape(NamedTuple):
    """Classes and examples; `first` is how often the first class is right, None if all are equally often."""

    classes: int
    examples: int
    first: float | None = None

    def __str__(self) -> str:
        return f"{self.classes}{'' if self.first is None else f' ({100 * self.first:.0f}% are one)'}, {self.examples}"


SHAPES = (Shape(2, 50), Shape(2, 50, 0.8), Shape(4, 100), Shape(4, 100, 0.8), Shape(7, 200))


class Known(NamedTuple):
    """What was put into a run: priors [W, C] and skill [W] of its wordings."""

    kind: str
    priors: np.ndarray
    skill: np.ndarray


class Tried(NamedTuple):
    """One simulated run: shares in the order of `PARTS`."""

    true: np.ndarray
    true_error: np.ndarray
    found: SpreadCauses


def known(kind: str, classes: int, random: np.random.Generator) -> Known:
    priors, skill = random.normal(size=(WORDINGS, classes)), random.uniform(0, 2, WORDINGS)
    if kind not in ("prior", "both"):
        priors = np.tile(0.5 * random.normal(size=classes), (WORDINGS, 1))
    if kind not in ("skill", "both"):
        skill = np.full(WORDINGS, 0.0 if kind == "nothing, no skill" else 1.2)
    return Known(kind, priors, skill)


def run_of(shape: Shape, of: Known, examples: int, random: np.random.Generator) -> OptionValues:
    rows, classes = of.priors.shape
    if shape.first is None:
        right = random.permutation(np.arange(examples) % classes)
    else:
        labels = [shape.first, *[(1 - shape.first) / (classes - 1)] * (classes - 1)]
        right = random.choice(classes, size=examples, p=labels)
    values = random.normal(size=(rows, examples, classes)) + 0.5 * random.normal(size=(examples, classes))
    values += of.priors[:, None]
    values[:, np.arange(examples), right] += of.skill[:, None]
    names = tuple(map(str, range(classes)))
    return OptionValues(
        "task", "category", 0, ("group",) * rows, tuple(f"w{row}" for row in range(rows)), (0,) * rows, ("",) * rows,
        tuple(map(str, range(examples))), values, np.ones((examples, classes), dtype=bool), np.eye(classes)[right],
        np.broadcast_to(np.arange(classes), values.shape), (names,) * rows, (False,) * rows, "loglikelihood",
    )  # fmt: skip


def true_shares(shape: Shape, of: Known, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The shares, from the priors that were put in, and their standard errors."""
    if of.kind.startswith("nothing"):
        return np.array([0.0, 0, 0, 1]), np.zeros(len(PARTS))
    run = run_of(shape, of, TRUE_EXAMPLES, np.random.default_rng(seed))
    evidence = (run.values - of.priors[:, None]).astype(np.float32)
    priors = of.priors.astype(np.float32)
    # The noise of the evidence, in units of which priors and skill count, is the same under every wording.
    right = np.stack([(evidence + prior).argmax(axis=2) == run.targets for prior in priors], axis=1)
    scored = right[np.arange(WORDINGS), np.arange(WORDINGS)].astype(np.float64)
    rest = scored - scored.mean(axis=1, keepdims=True)
    rest -= rest.mean(axis=0)
    noise = np.sum(rest**2) / ((WORDINGS - 1) * (TRUE_EXAMPLES - 1)) / shape.examples
    halves = [right[:, :, start::2].mean(axis=2) for start in (0, 1)]
    parts = np.array([causes(first, second) for first, second in (halves, halves[::-1])])
    whole = parts.mean(axis=0).sum() + noise
    error = np.abs(parts[0] - parts[1]) / 2
    return np.append(parts.mean(axis=0), noise) / whole, np.append(error, 0.0) / whole


def causes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """[3] the covariances of accuracy with the effects of prior, skill and both, from [v, w] of two samples."""
    pairs = [(v, w) for v in range(WORDINGS) for w in range(WORDINGS) if v != w]
    design = np.zeros((len(pairs), 2 * WORDINGS))
    for place, (v, w) in enumerate(pairs):
        design[place, [v, WORDINGS + w]] = 1
    fitted = np.linalg.lstsq(design, np.array([second[pair] for pair in pairs]), rcond=None)[0]
    skill, prior = fitted[:WORDINGS], fitted[WORDINGS:]
    effects = np.stack([prior, skill, np.diag(second) - prior - skill])
    return np.array([np.cov(np.diag(first), effect)[0, 1] for effect in effects])


def tried(shape: Shape, kind: str, seed: int) -> Tried:
    random = np.random.default_rng(seed)
    of = known(kind, shape.classes, random)
    true, error = true_shares(shape, of, seed + 10**6)
    run = run_of(shape, of, shape.examples, random)
    return Tried(true, error, spread_causes(run, seed=seed, resamples=RESAMPLES))


def contains(found: Finding, value: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= value <= found.high


def width(found: Finding) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def row(shape: Shape, kind: str, runs: Sequence[Tried]) -> str:
    def percent(each: np.ndarray | Sequence[float]) -> str:
        return ", ".join(f"{100 * value:.0f}" for value in each).replace("-0,", "0,")

    true = np.mean([run.true for run in runs], axis=0)
    estimates = np.array([[run.found.shares[name].estimate for name in PARTS] for run in runs])
    held = [[contains(run.found.shares[name], run.true[at]) for at, name in enumerate(PARTS)] for run in runs]
    others = [[contains(run.found.other_wordings[name], run.true[at]) for at, name in enumerate(PARTS)] for run in runs]
    widths = np.median([[width(run.found.shares[name]) for name in PARTS] for run in runs], axis=0)
    beyond = np.mean([run.found.is_beyond_chance for run in runs])
    named = [run.found.is_beyond_chance and run.found.can_tell for run in runs]
    leading = estimates[:, : len(CAUSES)].argmax(axis=1)
    right = [run.true[at] >= run.true[: len(CAUSES)].max() - 0.15 for run, at in zip(runs, leading, strict=True)]
    columns = [
        kind, str(shape), percent(true), percent(np.median(estimates, axis=0)), percent(np.mean(held, axis=0)),
        percent([np.mean(others, axis=0).min()]), percent(widths), percent([float(beyond), float(np.mean(named))]),
        f"{int(np.sum(np.array(right)[named]))} of {int(np.sum(named))}",
    ]  # fmt: skip
    return f"| {' | '.join(columns)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=200)
    parser.add_argument("--only", default="", help="designs whose name contains this, such as 'skill 2, 50'")
    asked = parser.parse_args()
    print(f"| {' | '.join(HEADINGS)} |\n{'|---' * len(HEADINGS)}|")
    began, errors = time.process_time(), np.zeros(len(PARTS))
    for kind in KINDS:
        for shape in SHAPES:
            if asked.only in f"{kind} {shape}":
                runs = [tried(shape, kind, seed) for seed in range(asked.grids)]
                errors = np.maximum(errors, np.median([run.true_error for run in runs], axis=0))
                print(row(shape, kind, runs), flush=True)
    print(f"median standard errors of the true shares, at most: {', '.join(f'{100 * each:.1f}' for each in errors)}; "
          f"{time.process_time() - began:.0f} s of processor time")  # fmt: skip


if __name__ == "__main__":
    main()
