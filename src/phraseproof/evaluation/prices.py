"""What a served model's answers would cost, at prices that the user gives. No price is built in: they change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, cast

import yaml

from phraseproof.errors import UsageError
from phraseproof.yaml_document import read_text

_OPTION = "--price-per-million"
_EXPECTED = "two prices, as in 0.15,0.60, or a YAML file with `input` and `output` for each model"


class Price(NamedTuple):
    """For a million tokens, in any currency."""

    input: float
    output: float

    def of(self, input_tokens: float, output_tokens: float) -> float:
        """The price of so many tokens."""
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000


def read_price(text: str, model: str) -> Price:
    """Read `IN,OUT`, or the prices of a model from a YAML file: `openai/name: {input: 0.15, output: 0.60}`.

    Raises:
        UsageError: it is neither, a price is no number of zero or more, the file does not name the model or cannot be
            read.
    """
    if not Path(text).is_file():
        parts = text.split(",")
        if len(parts) != 2:
            raise UsageError("not a price", expected=_EXPECTED, got=text, where=_OPTION)
        return Price(*(_number(part, text) for part in parts))
    try:
        content: object = yaml.safe_load(read_text(Path(text)))
    except yaml.YAMLError as error:
        raise UsageError("not a YAML file", expected=_EXPECTED, got=str(error).splitlines()[0], where=text) from None
    prices = cast("Mapping[object, object]", content) if isinstance(content, Mapping) else {}
    found = prices.get(model)
    if not isinstance(found, Mapping):
        known = ", ".join(map(str, prices)) or "nothing"
        raise UsageError(f"no price of {model}", expected=f"one of: {known}", got=model, where=text)
    row = cast("Mapping[object, object]", found)
    if set(row) != {"input", "output"}:
        raise UsageError(
            f"the price of {model} is not complete",
            expected="input and output",
            got=", ".join(map(str, row)) or "nothing",
            where=text,
        )
    return Price(_number(row["input"], text), _number(row["output"], text))


def _number(value: object, where: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError("not a price", expected="a number of zero or more", got=str(value).strip(), where=where)
    return number
