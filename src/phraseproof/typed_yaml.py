"""Users' YAML files, read into pydantic models; every error names the file, the line and the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from phraseproof.errors import FileError
from phraseproof.files import decoded, require_regular, unreadable

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

# Large files are parsed by libyaml, ten times as fast, if PyYAML has it. Others are parsed in Python, which reports the
# place of a mistake more exactly.
_FAST_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LARGE = 20_000
_MAX_DEPTH = 200
_MAPPING = "tag:yaml.org,2002:map"
_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_MAX_NUMBER_CHARACTERS = 400

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

MAX_BYTES = 10 * 1024 * 1024
MAX_VALUES = 500_000
"""The maximum number of values in a file with aliases expanded: ten short lines of aliases can mean billions."""


class StrictModel(BaseModel):
    """The base of every file model: unknown fields are errors, and nothing is coerced from one type to another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


ModelT = TypeVar("ModelT", bound=BaseModel)


class Document(NamedTuple):
    """Plain YAML data, and what is known of each value, by its path of keys and indices.

    Attributes:
        data: the values.
        lines: the line of each value, from 1.
        written: what the file has where YAML reads a text without quotes as something else: `yes`, `010`, `12:30`, a
            date. Where a text is meant, this is it.
    """

    data: Any
    lines: dict[tuple[str | int, ...], int]
    written: Mapping[tuple[str | int, ...], str] = MappingProxyType({})


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, or a `FileError` that says why it cannot be read."""
    if not path.exists():
        raise FileError("no such file", where=str(path))
    try:
        require_regular(path)
        if path.stat().st_size > MAX_BYTES:
            raise FileError("the file is too large", expected=f"at most {MAX_BYTES} bytes", where=str(path))
        return decoded(path.read_bytes())
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise FileError(
            "not UTF-8 text",
            got=f"byte 0x{error.object[error.start]:02x}",
            where=f"{path}:{line}",
            hint="Save the file as UTF-8",
        ) from None


def load(path: Path, *, tags: frozenset[str] = frozenset()) -> Document:
    """Plain data from a YAML file (safe tags only; a repeated key is an error), with the line of every value.

    Args:
        path: the file.
        tags: tags of other programs (`!Template`, `!function`) that are read as data, never as what they mean
            there: a tagged mapping as a mapping, a tagged text as `{tag: text}`. If tags are given, a repeated key
            is not an error either: the last one counts, as it does for those programs.

    Raises:
        FileError: the file cannot be read, or holds more than plain data.
    """
    text = read_text(path)
    try:
        node = _compose(text, path)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise FileError(f"not valid YAML: {error.problem or error.context}", where=f"{path}:{line}") from None
    except yaml.YAMLError as error:
        raise FileError(f"not valid YAML: {error}", where=str(path)) from None
    except RecursionError:
        raise FileError("not valid YAML: nested too deeply", where=str(path)) from None
    if node is None:
        raise FileError("the file is empty", where=str(path))
    lines: dict[tuple[str | int, ...], int] = {}
    constructor = yaml.SafeLoader("")
    if tags:
        _read_as_data(node, tags)
    try:
        written: dict[tuple[str | int, ...], str] = {}
        _index(node, (), _Indexing(lines, path, constructor, repeats=bool(tags), written=written))
        return Document(constructor.construct_document(node), lines, written)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FileError(f"not plain YAML: {error.problem}", where=f"{path}:{line}") from None
    except RecursionError:
        raise FileError("not plain YAML: an alias refers to itself", where=str(path)) from None


def _compose(text: str, path: Path) -> yaml.Node | None:
    if len(text) < _LARGE:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    depth = 0
    for event in yaml.parse(text, Loader=_FAST_LOADER):  # composing is recursive in libyaml: too deep, and it crashes
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise FileError("not valid YAML: nested too deeply", where=f"{path}:{line}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return yaml.compose(text, Loader=_FAST_LOADER)


def _read_as_data(root: yaml.Node, tags: frozenset[str]) -> None:
    """Give nodes with one of `tags` the tags of plain data, in place."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for index, child in enumerate(node.value if isinstance(node, yaml.CollectionNode) else ()):
            if isinstance(node, yaml.MappingNode):
                node.value[index] = (child[0], _as_data(child[1], tags))
                waiting.append(node.value[index][1])
            else:
                node.value[index] = _as_data(child, tags)
                waiting.append(node.value[index])


