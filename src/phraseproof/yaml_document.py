"""Users' YAML files as plain data, with the line of every value: safe tags only, of bounded size and depth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml

from phraseproof.errors import FileError
from phraseproof.files import decoded, require_regular, unreadable

# Large files are parsed by libyaml, ten times as fast, if PyYAML has it. Others are parsed in Python, which reports the
# place of a mistake more exactly.
_FAST_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LARGE = 20_000
_MAX_DEPTH = 200
_MAPPING = "tag:yaml.org,2002:map"
_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_MAX_NUMBER_CHARACTERS = 400
_ROWS = frozenset({".csv", ".tsv", ".txt", ".jsonl", ".parquet", ".xlsx"})
_BLANK_BYTES = b" \t\r\n\xef\xbb\xbf"

MAX_BYTES = 10 * 1024 * 1024
MAX_VALUES = 500_000
"""The maximum number of values in a file with aliases expanded: ten short lines of aliases can mean billions."""


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


def holds_rows(path: Path) -> bool:
    """Whether a file is one of rows, such as a table or a JSON list, and so cannot be one of fields."""
    ending = path.suffix.lower()
    if ending != ".json":
        return ending in _ROWS and path.is_file()
    try:
        with path.open("rb") as file:
            return file.read(1000).lstrip(_BLANK_BYTES).startswith(b"[")
    except OSError:
        return False


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
    return load_text(read_text(path), path, tags=tags)


def load_text(text: str, path: Path, *, tags: frozenset[str] = frozenset()) -> Document:
    """As `load`, of the text of a file.

    Args:
        text: of the file.
        path: names the file in errors.
        tags: as in `load`.
    """
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
            got=shortened(node.value),
            where=where,
            hint="Put it in quotes if it is text",
        )
    try:
        value = constructor.construct_object(node, deep=True)
    except (ValueError, LookupError, AttributeError):
        raise FileError(
            "the value looks like a number, date or truth value, but is not",
            got=shortened(node.value),
            where=where,
            hint="Put it in quotes if it is text",
        ) from None
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise FileError("half of a surrogate pair is not text", where=where)
    return value


def shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
