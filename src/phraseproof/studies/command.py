"""The command that makes an exhibit again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import cast

from phraseproof.models.options import ModelOptions
from phraseproof.studies.study import StudyRequest

_NAMES = {
    "models": "model",
    "runs": "run",
    "args": "model_arg",
    "paraphrasers": "paraphraser",
    "paraphraser_args": "paraphraser_arg",
    "chat_template_args": "chat_template_arg",
}
"""Options that are not called as their fields."""

_ONE_VALUE = ("tasks",)
"""Lists that are one value with commas; the options of other lists are repeated."""


def option_of(field: str) -> str:
    """The option of a field of `StudyRequest` or `ModelOptions`, with its dashes."""
    return "--" + _NAMES.get(field, field).replace("_", "-")


def command(study: str, request: StudyRequest) -> str:
    """The command of a request: its options where they differ from the defaults.

    Options of models that `study` does not have (`ModelOptions` has more) are part of it as well: then `study.json`
    makes the exhibit again, and the command does not.
    """
    words = ["phraseproof", "study", study]
    words += _words(request, StudyRequest())
    words += _words(request.model_options, ModelOptions())
    return shlex.join(words)


def _words(given: StudyRequest | ModelOptions, usual: StudyRequest | ModelOptions) -> Iterator[str]:
    for each in fields(given):
        value: object = getattr(given, each.name)
        if value == getattr(usual, each.name) or isinstance(value, ModelOptions):
            continue
        option = option_of(each.name)
        if value is True:
            yield option
            continue
        for text in _texts(each.name, value):
            yield option
            yield text


def _texts(name: str, value: object) -> list[str]:
    """The values of an option, each of which follows its name."""
    if isinstance(value, Mapping):
        return [f"{key}={_joined(member)}" for key, member in cast("Mapping[object, object]", value).items()]
    members: tuple[object, ...] = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    return [_joined(members)] if name in _ONE_VALUE else list(map(str, members))


def _joined(value: object) -> str:
    return ",".join(map(str, cast("tuple[object, ...]", value))) if isinstance(value, tuple) else str(value)
