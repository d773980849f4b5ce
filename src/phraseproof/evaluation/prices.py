"""The cost of a served model's answers at prices that the user gives. No price is built in, because prices change."""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import Field, RootModel

from phraseproof.errors import UsageError
from phraseproof.models.price import Price
from phraseproof.typed_yaml import StrictModel, parse
from phraseproof.yaml_document import load

__all__ = ["Price", "read_price"]

_OPTION = "--price-per-million"
_EXPECTED = "two prices, as in 0.15,0.60, or a YAML file with `input` and `output` for each model"


class _ModelPrice(StrictModel):
    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    batch_share: float = Field(default=1.0, ge=0, le=1)


class _PriceFile(RootModel[dict[str, _ModelPrice]]):
    """The prices of each model, by its name."""


def read_price(text: str, model: str) -> Price:
    """Read `IN,OUT`, or the prices of a model from a YAML file: `openai/name: {input: 0.15, output: 0.60}`.

    In a file, `batch_share: 0.5` says that tokens cost half in batches.

    Raises:
        UsageError: it is neither, a price is not a number of zero or more, or the file does not name the model.
        FileError: the file cannot be read, or an entry is not the two prices of a model.
    """
    path = Path(text)
    if not path.is_file():
        parts = text.split(",")
        if len(parts) != 2:
            raise UsageError("not a price", expected=_EXPECTED, got=text, where=_OPTION)
        return Price(*(_number(part) for part in parts))
    prices = parse(load(path), path, _PriceFile).root
    if model not in prices:
        known = ", ".join(prices) or "nothing"
        raise UsageError(f"no price of {model}", expected=f"one of: {known}", got=model, where=text)
    found = prices[model]
    return Price(found.input, found.output, found.batch_share)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError("not a price", expected="a number of zero or more", got=text.strip(), where=_OPTION)
    return number
