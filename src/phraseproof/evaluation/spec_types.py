"""The types of fields of `EvaluationSpec`: what a config file may write, and what it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, StrictInt


def _numbers(value: object) -> object:
    """One whole number, or a list of them, as a tuple."""
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - pydantic checks the items


def _names(value: object) -> object:
    """Names separated by commas, a path, or a list of both, as a tuple of texts."""
    if isinstance(value, str):
        return tuple(name.strip() for name in value.split(",") if name.strip())
    if isinstance(value, Path):
        return (str(value),)
    if isinstance(value, list | tuple):
        return tuple(str(item) if isinstance(item, Path) else item for item in value)  # pyright: ignore[reportUnknownVariableType] - pydantic checks the items
    return value


def _texts(value: object) -> object:
    """One text, or a list of them, as a tuple."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - pydantic checks the items


def _joined(value: object) -> object:
    """A list of names as one text, in which commas separate them."""
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - pydantic checks the text


def _path(value: object) -> object:
    return Path(value) if isinstance(value, str) else value


def _share(value: object) -> object:
    """`5%` as 0.05."""
    return read_share(value) if isinstance(value, str) else value


def read_share(text: str) -> float:
    """A percentage such as `5%` as a fraction.

    Raises:
        ValueError: not a percentage above 0 and up to 100.
    """
    number = text.strip()
    try:
        share = float(number.removesuffix("%")) / 100
    except ValueError:
        share = 0.0
    if not number.endswith("%") or not 0 < share <= 1:
        raise ValueError("not a share of the grid: expected a percentage above 0 and up to 100, as in 5%")
    return share


def _percent(share: float | None) -> str | None:
    """A fraction as the shortest percentage that is read as the same fraction."""
    if share is None:
        return None
    texts = (f"{100 * share:.{digits}g}%" for digits in range(3, 17))
    return next((text for text in texts if read_share(text) == share), f"{100 * share!r}%")


Names = Annotated[tuple[str, ...], BeforeValidator(_names, json_schema_input_type=str | list[str])]
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts, json_schema_input_type=str | list[str])]
Numbers = Annotated[tuple[StrictInt, ...], BeforeValidator(_numbers, json_schema_input_type=int | list[int])]
Scorings = Annotated[str, BeforeValidator(_joined, json_schema_input_type=str | list[str])]
MetricNames = Annotated[str, BeforeValidator(_joined, json_schema_input_type=str | list[str])]
Percentage = Annotated[str, Field(pattern=r"^\s*[0-9.e-]+\s*%\s*$")]
Share = Annotated[
    float | None,
    BeforeValidator(_share, json_schema_input_type=float | Percentage | None),
    PlainSerializer(_percent, when_used="json"),
]
Folder = Annotated[Path | None, BeforeValidator(_path, json_schema_input_type=str | None)]
SampleKind = Literal["auto", "stratified", "random"]
PromptFormat = Literal["auto", "plain", "alpaca", "chat"]
