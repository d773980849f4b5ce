"""What the readers of logs return: outcomes of other tools in cells, with the names that the log gives them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from phraseproof.core import Outcome
from phraseproof.errors import FileError
from phraseproof.identity import content_hash

MOST_COUNT = 2**31 - 1
"""The largest number of demonstrations, seed or repeat that a run folder holds."""

_MOST = 10**18


@dataclass(frozen=True)
class LogRequest:
    """What a user says about logs that do not say it themselves.

    Attributes:
        model: the model that is read, where the logs hold several.
        task: the name of the task, where every log is of one.
        wordings: how a log names its wordings: `folder`, `file`, `field:NAME`, or patterns such as `{task}_{wording}`.
        example: the field of an example that identifies it, in place of its number.
        metric: the one score that is read, where the logs hold several.
        scale: the lowest and highest possible score, where it is not 0 to 1.
    """

    model: str | None = None
    task: str | None = None
    wordings: tuple[str, ...] = ()
    example: str | None = None
    metric: str | None = None
    scale: tuple[float, float] | None = None


class LogPlace(NamedTuple):
    """The coordinates of a cell in a log; two cells of one place cannot both be read.

    Attributes:
        score: the log's own name of the score.
    """

    model: str
    task: str
    wording: str
    score: str
    num_fewshot: int = 0
    fewshot_seed: int = 0
    repeat: int = 0


@dataclass(frozen=True)
class LoggedCell:
    """The outcomes of one wording on one task, in the log's order.

    Attributes:
        place: its coordinates.
        outcomes: in memory or in a file (`outcome_spool.py`), with the score as the log has it. `target` and
            `predicted` are set where the log says both.
        where: the file, for messages.
        scoring: the scorer that chooses the same option from `option_logprobs`; `None` where the log has none.
        category: the row of a summary table; the task's name by default.
        group: the group of wordings, where the log has one.
        text: the wording, with its placeholders; empty where the log does not hold it.
        data: by example, a hash of what does not depend on the wording.
        settings: what must be the same in all cells of a run, such as the precision.
        task_settings: what must be the same under all wordings of a task, such as the temperature.
        headline: the mean that the log itself reports, over all repeats; `None` where it reports none.
        failed: examples without a score: the tool failed on them, or was stopped.
    """

    place: LogPlace
    outcomes: Collection[Outcome]
    where: str
    scoring: str | None = None
    category: str | None = None
    group: str | None = None
    text: str = ""
    data: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    task_settings: Mapping[str, str] = field(default_factory=dict[str, str])
    headline: float | None = None
    failed: int = 0


@dataclass(frozen=True)
class Log:
    """What a reader found.

    Attributes:
        tool: the program that wrote the files, and its version where they say it.
        files: what was read.
        cells: all outcomes.
        notes: what was left out, and why.
        parameters: the number of the model's parameters, by model, where the log says it.
    """

    tool: str
    files: Sequence[Path]
    cells: Sequence[LoggedCell]
    notes: Sequence[str] = ()
    parameters: Mapping[str, int] = field(default_factory=dict[str, int])


def mapping(value: object, where: str) -> Mapping[str, object]:
    """A JSON object.

    Raises:
        FileError: something else.
    """
    if not isinstance(value, dict):
        raise FileError("not as this tool writes it", expected="a JSON object", got=short(value), where=where)
    return {str(key): each for key, each in value.items()}


def sequence(value: object, where: str) -> list[object]:
    """A JSON list.

    Raises:
        FileError: something else.
    """
    if not isinstance(value, list):
        raise FileError("not as this tool writes it", expected="a JSON list", got=short(value), where=where)
    return list(value)


def section(value: Mapping[str, object], name: str, where: str) -> Mapping[str, object]:
    """An object inside of a JSON object; an empty one where it is missing or null."""
    found = value.get(name)
    return {} if found is None else mapping(found, f"{where}, {name}")


def beginning(path: Path, size: int) -> bytes:
    """The first bytes of a file; nothing where it is no ordinary file, or cannot be read."""
    try:
        if path.is_file():
            with path.open("rb") as stream:
                return stream.read(size)
    except OSError:
        pass
    return b""


def data_hash(*values: object) -> str:
    """A hash of JSON data, which may hold numbers that are not finite."""
    return content_hash(json.dumps(values, sort_keys=True))


def whole(value: object, default: int = 0) -> int:
    """A number of JSON from 0 to 10^18 that has no fraction; else the default."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else default


def number(value: object) -> float | None:
    """A number of JSON, or a truth value as 1 or 0; `None` for something else, and for one that no float can hold."""
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:
        return None


def short(value: object) -> str:
    """A value for a message."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
