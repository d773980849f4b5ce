"""When does the KL term matter? PT, PT+KL and KL alone on a pocket model, where the training data have a fault.

The parts, each a table of gains over the base model on test wordings (`pocket-test`), with intervals over wordings,
questions and seeds:

* `wrong-targets`: a share of the targets is wrong, drawn again for every seed. The learning rate of each method is
  chosen by accuracy on validation wordings, for whose labels the same share is wrong. Decided before the run: PT+KL
  minus PT at 20%.
* `few-labels`: 18 labelled pairs and 198 that are not. Rates are chosen in the same way.
* `incorrect-wordings`: 0, 25 and 50% of the paraphrases ask for another attribute.
* `weak-reference`: reference wordings that ask for nothing, and several λ.
* `paraphrases`: 3, 12 and 36 training wordings, whose reference is good or asks for nothing.

The last three use the rates that `wrong-targets` chooses at 0%. With `--out` a stopped benchmark continues, and parts
share trainings: run one at a time in a folder. A training with its measurement takes 8 seconds on one core.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.pocket.changed_pairs import pairs_between, with_few_labels, with_wrong_targets
from benchmarks.pocket.laboratory import KL, LORA, LORA_KL, PT, PT_KL, Data, Laboratory, Way, way
from benchmarks.pocket.measures import Grids, header, row
from phraseproof.alignment.pairs import ParaphraseSet
from phraseproof.pocket.mitigation import SETTINGS

PARAPHRASES = 8
"""Of each kind of tasks, where some of them are incorrect."""


def with_wrong(here: Laboratory, share: float) -> Data:
    if not share:
        return here.clean
    return Data(f"wrong-{share:g}", lambda seed: with_wrong_targets(here.clean_pairs, share, seed), share)


def wrong_targets(here: Laboratory, options: argparse.Namespace, ways: Sequence[Way] = (PT, PT_KL, KL)) -> None:
    """A row for each share: gains, and the second way minus the first. `at` is the learning rate."""
    print(header([*(each.name for each in ways), f"{ways[1].name} minus {ways[0].name}"]))
    for share in map(float, options.wrong.split(",")):
        found: list[list[Grids]] = []
        cells: list[str] = []
        for each in ways:
            data = with_wrong(here, share) if each.uses_labels else here.clean._replace(wrong=share)
            rate = here.rate_of(each, data)
            found.append(here.runs(each, data, rate))
            cells.append(f"{here.gain(found[-1])} at {rate:g}")
        print(row(f"{share:.0%}", [*cells, here.gain(found[1], found[0])]), flush=True)


def few_labels(here: Laboratory, _: argparse.Namespace) -> None:
    few = Data("few-labels", lambda seed: with_few_labels(here.clean_pairs, seed))
    only = Data("few-only", lambda seed: [pair for pair in few.pairs(seed) if pair.labelled])
    print(header(["gain"]))
    tried = [
        ("PT on the labelled pairs", PT, only),
        ("PT+KL on the labelled pairs", PT_KL, only),
        ("PT+KL on all, the others without labels", PT_KL, few),
        ("KL alone on all, without labels", KL, here.clean),
        ("PT on all, with labels", PT, here.clean),
    ]
    found: list[list[Grids]] = []
    for name, method, data in tried:
        rate = here.rate_of(method, data)
        found.append(here.runs(method, data, rate))
        print(row(name, [f"{here.gain(found[-1])} at {rate:g}"]), flush=True)
    for place in (1, 2):
        print(row(f"{tried[place][0]}, minus the first", [here.gain(found[place], found[0])]), flush=True)


def incorrect_wordings(here: Laboratory, _: argparse.Namespace) -> None:
    """Next to the gain, how often incorrect wordings get the answer to the reference's question."""
    ways = (PT, PT_KL, KL)
    rates = {each: here.rate_of(each, here.clean) for each in ways}
    base = round(here.incorrect([here.base_incorrect]), 1)
    here.note(f"the base model answers the reference's question under incorrect wordings in {base}%")
    print(header([*(cell for each in ways for cell in (each.name, "under incorrect, %"))]))
    for count in (0, 2, 4):
        data = Data(f"incorrect-{count}", partial(_partly_incorrect, here, count))
        cells: list[str] = []
        for each in ways:
            cells.append(here.gain(here.runs(each, data, rates[each])))
            cells.append(f"{here.incorrect(here.runs_incorrect(each, data, rates[each])):.1f}")
        print(row(f"{count / PARAPHRASES:.0%}", cells), flush=True)


