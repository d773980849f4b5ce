"""What a search compares: methods with their settings, each at several learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import NamedTuple, get_type_hints

from pydantic import TypeAdapter, ValidationError

from phraseproof.alignment.loop.preparation import find_method
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.errors import UsageError

RATES: Mapping[str, tuple[float, ...]] = {
    "prompt": (1e-3, 3e-3, 1e-2),
    "weights": (1e-5, 3e-5, 1e-4),
}
"""The learning rates that are tried by default, by what a method trains."""

_OTHER_RATES = (1e-4, 3e-4, 1e-3)
"""For what trains neither a soft prompt nor all weights, such as low-rank matrices."""

_NOT_OF_A_METHOD = frozenset({"method", "learning_rate", "seed", "prompt_format", "save_every"})


class Candidate(NamedTuple):
    """One training that is compared with others, whatever its seed.

    Attributes:
        name: as the user wrote the method, with its options.
        rate: the learning rate.
        settings: of the training, with the learning rate.
    """

    name: str
    rate: float
    settings: AlignmentSettings

    @property
    def label(self) -> str:
        """The method and its learning rate, for messages."""
        return f"{self.name} at {self.rate:g}"


def candidates_of(
    methods: Sequence[str], rates: Mapping[str, Sequence[float]], common: AlignmentSettings
) -> list[Candidate]:
    """Every method at every one of its learning rates.

    Args:
        methods: names of methods, each with options of its own where wanted: `pt+kl:lambda=0.5:num_tokens=20`.
        rates: learning rates by method as written, by method, by what it trains (`prompt`, `weights`), or for all
            methods under the empty name; the first of these that is there is used, and otherwise `RATES`.
        common: the settings of all trainings.

    Raises:
        UsageError: an unknown method or option, a refused value, a method twice, or rates for nothing.
    """
    if len(set(methods)) < len(methods) or not methods:
        raise UsageError(
            "a method is named twice" if methods else "no method is named",
            expected="different methods, separated by commas",
            got=",".join(methods),
            where="--methods",
        )
    found: list[Candidate] = []
    used: set[str] = set()
    for name in methods:
        method, settings = _settings(name, common)
        trains = find_method(method).trains
        key = next((key for key in (name, method, trains, "") if key in rates), None)
        if key is not None:
            used.add(key)
        own = RATES.get(trains, _OTHER_RATES) if key is None else rates[key]
        found += [Candidate(name, rate, replace(settings, learning_rate=rate)) for rate in dict.fromkeys(own)]
    if unused := sorted(rates.keys() - used):
        raise UsageError(
            f"rates are given for {unused[0]!r}, which no method of the search is or trains",
            expected=f"one of: {', '.join(methods)}, or what they train",
            where="--rates",
        )
    return found


def _settings(text: str, common: AlignmentSettings) -> tuple[str, AlignmentSettings]:
    """The method, and its settings; the learning rate is still the common one."""
    method, *options = text.split(":")
    find_method(method)
    known = {field.name.rstrip("_"): field.name for field in fields(common) if field.name not in _NOT_OF_A_METHOD}
    hints = get_type_hints(AlignmentSettings)
    given: dict[str, object] = {}
    for option in options:
        name, _, value = option.partition("=")
        field = known.get(name.replace("-", "_"))
        if field is None:
            raise UsageError(
                f"the method {method} has no option {name!r}",
                expected=f"METHOD or METHOD:OPTION=VALUE, with one of the options {', '.join(known)}",
                got=text,
                where="--methods",
            )
        try:
            given[field] = TypeAdapter(hints[field]).validate_python(value)
        except ValidationError as error:
            raise UsageError(
                f"the value of {name!r} is not valid", expected=error.errors()[0]["msg"], got=value, where="--methods"
            ) from None
    return method, replace(common, method=method, **given)  # pyright: ignore[reportArgumentType]
