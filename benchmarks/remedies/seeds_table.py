"""The tables of `benchmarks.remedies.seeds`, from the files of a folder, by the judgement of `harden --methods`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.remedies.outcomes import Outcomes, read_outcomes
from benchmarks.remedies.protocol import AS_IT_IS_FILE, METHODS, OTHER_RATES, SEED, ProtocolMethod
from phraseproof.analysis.option_values import OptionValues
from phraseproof.analysis.reductions.gains import CONFIDENCE, Gain
from phraseproof.analysis.reductions.judging import JudgedTask, JudgedWay, Judgement, TrainedAnswers, overall
from phraseproof.analysis.reductions.run import CALIBRATION
from phraseproof.analysis.reductions.spreads import way_spreads
from phraseproof.analysis.reductions.ways import AS_IT_IS, CALIBRATED, calibrated_name
from phraseproof.core import Finding

_TITLES = {"test": "Unseen wordings and examples", "unseen": "Unseen tasks", "check": "MMLU"}
_FREE = (AS_IT_IS, CALIBRATED, "calibrated ensemble of all")


class _Judged(NamedTuple):
    """One set: all ways with gains over the model as it is, and over the calibrated model."""

    judgements: Sequence[Judgement]
    tasks: Sequence[JudgedTask]
    summary: JudgedTask
    over_calibrated: JudgedTask

    def way(self, name: str, task: JudgedTask | None = None) -> JudgedWay:
        (found,) = (each for each in (task or self.summary).ways if each.way.name == name)
        return found

    def gain_over_calibrated(self, name: str) -> Gain:
        return self.way(name, self.over_calibrated).gain_elsewhere

    def spreads(self, name: str) -> list[str]:
        """The Std over wordings and the accuracy of the worst one; empty where wordings answer together."""
        found = way_spreads(self.judgements, name, seed=SEED)
        return ["", ""] if found is None else [_with_interval(found.std), _with_interval(found.worst)]


def tables(folder: Path, *, by_task: bool = False, forms: Mapping[tuple[str, str], str] | None = None) -> Iterator[str]:
    """Markdown of what the files of a folder show.

    Args:
        folder: of files of one protocol, among them the model as it is.
        by_task: also give the accuracy on every task.
        forms: by task and wording what the wording asks for; then also give the accuracy by that.
    """
    if not (folder / AS_IT_IS_FILE).exists():
        raise SystemExit(f"{folder}: there is no file {AS_IT_IS_FILE}, what the model as it is answers")
    base = read_outcomes(folder / AS_IT_IS_FILE)
    found = {each: _files(folder, each, base) for each in (*METHODS, *OTHER_RATES)}
    trained = {method: files for method, files in found.items() if files}
    yield from _cost_table(trained)
    made_with = [base, *(file for files in trained.values() for file in files)]
    if len(versions := {str(file.record.get("versions")) for file in made_with}) > 1:
        yield f"\nFiles were made with several versions of packages: {'; '.join(sorted(versions))}"
    for name, values in base.sets.items():
        judged = _judge(name, values, trained)
        wordings, examples = _range([of.wordings for of in judged.tasks]), _range([of.examples for of in judged.tasks])
        yield (
            f"\n{_TITLES[name]}: {len(judged.tasks)} tasks, {wordings} wordings and {examples} examples each. Gains "
            f"are in points, with {CONFIDENCE:.0%} intervals over examples, wordings and seeds (where there are "
            f"several), each by itself. Blind guessing gets {100 * judged.summary.chance:.1f}%.\n"
        )
        yield from _set_table(judged, trained)
        if by_task:
            yield ""
            yield from _task_table(judged, trained)
        if forms is not None:
            yield ""
            yield from _form_table(judged, forms)


def _files(folder: Path, method: ProtocolMethod, base: Outcomes) -> list[Outcomes]:
    """The files of a method, one for every seed, in the order of seeds."""
    paths = [folder / method.file_name(seed) for seed in range(method.seeds)]
    found = {path: read_outcomes(path) for path in paths if path.exists()}
    for path, each in found.items():
        method.require_made(each.record, base.record["protocol"], path)
    return list(found.values())


def _judge(name: str, base: Sequence[OptionValues], trained: Mapping[ProtocolMethod, Sequence[Outcomes]]) -> _Judged:
    found = [
        Judgement(
            of,
            calibration=CALIBRATION,
            seed=SEED,
            trained=[
                TrainedAnswers(method.name, tuple(each.sets[name][place] for each in files))
                for method, files in trained.items()
            ],
        )
        for place, of in enumerate(base)
    ]
    tasks = [of.compared(AS_IT_IS, level=CONFIDENCE) for of in found]
    return _Judged(found, tasks, overall(tasks), overall([of.compared(CALIBRATED, level=CONFIDENCE) for of in found]))


def _cost_table(trained: Mapping[ProtocolMethod, Sequence[Outcomes]]) -> Iterator[str]:
    yield "| method | as `harden --methods` writes it | rate | labels | seeds | steps | prompts | tokens | seconds |"
    yield "|---" * 9 + "|"
    for method, files in trained.items():
        seeds = ", ".join(str(each.record["seed"]) for each in files)
        means = [float(np.mean([each.record[name] for each in files])) for name in ("prompts", "tokens", "seconds")]
        labels = "yes" if method.uses_labels else "no"
        yield (
            f"| {method.name} | `{method.written}` | {method.rate:g} | {labels} | {seeds} "
            f"| {method.steps:,} | {' | '.join(f'{mean:,.0f}' for mean in means)} |"
        )


def _set_table(judged: _Judged, trained: Mapping[ProtocolMethod, Sequence[Outcomes]]) -> Iterator[str]:
    yield "| | seeds | % | Std over seeds | Std over wordings | worst wording | gain | over calibrated |"
    yield "|---" * 8 + "|"
    names = dict.fromkeys(_FREE, 0)
    for method, files in trained.items():
        names |= {name: len(files) for name in (method.name, calibrated_name(method.name))}
    for name, seeds in names.items():
        way = judged.way(name)
        of_seeds = way.accuracy_elsewhere.of_seeds
        std = f"{100 * np.std(of_seeds, ddof=1):.1f}" if seeds > 1 else ""
        gains = [
            "" if over == name else _points(gain)
            for over, gain in ((AS_IT_IS, way.gain_elsewhere), (CALIBRATED, judged.gain_over_calibrated(name)))
        ]
        cells = [name, f"{seeds or ''}", f"{100 * way.accuracy:.1f}", std, *judged.spreads(name), *gains]
        yield f"| {' | '.join(cells)} |"


def _task_table(judged: _Judged, trained: Mapping[ProtocolMethod, Sequence[Outcomes]]) -> Iterator[str]:
    names = [*_FREE, *(method.name for method in trained)]
    yield f"| task | {' | '.join(names)} |"
    yield "|---" * (1 + len(names)) + "|"
    for of in judged.tasks:
        cells = (f"{100 * judged.way(name, of).accuracy:.1f}" for name in names)
        yield f"| {of.task} | {' | '.join(cells)} |"


def _form_table(judged: _Judged, forms: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Means over wordings of all tasks, examples and seeds."""
    of_wordings = np.array([forms[of.values.task, name] for of in judged.judgements for name in of.values.wordings])
    kinds = sorted(set(of_wordings.tolist()))
    yield f"| | {' | '.join(f'{kind}, {np.sum(of_wordings == kind)} wordings' for kind in kinds)} |"
    yield "|---" * (1 + len(kinds)) + "|"
    for way in judged.summary.ways:
        found = [of.scores(way.way.name) for of in judged.judgements]
        means = [each.mean(axis=(0, 2)) for each in found if each is not None]
        if not means:  # wordings answer together
            continue
        cells = (f"{100 * np.concatenate(means)[of_wordings == kind].mean():.1f}" for kind in kinds)
        yield f"| {way.way.name} | {' | '.join(cells)} |"


def _points(gain: Gain) -> str:
    return f"{100 * gain.estimate:+.1f} ({100 * gain.low:.1f} to {100 * gain.high:.1f})"


def _with_interval(found: Finding) -> str:
    if found.low is None or found.high is None:
        return f"{100 * found.estimate:.1f}"
    return f"{100 * found.estimate:.1f} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def _range(counts: Sequence[int]) -> str:
    return f"{min(counts)}" if len(set(counts)) == 1 else f"{min(counts)} to {max(counts)}"
