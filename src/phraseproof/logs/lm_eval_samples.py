"""Reads one line of a samples file of lm-evaluation-harness: options with log-probabilities, or a generated text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from phraseproof.core import Outcome
from phraseproof.errors import FileError
from phraseproof.files import parse_json
from phraseproof.logs.cells import LogRequest, data_hash, mapping, section, sequence
from phraseproof.scoring.accuracy import METRIC as ACCURACY

SCORING: Mapping[str, str] = {
    "acc": "loglikelihood",
    "acc_norm": "loglikelihood_norm:characters",
    "acc_bytes": "loglikelihood_norm",
}
"""The scorer by the program's name of the score: what is compared are log-probabilities, per character or per byte."""


class LoggedSample(NamedTuple):
    """A line of a samples file.

    Attributes:
        example: what identifies the example.
        sample: the line, without what it was read for: the prompts, and the document where the line has its hash.
        options, logprobs: the options and their log-probabilities; empty where a text was generated.
        target: the places of the right options; empty where they are not known.
    """

    example: str
    sample: Mapping[str, object]
    options: tuple[str, ...]
    logprobs: tuple[float, ...]
    target: tuple[int, ...]


def read_samples(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The lines of a samples file with their numbers.

    Raises:
        FileError: the file cannot be read, or a line is not whole.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, mapping(parse_json(line), f"{path}:{number}")
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    except json.JSONDecodeError:
        raise FileError("a line is not whole: the file was cut", where=str(path), hint="Copy it again") from None
    except ValueError as error:
        raise FileError(f"not valid JSON: {error}", where=str(path)) from None


def metrics_of(sample: LoggedSample) -> list[str]:
    """The names of the scores of a sample."""
    named = sample.sample.get("metrics")
    return [str(each) for each in named] if isinstance(named, list) else []


def sample_of(sample: Mapping[str, object], where: str, request: LogRequest) -> LoggedSample:
    """A line of a samples file with its options.

    Raises:
        FileError: it does not say which example it is of.
    """
    example = sample.get("doc_id")
    if request.example is not None:
        example = section(sample, "doc", where).get(request.example)
    if not isinstance(example, str | int) or isinstance(example, bool) or example == "":
        field = request.example or "doc_id"
        raise FileError("a sample does not say which example it is of", expected=field, where=where)
    options, logprobs = _options(sample, where)
    unread = ("arguments", "doc") if sample.get("doc_hash") else ("arguments",)
    rest = {key: value for key, value in sample.items() if key not in unread}
    return LoggedSample(str(example), rest, options, logprobs, _targets(sample.get("target"), options))


def _options(sample: Mapping[str, object], where: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The options with their log-probabilities; nothing for generated texts."""
    requests = [mapping(each, where) for each in section(sample, "arguments", where).values()]
    answers = sequence(sample.get("resps"), f"{where}, resps")
    pairs = [(each.get("arg_0"), each.get("arg_1")) for each in requests]
    values = [_logprob(each) for each in answers]
    if len(pairs) < 2 or len(pairs) != len(values) or None in values:
        return (), ()
    if not all(isinstance(context, str) and isinstance(option, str) for context, option in pairs):
        return (), ()
    texts = cast("list[tuple[str, str]]", pairs)
    contexts = list(dict.fromkeys(context for context, _ in texts))
    if len(contexts) == 1:
        options = [option.removeprefix(" ") for _, option in texts]
    elif len(contexts) == len(texts):  # the option is inside of the context, as in Winogrande
        options = _differing(contexts)
    else:  # the options are scored again without the question, for another metric
        kept = [place for place, (context, _) in enumerate(texts) if context == texts[0][0]]
        options, values = [texts[place][1].removeprefix(" ") for place in kept], [values[place] for place in kept]
    if len(options) < 2 or not all(options) or len(set(options)) < len(options):
        return (), ()
    return tuple(options), tuple(value for value in values if value is not None)


def _differing(texts: list[str]) -> list[str]:
    """The texts without what all of them begin and end with."""
    shortest = min(map(len, texts))
    start = next((n for n in range(shortest) if len({text[n] for text in texts}) > 1), shortest)
    end = next((n for n in range(shortest - start) if len({text[-1 - n] for text in texts}) > 1), shortest - start)
    return [text[start : len(text) - end] for text in texts]


def _logprob(answers: object) -> float | None:
    """The log-probability in `[[logprob, is_greedy]]`, whose numbers are texts."""
    first = answers[0] if isinstance(answers, list) and answers else None
    if not isinstance(first, list) or len(first) != 2:
        return None
    try:
        value = float(str(first[0]))
    except ValueError:
        return None
    return None if math.isnan(value) else value


def _targets(target: object, options: tuple[str, ...]) -> tuple[int, ...]:
    """The places of the right options; nothing where they are not known, or can be read in two ways."""
    found: list[int] = []
    for each in target if isinstance(target, list) else [target]:
        readings = {reading for reading in (_place_of(each, options), _text_of(each, options)) if reading is not None}
        if len(readings) != 1:
            return ()
        found += readings
    return tuple(dict.fromkeys(found))


def _place_of(target: object, options: tuple[str, ...]) -> int | None:
    text = str(target)
    is_place = not isinstance(target, bool) and text.isascii() and text.isdigit() and int(text) < len(options)
    return int(text) if is_place else None


def _text_of(target: object, options: tuple[str, ...]) -> int | None:
    text = str(target).strip()
    return options.index(text) if text in options else None


def settled(samples: Sequence[LoggedSample]) -> list[LoggedSample]:
    """The samples of a file, with right answers such as `1` of the options `0`, `2` and `1` read as in other lines.

    The program writes the place of the right option, or its text. Where no other line shows which, they stay unknown.
    """
    ways: set[bool] = set()
    for each in samples:
        target = each.sample.get("target")
        readings = _place_of(target, each.options), _text_of(target, each.options)
        if each.target and None in readings:
            ways.add(readings[0] is not None)
    if len(ways) != 1:
        return list(samples)
    read = _place_of if ways == {True} else _text_of
    found: list[LoggedSample] = []
    for each in samples:
        place = None if each.target else read(each.sample.get("target"), each.options)
        found.append(each if place is None else each._replace(target=(place,)))
    return found


def outcome_of(each: LoggedSample, metric: str, score: float) -> Outcome:
    """The outcome of a sample under one of its scores; with options only where they give that score."""
    sample = each.sample
    if each.options and each.target and metric in SCORING:
        lengths = [len(option) for option in each.options]
        if metric == "acc_bytes":
            lengths = [len(option.encode()) for option in each.options]
        values = each.logprobs if metric == "acc" else [v / n for v, n in zip(each.logprobs, lengths, strict=True)]
        predicted = values.index(max(values))
        credit = tuple(float(place in each.target) for place in range(len(each.options)))
        found = Outcome(
            each.example, score, each.options, each.logprobs, (), credit, predicted=predicted, target=each.target[0]
        )
        if ACCURACY.score(found) == score:
            return found
    answers = sample.get("resps")
    first = answers[0] if isinstance(answers, list) and answers else None
    text = first[0] if isinstance(first, list) and first else first
    target = sample.get("target")
    references = [str(value) for value in (target if isinstance(target, list) else [target])]
    return Outcome(
        each.example,
        score,
        text=text if isinstance(text, str) else "",
        reference=references[0] if references else None,
        other_references=tuple(references[1:]),
    )


def data_of(sample: Mapping[str, object], request: LogRequest) -> str:
    """What identifies an example's data. With `--example` it is the right answer: variants may change the rest."""
    if request.example is not None:
        return data_hash(sample.get("target"))
    return str(sample.get("doc_hash") or data_hash(sample.get("doc")))
