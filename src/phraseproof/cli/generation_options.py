"""Parse `--gen-kwargs` and `--stop`: how answers are generated, as fields of `EvaluationSpec`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from phraseproof.errors import UsageError

_OPTION = "--gen-kwargs"
_STOP = "stop"

_READERS: dict[str, Callable[[str], object]] = {
    "temperature": float,
    "top_p": float,
    "top_k": int,
    _STOP: str,
    "max_new_tokens": int,
    "repeats": int,
    "seed": int,
}

_NAMED_ELSEWHERE = {
    "until": _STOP,
    "stop_strings": _STOP,
    "max_gen_toks": "max_new_tokens",
    "max_tokens": "max_new_tokens",
    "max_length": "max_new_tokens",
    "do_sample": "temperature",
    "num_return_sequences": "repeats",
}
"""What other programs call these settings."""

_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\"}


def generation_options(gen_kwargs: Sequence[str], stop: Sequence[str]) -> dict[str, object]:
    r"""The fields of the spec that these options set.

    Args:
        gen_kwargs: values of `--gen-kwargs`, each `NAME=VALUE` or several of them separated by commas. `stop` may occur
            several times.
        stop: values of `--stop`. In stop strings `\n`, `\t` and `\\` are a line break, a tab and a backslash.

    Raises:
        UsageError: an unknown name, a value that is not a number, or a name that occurs twice.
    """
    found: dict[str, object] = {}
    stops = list(stop)
    for pair in (part for text in gen_kwargs for part in text.split(",")):
        name, equals, value = (piece.strip() if piece != "=" else piece for piece in pair.partition("="))
        if not equals:
            raise UsageError("not a setting with its value", expected="NAME=VALUE", got=repr(pair), where=_OPTION)
        if name not in _READERS:
            other = _NAMED_ELSEWHERE.get(name)
            raise UsageError(
                f"unknown setting {name!r}",
                expected=f"one of: {', '.join(_READERS)}",
                where=_OPTION,
                hint=None if other is None else f"Did you mean '{other}'?",
            )
        if name == _STOP:
            stops.append(value)
            continue
        if name in found:
            raise UsageError(f"{name!r} is given twice", got=", ".join(gen_kwargs), where=_OPTION)
        try:
            found[name] = _READERS[name](value)
        except ValueError:
            raise UsageError("not a number", got=repr(value), where=f"{_OPTION} {name}") from None
    if stops:
        found[_STOP] = tuple(re.sub(r"\\([nt\\])", lambda each: _ESCAPES[each[1]], text) for text in stops)
    return found
