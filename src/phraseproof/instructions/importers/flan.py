"""Import FLAN's templates: lists of (input pattern, target pattern) in Python files, which are parsed and never run.

FLAN 2021 writes options in one form; Flan-2022 draws a form for every example. All imported wordings have the form of
2021. The importer reads two kinds of statements: `PATTERNS = {...}` and `PATTERNS["a"] = PATTERNS["b"]`.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeGuard, cast

from phraseproof.core import Instruction, Relation
from phraseproof.errors import FileError
from phraseproof.instructions.importers.parsing import placeholders
from phraseproof.instructions.importers.parsing.ask_and_layout import AskAndLayout, split_ask
from phraseproof.instructions.importers.parsing.import_request import ImportRequest
from phraseproof.instructions.importers.parsing.parse_result import (
    ParseResult,
    UnrepresentableError,
    stem_of,
    unreadable,
)
from phraseproof.instructions.importers.parsing.source_files import each_read, read_json, read_python

COLLECTION = "flan"
LICENCE = "Apache-2.0 (google-research/FLAN)"
OPTIONS = 'OPTIONS:\n{{ choices | enumerate("- {choice}") }}'
"""How FLAN 2021 lists options."""

_OPTION_NAMES = {"options_": OPTIONS, "options_str": OPTIONS}
_REASONING = frozenset(("cot", "chain_of_thought"))
_INVERSION = "input_inversion"
_VARIABLE = "PATTERNS"
_EDITIONS = {"flan/templates.py": "2021", "flan/v2/templates.py": "2022", "flan/v2/flan_templates_branched.py": "2022b"}

Patterns = Mapping[str, Sequence[tuple[str, str]]]


class _Edition(NamedTuple):
    """The FLAN file that patterns come from. `mark` is a prefix for the ids of the second file's wordings."""

    name: str
    mark: str


def find(path: Path, request: ImportRequest) -> ParseResult:
    """Read the zero-shot patterns of a checkout, of one of its template files, or of a JSON file of the same form."""
    result = ParseResult()
    for file, patterns in each_read(path, _files(path), _patterns, result):
        edition = _edition(file, path)
        for dataset, members in patterns.items():
            _read_dataset(dataset, members, edition, (request, result, str(file)))
    return result


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    result = [path / name for name in list(_EDITIONS)[:2] if (path / name).is_file()]
    if not result:
        raise FileError(
            "no FLAN templates in this folder",
            expected="flan/templates.py or flan/v2/templates.py, or the path of such a file",
            where=str(path),
        )
    return result


def _edition(file: Path, path: Path) -> _Edition:
    name = "/".join(file.parts[-3:]) if file.parent.name == "v2" else "/".join(file.parts[-2:])
    edition = _EDITIONS.get(name, "")
    is_newer = edition == "2022" and path.is_dir()
    return _Edition(f"FLAN {edition}".strip() + f", {file.name}", "v2-" if is_newer else "")


def _patterns(file: Path) -> Patterns:
    value = read_json(file) if file.suffix == ".json" else _assigned(file)
    if not isinstance(value, dict) or not value:
        raise FileError(
            "no patterns in this file", expected=f"a mapping {_VARIABLE} of lists of pairs", where=str(file)
        )
    patterns: dict[str, list[tuple[str, str]]] = {}
    for name, members in cast("dict[object, object]", value).items():
        pairs = cast("list[object]", members) if isinstance(members, list) else [members]
        checked = [(each[0], each[1]) for each in pairs if _is_pair(each)]
        if not isinstance(members, list) or len(checked) < len(pairs):
            raise FileError(
                f"the patterns of {name!r} are not pairs of texts", expected="[[input, target], ...]", where=str(file)
            )
        patterns[str(name)] = checked
    return patterns


def _is_pair(value: object) -> TypeGuard[Sequence[str]]:
    members = cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()
    return len(members) == 2 and all(isinstance(each, str) for each in members)


