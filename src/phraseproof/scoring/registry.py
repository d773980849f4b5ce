"""Scorers and metrics by name: the shipped ones, and those that installed packages register."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from phraseproof.errors import UsageError
from phraseproof.installed import entry_points
from phraseproof.scoring.calibrated import PLUS, CalibratedScorer
from phraseproof.scoring.metric import CellKey, Metric
from phraseproof.scoring.scorer import AUTO, Reading, Scorer

if TYPE_CHECKING:
    from phraseproof.core import Task

SCORERS_GROUP = "phraseproof.scorers"
METRICS_GROUP = "phraseproof.metrics"
DEFAULT_SCORER = "loglikelihood"
DEFAULT_METRIC = "accuracy"

ARGUMENT = ":"
"""Between the name of a scorer or metric and its argument."""

# One line each: the name -> the module that holds it as `SCORER` or `METRIC`.
_SCORERS: Mapping[str, str] = MappingProxyType(
    {
        "loglikelihood": "phraseproof.scoring.loglikelihood",
        "loglikelihood_norm": "phraseproof.scoring.loglikelihood_norm",
        "paper": "phraseproof.scoring.paper",
        "first_token": "phraseproof.scoring.first_token",
        "generate": "phraseproof.scoring.generate",
        "imported": "phraseproof.scoring.imported",
    }
)
# The name -> the module, and the metric in it. With an argument, `regex:PATTERN`: what its `make` returns.
_METRICS: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {
        "accuracy": ("phraseproof.scoring.accuracy", "METRIC"),
        "exact_match": ("phraseproof.scoring.texts.exact_match", "METRIC"),
        "f1": ("phraseproof.scoring.texts.f1", "METRIC"),
        "rouge1": ("phraseproof.scoring.texts.rouge", "ROUGE_1"),
        "rouge2": ("phraseproof.scoring.texts.rouge", "ROUGE_2"),
        "rougeL": ("phraseproof.scoring.texts.rouge", "ROUGE_L"),
        "bleu": ("phraseproof.scoring.texts.bleu", "METRIC"),
        "chrf": ("phraseproof.scoring.texts.chrf", "METRIC"),
        "bertscore": ("phraseproof.scoring.texts.bertscore", "METRIC"),
        "judge": ("phraseproof.scoring.texts.judge", None),
        "regex": ("phraseproof.scoring.texts.regex", None),
        "imported": ("phraseproof.scoring.imported", None),
        "lm_eval": ("phraseproof.scoring.texts.lm_eval", None),
    }
)

_TEXTS = "phraseproof.scoring.texts."
"""The package of the metrics that may have files."""

Found = TypeVar("Found", Scorer, Metric)


@runtime_checkable
class _HasScorer(Protocol):
    SCORER: Scorer


@runtime_checkable
class _TakesArgument(Protocol):
    make: Callable[[str], Metric]


@runtime_checkable
class _MakesScorer(Protocol):
    make: Callable[[str], Scorer]


def scorer_names() -> list[str]:
    """The names of all scorers, the shipped ones first."""
    return _names(_SCORERS, SCORERS_GROUP)


def metric_names() -> list[str]:
    """The names of all metrics, the shipped ones first."""
    return _names(_METRICS, METRICS_GROUP)


def scorer(name: str) -> Scorer:
    """The scorer of that name.

    `loglikelihood+batch` is that of a run which `phraseproof calibrate` derived, `generate:last_line` reads the texts
    of `generate` in another way.

    Raises:
        UsageError: an unknown name, an argument that does not fit, or an installed package that registers something
            other than a `Scorer`.
    """
    base, colon, argument = name.partition(ARGUMENT)
    if base in _SCORERS and colon:
        return _scorer_with(base, argument)
    base, plus, method = name.rpartition(PLUS)
    if base and plus and method:
        return CalibratedScorer(scorer(base), method)
    if name in _SCORERS:
        return _shipped_scorer(name)
    return _announced(name, SCORERS_GROUP, Scorer, "scoring method", scorer_names(), where="--scoring")


@cache
def _shipped_scorer(name: str) -> Scorer:
    # Kept, because a scorer is looked up several times per cell, and checking a module against a protocol takes long.
    module = import_module(_SCORERS[name])
    assert isinstance(module, _HasScorer)
    return module.SCORER


@cache
def _scorer_with(base: str, argument: str) -> Scorer:
    module = import_module(_SCORERS[base])
    if not isinstance(module, _MakesScorer):
        raise UsageError(
            f"the scoring method '{base}' takes no argument", got=f"'{base}{ARGUMENT}{argument}'", where="--scoring"
        )
    return module.make(argument)


def knows_scorer(name: str) -> bool:
    """Whether there is a scorer of that name: a package that registers it may not be installed any more."""
    # Looked up once per cell: for a shipped scorer, installed packages are not listed, which takes 10 ms.
    base = re.split(f"[{PLUS}{ARGUMENT}]", name, maxsplit=1)[0]
    return base in _SCORERS or base in _entry_points(SCORERS_GROUP)


def reads_text(name: str) -> bool:
    """Whether a scorer reads generated texts; not where it is of a package that is not installed."""
    return knows_scorer(name) and scorer(name).reading is Reading.TEXT


def with_argument(name: str, argument: str) -> str:
    """The name of a scorer with an argument, where it has none yet."""
    return name if ARGUMENT in name else f"{name}{ARGUMENT}{argument}"


def split_scorings(names: str) -> tuple[str, ...]:
    """The names of scorers in a text with commas, as `split_metrics` finds those of metrics."""
    return _split(names, scorer_names)


def split_metrics(names: str) -> tuple[str, ...]:
    """The names in a text with commas. What is no metric after the comma belongs to the argument before it.

    `regex:a{1,2},f1` are two metrics: `regex:a{1,2}` and `f1`.
    """
    return _split(names, metric_names)


def _split(names: str, names_of_all: Callable[[], list[str]]) -> tuple[str, ...]:
    known = {*names_of_all(), AUTO} if ARGUMENT in names else set[str]()
    found: list[str] = []
    for piece in names.split(","):
        if found and ARGUMENT in found[-1] and piece.strip().partition(ARGUMENT)[0] not in known:
            found[-1] += f",{piece}"
        else:
            found.append(piece.strip())
    return tuple(found)


def metric(name: str) -> Metric:
    """The metric of that name, or of a name and an argument, as `regex:PATTERN`.

    Raises:
        UsageError: an unknown name, an argument that is missing or does not fit, or an installed package that registers
            something other than a `Metric`.
    """
    base, colon, argument = name.partition(":")
    if base not in _METRICS:
        return _announced(name, METRICS_GROUP, Metric, "metric", metric_names(), where="--metric")
    module_name, constant = _METRICS[base]
    if not colon:
        return _constant_metric(base, module_name, constant)
    module = import_module(module_name)
    if not isinstance(module, _TakesArgument):
        raise UsageError(f"the metric '{base}' takes no argument", got=f"'{name}'", where="--metric")
    if not argument:
        raise UsageError(f"the metric '{name}' lacks its argument", expected=f"{base}:ARGUMENT", where="--metric")
    return _made_metric(module, argument)


def metric_identity(
    name: str, cell: CellKey | None = None, examples: Iterable[str] = (), task: Task | None = None
) -> object:
    """What a metric is, as plain data to hash: its name, and the content of the files that the name points to.

    Args:
        name: of the metric.
        cell, examples: whose outcomes it scores; `None` for what is the same for all cells.
        task: of the cell.

    Raises:
        UsageError: a file that the name points to cannot be read.
        RunError: stored texts that the outcomes are compared with are missing.
    """
    # Looked up once per cell: only shipped metrics with an argument have more than a name.
    base = name.partition(":")[0]
    if base not in _METRICS or not _METRICS[base][0].startswith(_TEXTS):
        return name
    judge = metric(name)
    if cell is not None and task is not None:
        judge = judge.of_task(task).in_cell(cell, examples)
    identity = judge.identity
    return [name, dict(identity)] if identity else name


@cache
def _made_metric(module: _TakesArgument, argument: str) -> Metric:
    # Kept, because some load a model.
    return module.make(argument)


def _constant_metric(name: str, module: str, constant: str | None) -> Metric:
    if constant is None:
        raise UsageError(f"the metric '{name}' needs an argument", expected=f"{name}:ARGUMENT", where="--metric")
    found: object = getattr(import_module(module), constant)
    assert isinstance(found, Metric)
    return found


def _names(shipped: Mapping[str, object], group: str) -> list[str]:
    return [*shipped, *sorted(set(_entry_points(group)) - set(shipped))]


def _announced(name: str, group: str, kind: type[Found], what: str, known: list[str], *, where: str | None) -> Found:
    entry = _entry_points(group).get(name)
    if entry is None:
        raise UsageError(f"unknown {what} '{name}'", expected=f"one of: {', '.join(known)}", where=where)
    loaded: object = entry.load()
    found = loaded() if isinstance(loaded, type) else loaded
    if not isinstance(found, kind) or found.name != name:
        raise UsageError(
            f"the installed {what} '{name}' cannot be used",
            expected=f"a {kind.__name__} named {name!r}",
            got=repr(found)[:100],
            where=f"entry point {group}",
        )
    return found


def _entry_points(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}
