"""Reads a table with one outcome per row: CSV or TSV, also JSON, JSON Lines and Parquet.

Columns: `wording`, `example`, `score`, and `model` unless it is named. Optional: `task` (the file's name by default),
`category`, `group`, `wording_text`, `shots`, `seed`, `repeat`, `metric` (what the score is called), `choice` and `gold`
(labels of the chosen and of the right answer), `logprobs` (a JSON object: the log-probability of each option).
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from phraseproof.core import Outcome
from phraseproof.errors import FileError, UsageError
from phraseproof.files import parse_json
from phraseproof.logs.cells import MOST_COUNT, Log, LoggedCell, LogPlace, LogRequest, number, short
from phraseproof.logs.outcome_spool import MappedOutcomes, OutcomeSpool, SpooledOutcomes
from phraseproof.tasks.tables import open_rows

REQUIRED = ("wording", "example", "score")
OPTIONAL = (
    "model", "task", "category", "group", "wording_text", "shots", "seed", "repeat", "metric",
    "choice", "gold", "logprobs",
)  # fmt: skip

_DELIMITED = frozenset({".csv", ".tsv"})
_SUFFIXES = frozenset({".csv", ".tsv", ".json", ".jsonl", ".parquet"})
_TRUTH: Mapping[str, float] = {"true": 1.0, "false": 0.0}
_MOST_LABELS = 100
"""Right answers of a task that are more different texts than this are texts, and no labels."""


@dataclass
class _Rows:
    """The rows of one cell.

    Attributes:
        is_labelled: whether every row has a right answer and a choice, and none log-probabilities.
        has_logprobs: whether every row has log-probabilities.
    """

    where: str
    first: Mapping[str, str]
    outcomes: SpooledOutcomes
    is_labelled: bool = True
    has_logprobs: bool = True
    data: dict[str, str] = field(default_factory=dict[str, str])
    failed: int = 0


def recognizes(path: Path) -> bool:
    """Whether a file is a table with the required columns."""
    if not path.is_file() or path.suffix.lower() not in _SUFFIXES:
        return False
    if path.suffix.lower() in _DELIMITED:
        header = _header(path)
        return all(name in header for name in REQUIRED)
    try:
        _, first = next(open_rows(path, where=str(path)).rows, (0, {}))
    except FileError:
        return False
    return all(name in first for name in REQUIRED)


def _header(path: Path) -> list[str]:
    """The words of a table's first line; a large table is not read to know what it is."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            return re.findall(r"\w+", stream.readline())
    except (OSError, UnicodeDecodeError):
        return []


def read(paths: Sequence[Path], request: LogRequest) -> Log:
    """The outcomes in tables.

    Raises:
        FileError: a file cannot be read, lacks a column, or has a value that does not fit.
        UsageError: an option that a table does not need.
    """
    for option, value in (("--wordings", request.wordings), ("--example", request.example)):
        if value:
            raise UsageError("a table names wordings and examples itself", where=option, hint="Rename its columns")
    found: dict[LogPlace, _Rows] = {}
    labels: dict[str, dict[str, None]] = {}
    notes: list[str] = []
    spool = OutcomeSpool()
    for path in paths:
        table = open_rows(path, where=str(path))
        _check_columns(table.columns, path, request)
        unread = [name for name in table.columns if name not in (*REQUIRED, *OPTIONAL)]
        if unread:
            notes.append(f"{path}: columns that are not read: {', '.join(unread)}")
        line = 0
        for line, cells in table.rows:
            row = {name: _text(value) for name, value in cells.items()}
            _add(row, f"{path}:{line}", path, request, found, labels, spool)
        if not line:
            raise FileError("the file has no rows", where=str(path))
    cells = [_cell(place, rows, labels) for place, rows in found.items()]
    return Log("a table", list(paths), cells, notes)


def _check_columns(header: Sequence[str], path: Path, request: LogRequest) -> None:
    wanted = REQUIRED if request.model is not None else ("model", *REQUIRED)
    missing = [name for name in wanted if name not in header]
    if missing:
        raise FileError(
            f"the table has no column {missing[0]!r}",
            expected=", ".join(wanted),
            got=", ".join(header) or "nothing",
            where=str(path),
            hint="Name the model with --model" if missing == ["model"] else None,
        )