def _as_data(node: yaml.Node, tags: frozenset[str]) -> yaml.Node:
    if node.tag not in tags:
        return node
    if isinstance(node, yaml.ScalarNode):
        key = yaml.ScalarNode(_TEXT, node.tag, node.start_mark, node.end_mark)
        text = yaml.ScalarNode(_TEXT, node.value, node.start_mark, node.end_mark)
        return yaml.MappingNode(_MAPPING, [(key, text)], node.start_mark, node.end_mark)
    if isinstance(node, yaml.MappingNode):
        node.tag = _MAPPING
    return node


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
            got=_short(first["input"]) if first["type"] != "missing" else None,
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
        beside = (error for error in errors if error["loc"][:-1] == first["loc"][:-1])
        return next((error for error in beside if error["type"] in _UNKNOWN), first)
    return first


def line_of(document: Document, location: tuple[str | int, ...]) -> int:
    """The line of the value at `location`, or of the nearest value around it."""
    while location and location not in document.lines:
        location = location[:-1]
    return document.lines.get(location, 1)


class _Indexing(NamedTuple):
    """What a walk over the node tree collects; `repeats` allows a key to be given twice."""

    lines: dict[tuple[str | int, ...], int]
    path: Path
    constructor: yaml.SafeLoader
    repeats: bool
    written: dict[tuple[str | int, ...], str]


def _index(node: yaml.Node, location: tuple[str | int, ...], into: _Indexing) -> None:
    line = node.start_mark.line + 1
    if len(into.lines) >= MAX_VALUES:
        raise FileError(
            "the file holds too many values, aliases expanded",
            expected=f"at most {MAX_VALUES}",
            where=f"{into.path}:{line}",
        )
    into.lines[location] = line
    if isinstance(node, yaml.MappingNode):
        seen: set[str | int] = set()
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            key = _construct(key_node, into.path, into.constructor)
            if not isinstance(key, str | int):
                raise FileError(f"the key {key!r} is not text", where=f"{into.path}:{key_line}")
            if key in seen and not into.repeats:
                raise FileError(f"the key {key!r} is given twice", where=f"{into.path}:{key_line}")
            seen.add(key)
            _index(value_node, (*location, key), into)
            into.lines[(*location, key)] = key_line
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _index(item, (*location, index), into)
    elif isinstance(node, yaml.ScalarNode):
        _construct(node, into.path, into.constructor)
        if node.tag not in (_TEXT, _NULL) and not node.style and node.value:
            into.written[location] = node.value


def _construct(node: yaml.Node, path: Path, constructor: yaml.SafeLoader) -> object:
    """The value of a node. PyYAML raises on texts that look like a date or a number but are not."""
    where = f"{path}:{node.start_mark.line + 1}"
    if isinstance(node, yaml.ScalarNode) and node.tag != _TEXT and len(node.value) > _MAX_NUMBER_CHARACTERS:
        raise FileError(
            "the number is too long",
            expected=f"at most {_MAX_NUMBER_CHARACTERS} characters",
            got=_short(node.value),
            where=where,
            hint="Put it in quotes if it is text",
        )
    try:
        value = constructor.construct_object(node, deep=True)
    except (ValueError, LookupError, AttributeError):
        raise FileError(
            "the value looks like a number, date or truth value, but is not",
            got=_short(node.value),
            where=where,
            hint="Put it in quotes if it is text",
        ) from None
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise FileError("half of a surrogate pair is not text", where=where)
    return value


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


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