def _assigned(file: Path) -> dict[object, object]:
    """Read the assignments to `PATTERNS` at a Python file's top level: a literal, and entries that copy others."""
    patterns: dict[object, object] = {}
    for statement in read_python(file).body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Name) and target.id == _VARIABLE:
            try:
                patterns = ast.literal_eval(value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                raise FileError(f"{_VARIABLE} is not a literal", where=f"{file}:{statement.lineno}") from None
            if type(patterns) is not dict:
                raise FileError(f"{_VARIABLE} is not a mapping", where=f"{file}:{statement.lineno}")
        elif (new := _entry(target)) is not None and (old := _entry(value)) in patterns:
            patterns[new] = patterns[old]
    return patterns


def _entry(node: ast.expr) -> object:
    """The key of `PATTERNS["key"]`."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name) or node.value.id != _VARIABLE:
        return None
    return node.slice.value if isinstance(node.slice, ast.Constant) else None


# --------------------------------------------------------------------------------------------------------- one data set


def _read_dataset(
    dataset: str, members: Sequence[tuple[str, str]], edition: _Edition, into: tuple[ImportRequest, ParseResult, str]
) -> None:
    request, result, file = into
    target = _target(members)
    has_options = any(name in pattern for pattern, _ in members for name in _braced(_OPTION_NAMES))
    for number, (pattern, answer) in enumerate(members, start=1):
        name = f"{dataset}/{edition.mark}{number}"
        if not request.wants(name):
            continue
        try:
            if _INVERSION in dataset:
                unreadable("it asks for something other than the answer", dataset)
            parts, verbalizer = _wording(pattern, answer, target, has_options=has_options, fields=request.fields)
            wording = Instruction(
                id=name,
                collection=COLLECTION,
                answer=verbalizer,
                serves=(dataset,),
                relation=Relation.OBSERVED,
                licence=LICENCE,
                **parts._asdict(),
            )
            wording = request.finished(wording, source=f"{edition.name}, {dataset}, number {number}")
        except UnrepresentableError as error:
            result.refuse(name, file, error)
            continue
        result.add(stem_of(edition.mark + dataset), wording)


def _braced(names: Mapping[str, str]) -> list[str]:
    return [f"{{{name}}}" for name in names]


def _target(members: Sequence[tuple[str, str]]) -> str | None:
    """The field with a data set's answers: the one that most target patterns consist of."""
    counts: Counter[str] = Counter()
    for _, answer in members:
        try:
            held = set(placeholders.names(answer))
        except UnrepresentableError:
            continue
        if len(held) == 1:
            counts.update(held)
    alone = [name for name, _ in counts.most_common()]
    return "answer" if "answer" in alone else alone[0] if alone else None


def _wording(
    pattern: str, answer: str, target: str | None, *, has_options: bool, fields: Mapping[str, str]
) -> tuple[AskAndLayout, str]:
    """The prompt and the verbalizer that a pair of patterns makes."""
    needed = placeholders.names(pattern)
    held = placeholders.names(answer)
    if not _REASONING.isdisjoint(held):
        unreadable("it asks for a chain of thought", f"target {answer!r}")
    if target is None or target not in held:
        unreadable("it asks for something other than the answer", f"target {answer!r}")
    if target in needed:
        unreadable("its prompt holds the answer", f"{{{target}}}")
    if held != [target]:
        unreadable("its answer also repeats the input", f"target {answer!r}")
    before, after = (placeholders.to_template(part, {}, {}) for part in answer.split(f"{{{target}}}"))
    if (before or after) and not has_options:
        unreadable("its answer is free text with words around it", f"target {answer!r}")
    template = placeholders.to_template(pattern, _OPTION_NAMES, fields)
    if not needed:
        unreadable("it shows nothing of the example")
    return split_ask(template), f"{before}{{{{ choice }}}}{after}"