def _text(value: object) -> str:
    """A value as text; tables other than CSV hold numbers and truth values."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    if isinstance(value, Mapping):
        import json

        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


def _add(
    row: Mapping[str, str],
    where: str,
    path: Path,
    request: LogRequest,
    found: dict[LogPlace, _Rows],
    labels: dict[str, dict[str, None]],
    spool: OutcomeSpool,
) -> None:  # fmt: skip
    for name in ("wording", "example") if "model" not in row else ("model", "wording", "example"):
        if not row.get(name):
            raise FileError("a row does not say what it is of", expected=f"a {name}", where=f"{where}, {name}")
    place = LogPlace(
        row.get("model") or request.model or "",
        row.get("task") or request.task or path.stem,
        row["wording"],
        row.get("metric") or "score",
        _count(row, "shots", where),
        _count(row, "seed", where),
        _count(row, "repeat", where),
    )
    rows = found.get(place) or found.setdefault(place, _Rows(str(path), row, spool.cell()))
    for name in ("category", "group", "wording_text"):
        if row.get(name, "") != rows.first.get(name, ""):
            raise FileError(
                f"the {name} of the wording {place.wording!r} is not that of its other rows",
                expected=short(rows.first.get(name, "")),
                got=short(row.get(name, "")),
                where=f"{where}, {name}",
            )
    score = _score(row["score"], where)
    if score is None:
        rows.failed += 1
        return
    gold, choice = row.get("gold", ""), row.get("choice", "")
    if gold:
        rows.data[sys.intern(row["example"])] = sys.intern(gold)
        labels.setdefault(place.task, {})[gold] = None
    outcome = _outcome(row, score, gold, choice, where)
    rows.is_labelled = rows.is_labelled and bool(gold) and outcome.text is not None and not outcome.options
    rows.has_logprobs = rows.has_logprobs and bool(outcome.option_logprobs)
    rows.outcomes.append(outcome)


def _outcome(row: Mapping[str, str], score: float, gold: str, choice: str, where: str) -> Outcome:
    if not row.get("logprobs"):
        text = choice if "choice" in row else None
        return Outcome(row["example"], score, text=text, reference=gold or None)
    values = _logprobs(row["logprobs"], f"{where}, logprobs")
    options, logprobs = tuple(values), tuple(values.values())
    for name, label in (("choice", choice), ("gold", gold)):
        if label and label not in values:
            raise FileError(
                "not one of the options in logprobs", expected=", ".join(options), got=label, where=f"{where}, {name}"
            )
    predicted = options.index(choice) if choice else logprobs.index(max(logprobs))
    target = options.index(gold) if gold else None
    credit = tuple(float(place == target) for place in range(len(options))) if gold else ()
    if gold and credit[predicted] != score:
        raise FileError(
            "the score contradicts choice and gold",
            expected=f"{credit[predicted]:g} for the choice {options[predicted]!r} and the right answer {gold!r}",
            got=f"{score:g}",
            where=f"{where}, score",
            hint="Leave out the columns gold and logprobs if the score is of something else",
        )
    return Outcome(row["example"], score, options, logprobs, (), credit, predicted=predicted, target=target)


def _logprobs(text: str, where: str) -> dict[str, float]:
    try:
        found = parse_json(text)
    except ValueError as error:
        raise FileError(f"not valid JSON: {error}", where=where) from None
    values: dict[str, float] = {}
    for option, value in found.items() if isinstance(found, dict) else ():
        # A value above 0 by more than rounding is no log-probability. `null` is that of an option that was not listed.
        logprob = -math.inf if value is None else number(value)
        if logprob is None or isinstance(value, bool) or not logprob <= 1e-3:
            raise FileError("not a log-probability", expected="0 or less", got=short(value), where=where)
        values[str(option)] = logprob
    if len(values) < 2 or max(values.values()) == -math.inf:
        raise FileError(
            "not log-probabilities of options", expected='as in {"yes": -0.2, "no": -1.7}', got=short(text), where=where
        )
    return values


def _score(text: str, where: str) -> float | None:
    """The score; `None` for an empty cell: the example failed."""
    if not text:
        return None
    try:
        score = _TRUTH[text.lower()] if text.lower() in _TRUTH else float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        expected = "a number, true, false, or nothing where the example failed"
        raise FileError("not a score", expected=expected, got=text, where=f"{where}, score")
    return score


def _count(row: Mapping[str, str], name: str, where: str) -> int:
    text = row.get(name)
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and int(text) <= MOST_COUNT):
        raise FileError(f"not a number of {name}", expected="0 or more", got=text, where=f"{where}, {name}")
    return int(text)


def _cell(place: LogPlace, rows: _Rows, labels: Mapping[str, Mapping[str, None]]) -> LoggedCell:
    known = tuple(labels.get(place.task, ()))
    outcomes: Collection[Outcome] = rows.outcomes
    if rows.is_labelled and 2 <= len(known) <= _MOST_LABELS:
        outcomes = MappedOutcomes(outcomes, _Labelled(known))
    return LoggedCell(
        place,
        outcomes,
        rows.where,
        scoring="loglikelihood" if rows.has_logprobs and outcomes else None,
        category=rows.first.get("category") or None,
        group=rows.first.get("group") or None,
        text=rows.first.get("wording_text", ""),
        data=rows.data,
        failed=rows.failed,
    )


class _Labelled:
    """Makes outcomes whose right answers are labels; a choice that is none of them is an unread answer."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._places = {label: place for place, label in enumerate(labels)}
        self._credits = {gold: tuple(float(label == gold) for label in labels) for gold in labels}

    def __call__(self, outcome: Outcome) -> Outcome:
        text, gold = outcome.text or "", outcome.reference or ""
        return Outcome(
            outcome.example_id,
            outcome.score,
            self._labels,
            option_credits=self._credits[gold],
            predicted=self._places.get(text),
            target=self._places[gold],
            text=text,
        )