def _partly_incorrect(here: Laboratory, count: int, seed: int) -> list[ParaphraseSet]:
    return pairs_between("pocket-observed", PARAPHRASES - count, seed, incorrect=count, per_task=here.per_task)


def weak_reference(here: Laboratory, _: argparse.Namespace) -> None:
    """Several λ. Rates are those for clean targets."""
    rates = {each: here.rate_of(each, here.clean) for each in (PT, PT_KL, KL)}
    references = {
        "observed": here.clean,
        "observed, 20% wrong targets": with_wrong(here, 0.2),
        "nonsensical": _with_reference(here, "pocket-nonsensical", 12),
    }
    weights = (0.2, 0.5, 0.8, 0.95, 1)
    weighted = [PT_KL if value == SETTINGS.lambda_ else way(f"λ {value:g}", lambda_=value) for value in weights]
    print(header(["PT", *(f"λ {value:g}" for value in weights), "KL alone"]))
    for name, data in references.items():
        cells = [here.gain(here.runs(PT, data, rates[PT]))]
        cells += [here.gain(here.runs(each, data, rates[PT_KL])) for each in weighted]
        without_labels = here.clean if data.wrong else data
        cells.append(here.gain(here.runs(KL, without_labels, rates[KL])))
        print(row(name, cells), flush=True)


def paraphrases(here: Laboratory, _: argparse.Namespace) -> None:
    """Numbers of paraphrases of all three kinds of tasks together. Rates are those for clean targets."""
    rates = {each: here.rate_of(each, here.clean) for each in (PT, PT_KL)}
    print(header(["PT", "PT+KL", "PT+KL minus PT"]))
    for reference in ("pocket-observed", "pocket-nonsensical"):
        for count in (1, 4, 12):
            data = _with_reference(here, reference, count)
            plain, both = (here.runs(each, data, rates[each]) for each in (PT, PT_KL))
            cells = [here.gain(plain), here.gain(both), here.gain(both, plain)]
            print(row(f"{reference}, {3 * count} paraphrases", cells), flush=True)


def _with_reference(here: Laboratory, reference: str, count: int) -> Data:
    """Pairs with this number of paraphrases for each kind of tasks, of twelve."""
    if (reference, count) == ("pocket-observed", 12):
        return here.clean
    name = f"{reference.removeprefix('pocket-')}-{count}"
    return Data(name, lambda seed: pairs_between(reference, count, seed, per_task=here.per_task))


PARTS = {
    "wrong-targets": wrong_targets,
    "wrong-targets-lora": partial(wrong_targets, ways=(LORA, LORA_KL)),
    "few-labels": few_labels,
    "incorrect-wordings": incorrect_wordings,
    "weak-reference": weak_reference,
    "paraphrases": paraphrases,
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, default="wrong-targets")
    parser.add_argument("--model", default="pocket")
    parser.add_argument("--wrong", default="0,0.1,0.2,0.3,0.5", help="shares of wrong targets")
    parser.add_argument("--rates", default="3e-4,1e-3,3e-3", help="learning rates to choose from")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--search-seeds", type=int, default=2, help="the first of them, for the choice of a rate")
    parser.add_argument("--limit", type=int, default=6, help="test questions of each task")
    parser.add_argument("--validation-limit", type=int, default=3, help="validation questions of each task")
    parser.add_argument("--pairs", type=int, default=12, help="pairs of each task")
    parser.add_argument("--max-steps", type=int, default=SETTINGS.max_steps)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args(arguments)
    here = Laboratory(options)
    print(json.dumps({"base, percent": round(here.base_percent, 1)}), flush=True)
    PARTS[options.part](here, options)


if __name__ == "__main__":
    main()
