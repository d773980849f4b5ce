"""`Calibrator`: a correction that was fitted on a run, as a small file, for use where a model answers.

    calibrator = Calibrator.load("calibrator.json")
    calibrator.apply([-1.2, -0.4, -3.0], task="tickets", wording="ours/today")

Loading and applying one needs NumPy only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import cast

import numpy as np

from phraseproof.calibration.bias import Floats, log_total
from phraseproof.errors import FileError, UsageError
from phraseproof.files import load_json, write_json
from phraseproof.identity import content_hash

FORMAT = "phraseproof calibrator 1"
_LENGTHS = ("", "bytes", "tokens")


@dataclass(frozen=True, slots=True)
class Correction:
    """What is subtracted from the log-probabilities of one wording's options.

    Attributes:
        task, wording, num_fewshot: where it applies; `wording` is `collection/id`.
        classes: the options' texts, or `option 1`, `option 2`, ... where every example has texts of its own.
        by_position: whether classes are positions; an example may then have fewer options.
        bias: of each class, in natural logs.
        num_examples: the number of examples that it was fitted on.
    """

    task: str
    wording: str
    num_fewshot: int
    classes: tuple[str, ...]
    by_position: bool
    bias: tuple[float, ...]
    num_examples: int


@dataclass(frozen=True, slots=True)
class Calibrator:
    """Corrections of all wordings of a run.

    Attributes:
        method: the method of calibration.
        scoring: the scorer of the run: what log-probabilities must be.
        length: what log-probabilities are divided by first: `bytes` or `tokens` of the options; empty for nothing.
        model: the name of the run's model.
        corrections: one per task, wording and number of demonstrations.
    """

    method: str
    scoring: str
    length: str
    model: str
    corrections: tuple[Correction, ...]

    def apply(
        self,
        logprobs: Sequence[float] | Sequence[Sequence[float]] | Floats,
        *,
        task: str,
        wording: str,
        options: Sequence[str] | None = None,
        tokens: Sequence[int] | None = None,
        num_fewshot: int | None = None,
    ) -> Floats:
        """Correct the log-probabilities of options; the option with the largest result is the answer.

        Args:
            logprobs: [C] of one prompt, or [E, C] of several, in natural logs as the run's scorer stores them.
            task: its name in the run.
            wording: its name in the run, `collection/id`.
            options: the texts of the options, where their order is not that of `Correction.classes`; needed where
                log-probabilities are divided by the options' bytes.
            tokens: the options' numbers of tokens, needed where log-probabilities are divided by them.
            num_fewshot: the number of demonstrations, needed where the run has several.

        Returns:
            Natural logs of probabilities that add up to 1 in each prompt, in the shape of `logprobs`. A prompt without
            any probability stays as it is.

        Raises:
            UsageError: the task, wording or an option is unknown, the number of options differs, or a value is not a
                log-probability.
        """
        correction = self._find(task, wording, num_fewshot)
        try:
            given = np.array(logprobs, dtype=np.float64)
        except (TypeError, ValueError):
            raise UsageError("the log-probabilities are not a row of numbers, or rows of equal length") from None
        if given.ndim not in {1, 2} or not given.shape[-1]:
            raise UsageError("not log-probabilities of options", expected="[C] or [E, C]", got=str(list(given.shape)))
        if np.isnan(given).any() or (given > _ROUNDING).any():
            raise UsageError("a value is not a log-probability", expected="at most 0", got=str(given.max()))
        count = given.shape[-1]
        bias = _bias(correction, count, options)
        divided = given / self._lengths(count, options, tokens)
        shifted = divided - bias
        total = log_total(shifted)
        return shifted - np.where(np.isneginf(total), 0.0, total)

    def _find(self, task: str, wording: str, num_fewshot: int | None) -> Correction:
        of_task = [each for each in self.corrections if each.task == task]
        if not of_task:
            raise UsageError(
                f"the calibrator was not fitted on the task '{task}'",
                expected=_some(each.task for each in self.corrections),
            )
        found = [each for each in of_task if each.wording == wording]
        if not found:
            raise UsageError(
                f"the calibrator was not fitted on the wording '{wording}' of {task}",
                expected=_some(each.wording for each in of_task),
            )
        if num_fewshot is None and len(found) == 1:
            return found[0]
        for each in found:
            if each.num_fewshot == num_fewshot:
                return each
        raise UsageError(
            f"the calibrator was not fitted with num_fewshot={num_fewshot}",
            expected=_some(str(each.num_fewshot) for each in found),
        )

    def _lengths(self, count: int, options: Sequence[str] | None, tokens: Sequence[int] | None) -> Floats:
        if self.length == "bytes":
            if options is None:
                raise UsageError("the calibrator divides by the options' bytes", expected="options=[...]")
            return np.array([max(1, len(text.encode())) for text in options], dtype=np.float64)
        if self.length == "tokens":
            if tokens is None or len(tokens) != count or min(tokens) < 1:
                raise UsageError(
                    "the calibrator divides by the options' numbers of tokens",
                    expected=f"tokens=[...] with {count} numbers from 1",
                )
            return np.array(tokens, dtype=np.float64)
        return np.ones(count)

    def save(self, path: str | Path) -> None:
        """Write the file that `load` reads.

        Raises:
            FileError: it cannot be written.
        """
        content = {
            "format": FORMAT,
            "method": self.method,
            "scoring": self.scoring,
            "length": self.length,
            "model": self.model,
            "corrections": [asdict(each) for each in self.corrections],
        }
        write_json(Path(path), {**content, "checksum": _checksum(content)})

    @classmethod
    def load(cls, path: str | Path) -> Calibrator:
        """Read a file that `save` wrote.

        Raises:
            FileError: it cannot be read, or is not such a file, or is damaged.
        """
        found = load_json(Path(path))
        content = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        if content.get("format") != FORMAT:
            raise FileError(
                "not a calibrator of this version",
                expected=f"format '{FORMAT}'",
                got=repr(content.get("format")),
                where=str(path),
                hint="phraseproof calibrate RUN --save FILE writes one",
            )
        try:
            return _read(content)
        except (KeyError, TypeError, ValueError) as error:
            reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
            raise FileError(
                f"the calibrator is damaged or was edited: {reason}",
                where=str(path),
                hint="phraseproof calibrate RUN --save FILE writes it again",
            ) from None


_ROUNDING = 1e-3
"""Rounding may lift a log-probability slightly above 0."""


def _bias(correction: Correction, count: int, options: Sequence[str] | None) -> Floats:
    """[C] of the options in the order given."""
    known = len(correction.classes)
    if options is not None and len(options) != count:
        raise UsageError("as many options as log-probabilities are needed", expected=str(count), got=str(len(options)))
    if correction.by_position:
        if count > known:
            raise UsageError(f"{correction.wording}: too many options", expected=f"at most {known}", got=str(count))
        return np.array(correction.bias[:count])
    if count != known:
        raise UsageError(
            f"{correction.wording}: another number of options than the calibrator was fitted on",
            expected=f"{known}: {', '.join(correction.classes)}",
            got=str(count),
        )
    if options is None:
        return np.array(correction.bias)
    by_name = dict(zip(correction.classes, correction.bias, strict=True))
    if set(options) != set(by_name):
        raise UsageError(
            f"{correction.wording}: other options than the calibrator was fitted on",
            expected=", ".join(correction.classes),
            got=", ".join(options),
        )
    return np.array([by_name[text] for text in options])


def _some(names: Iterable[str]) -> str:
    distinct = list(dict.fromkeys(names))
    return f"one of: {', '.join(distinct[:5])}" + (f" and {len(distinct) - 5} more" if len(distinct) > 5 else "")


def _checksum(content: Mapping[str, object]) -> str:
    return content_hash(content)


def _read(content: Mapping[str, object]) -> Calibrator:
    """The calibrator in a file's content.

    Raises:
        KeyError, TypeError, ValueError: it is not there.
    """
    if content.get("checksum") != _checksum({key: value for key, value in content.items() if key != "checksum"}):
        raise ValueError("its checksum is not that of its content")
    length = _text(content["length"])
    if length not in _LENGTHS:
        raise ValueError(f"length is '{length}'")
    entries = content["corrections"]
    if not isinstance(entries, list):
        raise TypeError("corrections is not a list")
    corrections = tuple(_correction(each) for each in cast("list[object]", entries))
    return Calibrator(_text(content["method"]), _text(content["scoring"]), length, _text(content["model"]), corrections)


def _correction(found: object) -> Correction:
    if not isinstance(found, dict):
        raise TypeError("a correction is not a mapping")
    entry = cast("dict[str, object]", found)
    classes = tuple(_text(name) for name in _list(entry["classes"]))
    bias = tuple(_number(value) for value in _list(entry["bias"]))
    if len(classes) != len(bias) or not classes:
        raise ValueError("a correction has not one bias per class")
    return Correction(
        task=_text(entry["task"]),
        wording=_text(entry["wording"]),
        num_fewshot=int(_number(entry["num_fewshot"])),
        classes=classes,
        by_position=bool(entry["by_position"]),
        bias=bias,
        num_examples=int(_number(entry["num_examples"])),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return cast("list[object]", value)


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is not a number")
    return float(value)
