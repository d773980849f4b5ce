"""Users' YAML files, read into pydantic models; every error names the file, the line and the field."""

from __future__ import annotations

from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from phraseproof.errors import FileError
from phraseproof.yaml_document import Document, line_of, shortened

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_PLAIN = {
    "model_type": "not a mapping of fields to values (as in `name: value`)",
    "dict_type": "not a mapping (as in `name: value`)",
    "list_type": "not a list",
    "tuple_type": "not a list",
    "string_type": "not text",
    "int_type": "not a whole number",
    "float_type": "not a number",
    "bool_type": "neither true nor false",
}
"""What pydantic's kinds of error mean to someone who writes YAML."""

_UNKNOWN = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
"""Pydantic's kinds of error for an unknown field: of a model, and of a dataclass inside one."""

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
"""The dialect of the JSON Schemas that describe users' files."""


class StrictModel(BaseModel):
    """The base of every file model: unknown fields are errors, and nothing is coerced from one type to another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


ModelT = TypeVar("ModelT", bound=BaseModel)


def parse(document: Document, path: Path, model: type[ModelT]) -> ModelT:
    """`document` as `model`, or a `FileError` for the first thing in it that does not fit."""
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        places = [tuple(each["loc"]) for each in error.errors(include_url=False) if each["type"] == "string_type"]
        meant = {place: document.written[place] for place in places if place in document.written}
        if meant:
            rest = {place: text for place, text in document.written.items() if place not in meant}
            data: Any = document.data
            for place, text in meant.items():
                data = _with_text(data, place, text)
            return parse(Document(data, document.lines, rest), path, model)
        first = _most_telling(error.errors(include_url=False))
        location = tuple(first["loc"])
        field = ".".join(str(part) for part in location)
        raise FileError(
            _problem(first["type"], first["msg"], field),
            got=shortened(first["input"]) if first["type"] != "missing" else None,
            where=f"{path}:{line_of(document, location)}" + (f", {field}" if field else ""),
            hint=_known_fields(model, location) if first["type"] in _UNKNOWN else None,
        ) from None


def _with_text(value: Any, location: tuple[str | int, ...], text: str) -> Any:
    """A copy of `value` with `text` at a place in it."""
    if not location:
        return text
    copy = value.copy()
    copy[location[0]] = _with_text(value[location[0]], location[1:], text)
    return copy


def _most_telling(errors: list[ErrorDetails]) -> ErrorDetails:
    """The first error; of a missing and an unknown field in one mapping, the unknown one: it is the typo."""
    first = errors[0]
    if first["type"] == "missing":
        siblings = (error for error in errors if error["loc"][:-1] == first["loc"][:-1])
        return next((error for error in siblings if error["type"] in _UNKNOWN), first)
    return first


def _problem(kind: str, message: str, field: str) -> str:
    name = field.rsplit(".", 1)[-1]
    if kind in _UNKNOWN:
        return f"unknown field {name!r}"
    if kind == "missing":
        return f"the field {name!r} is missing"
    if kind in _PLAIN:
        return _PLAIN[kind]
    # "Input should be 'a' or 'b'" and the like: what they say is right, the first word is the checker's own.
    return message.removeprefix("Value error, ").replace("Input should", "the value should", 1)


def _known_fields(model: type[BaseModel], location: tuple[str | int, ...]) -> str | None:
    """The fields of the mapping in which an unknown one was found, the closest match first."""
    parent = _model_at(model, location[:-1])
    if parent is None:
        return None
    names = list(_fields(parent))
    close = get_close_matches(str(location[-1]), names, n=1)
    return f"{f'Did you mean {close[0]!r}? ' if close else ''}Known fields: {', '.join(names)}"


def _model_at(model: type[BaseModel], location: tuple[str | int, ...]) -> type | None:
    """The model or dataclass that reads the value at `location`, where the fields' types say it."""
    found: type | None = model
    for part in location:
        if found is None or isinstance(part, int):  # an item of a list is read by what the list's type names
            continue
        fields = _fields(found)
        found = _named_model(fields[part]) if part in fields else None
    return found


def _fields(model: type) -> dict[str, object]:
    """The types of a model's or a dataclass's fields, by the names that a file gives them."""
    if issubclass(model, BaseModel):
        return {info.alias or name: info.annotation for name, info in model.model_fields.items()}
    return {field.name: None for field in dataclass_fields(model)}  # no dataclass here holds models


def _named_model(annotation: object) -> type | None:
    """The one model or dataclass in a type: itself, or the items' of a list, or what may also be absent."""
    if isinstance(annotation, type) and (issubclass(annotation, BaseModel) or is_dataclass(annotation)):
        return annotation
    models = [found for part in get_args(annotation) if (found := _named_model(part)) is not None]
    return models[0] if len(models) == 1 else None
