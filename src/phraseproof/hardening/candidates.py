"""What a search compares: methods with their settings, each at several learning rates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple, get_type_hints

from pydantic import TypeAdapter, ValidationError

from phraseproof.alignment.initial_adapter import find_initial_adapter
from phraseproof.alignment.loop.preparation import find_method
from phraseproof.alignment.settings import (
    RANDOM_VOCABULARY,
    RECOMMENDED,
    RECOMMENDED_RATE,
    AlignmentSettings,
    default_steps,
)
from phraseproof.errors import UsageError
from phraseproof.teaching.teacher import TeacherSettings

RATES: Mapping[str, tuple[float, ...]] = {
    "prompt": (1e-3, 3e-3, 1e-2),
    "lora": (1e-4, 3e-4, 1e-3),
    "dora": (1e-4, 3e-4, 1e-3),
    "weights": (1e-5, 3e-5, 1e-4),
}
"""The learning rates that are tried by default, by what a method trains. Of a prompt, those that did best on the
pocket's models and on SmolLM2; the others are around `alignment.settings.DEFAULT_RATES`."""

AUTO = "auto"
"""The name of the recommended method (`RECOMMENDED`) at its default rate alone."""

_OF_TEACHERS: Mapping[str, str] = {
    "teacher_as": "teacher_as",
    "teacher_calibration": "calibration",
    "labelled": "labelled",
}
"""The options of a teacher, as those of `pairs from-task`, and the fields of `TeacherSettings`."""

_NOT_OF_A_METHOD = frozenset(
    {"method", "learning_rate", "seed", "prompt_format", "keep_epochs", "save_every", "save_every_seconds"}
)


def named_methods(methods: Sequence[str]) -> list[str]:
    """The methods that are meant, without teachers and options."""
    return [RECOMMENDED if name == AUTO else re.split("[:@]", name)[0] for name in methods]


class Candidate(NamedTuple):
    """One training that is compared with others, whatever its seed.

    Attributes:
        name: as the user wrote the method, with its teacher and options.
        rate: the learning rate.
        settings: of the training, with the learning rate.
        teacher: who answers in place of the labels; `None` for the labels.
    """

    name: str
    rate: float
    settings: AlignmentSettings
    teacher: TeacherSettings | None = None

    @property
    def sees_labels(self) -> bool:
        """Whether it is trained on the labels of the training examples."""
        return self.teacher is None and self.settings.labels != "none"

    @property
    def label(self) -> str:
        """The method and its learning rate, for messages."""
        return f"{self.name} at {self.rate:g}"


def candidates_of(
    methods: Sequence[str], rates: Mapping[str, Sequence[float]], common: AlignmentSettings, *, seed: int = 0
) -> list[Candidate]:
    """Every method at every one of its learning rates.

    Args:
        methods: names of methods, each with a teacher and options of its own where wanted:
            `pt+kl:lambda=0.5:num_tokens=20`, `pt@ensemble`, `pt@best:labelled=30`; or `auto`, the recommended method.
        rates: learning rates by method as written, by method, by what it trains (`prompt`, `lora`, `weights`), or
            for all methods under the empty name; the first of these that is there is used, and otherwise `RATES`; for
            `auto` its one rate.
        common: the settings of all trainings. Without a length, all have that of the recommended method if it is among
            them, so that their steps are equal.
        seed: of the draw of examples that keep their label, where a teacher answers.

    Raises:
        UsageError: an unknown method or option, a refused value, a method twice, or rates for nothing.
    """
    written = {RECOMMENDED if name == AUTO else name: name for name in methods}
    if len(written) < len(methods) or not methods:
        raise UsageError(
            "a method is named twice" if methods else "no method is named",
            expected="different methods, separated by commas",
            got=",".join(methods),
            where="--methods",
        )
    found: list[Candidate] = []
    used: set[str] = set()
    common = replace(common, max_steps=default_steps(common, *named_methods(methods)))
    for name, given in written.items():
        method, settings, teacher = _parsed(name, common, seed)
        trains = find_method(method).trains
        key = next((key for key in (name, method, trains, "") if key in rates), None)
        if key is not None:
            used.add(key)
        default = (RECOMMENDED_RATE,) if given == AUTO else RATES[trains]
        own = default if key is None else rates[key]
        found += [Candidate(name, rate, replace(settings, learning_rate=rate), teacher) for rate in dict.fromkeys(own)]
    if unused := sorted(rates.keys() - used):
        raise UsageError(
            f"rates are given for {unused[0]!r}, which no method of the search is or trains",
            expected=f"one of: {', '.join(written)}, or what they train",
            where="--rates",
        )
    return found


def _parsed(text: str, common: AlignmentSettings, seed: int) -> tuple[str, AlignmentSettings, TeacherSettings | None]:
    """The method, its settings, whose learning rate is still the common one, and its teacher."""
    head, *options = text.split(":")
    method, at, teacher = head.partition("@")
    known = {field.name.rstrip("_"): (AlignmentSettings, field.name) for field in fields(AlignmentSettings)}
    left_out = _NOT_OF_A_METHOD | find_method(method).unused_settings
    known = {name: (owner, field) for name, (owner, field) in known.items() if field not in left_out}
    known |= {name: (TeacherSettings, field) for name, field in _OF_TEACHERS.items()} if at else {}
    given: dict[type, dict[str, object]] = {AlignmentSettings: {"method": method}, TeacherSettings: {}}
    for option in options:
        name, _, value = option.partition("=")
        owner, field = known.get(name.replace("-", "_"), (None, ""))
        if owner is None:
            raise UsageError(
                f"the method {head} has no option {name!r}",
                expected=f"METHOD[@TEACHER][:OPTION=VALUE], with one of the options {', '.join(known)}",
                got=text,
                where="--methods",
            )
        try:
            given[owner][field] = TypeAdapter(get_type_hints(owner)[field]).validate_python(value)
        except ValidationError as error:
            raise UsageError(
                f"the value of {name!r} is not valid", expected=error.errors()[0]["msg"], got=value, where="--methods"
            ) from None
    trains = find_method(method).trains
    if trains != "prompt" and not Path(common.init).is_dir():
        common = replace(common, init=RANDOM_VOCABULARY)  # a text that all methods share is for soft prompts
    settings = replace(common, **given[AlignmentSettings])  # pyright: ignore[reportArgumentType]
    find_initial_adapter(settings.init, trains)
    if not at:
        return method, settings, None
    return method, settings, TeacherSettings(teacher, seed=seed, **given[TeacherSettings])  # pyright: ignore[reportArgumentType]
