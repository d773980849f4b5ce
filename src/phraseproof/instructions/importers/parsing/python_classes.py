"""The classes of a checkout: by name, with their bases and the plain data of their modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from phraseproof.instructions.importers.parsing.parse_result import (
    UnrepresentableError,
)
from phraseproof.instructions.importers.parsing.python_text import Texts
from phraseproof.instructions.importers.parsing.python_values import Value


class IndexedClass(NamedTuple):
    node: ast.ClassDef
    known: Mapping[str, Value]


class ClassIndex(NamedTuple):
    """All classes of a checkout, by name and, because two tasks' classes may share a name, by node."""

    classes: Mapping[str, IndexedClass]
    known: Mapping[int, Mapping[str, Value]]

    @classmethod
    def of(cls, modules: Mapping[Path, ast.Module]) -> ClassIndex:
        classes: dict[str, IndexedClass] = {}
        known: dict[int, Mapping[str, Value]] = {}
        for tree in modules.values():
            data = plain_data(tree.body, {})
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    classes.setdefault(node.name, IndexedClass(node, data))
                    known[id(node)] = data
        return cls(classes, known)

    def family(self, node: ast.ClassDef, seen: tuple[str, ...] = ()) -> Iterator[IndexedClass]:
        """A class and its bases, the most general first."""
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in self.classes and base.id not in seen:
                yield from self.family(self.classes[base.id].node, (*seen, base.id))
        yield IndexedClass(node, self.known.get(id(node), {}))


def plain_data(body: Sequence[ast.stmt], known: Mapping[str, Value]) -> dict[str, Value]:
    """The plain data that a module or a class assigns at its top level."""
    data = dict(known)
    for statement in body:
        if (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.Name)
        ):
            try:
                data[statement.targets[0].id] = Texts({}, data).evaluate(statement.value, {})
            except UnrepresentableError:
                continue
    return data
