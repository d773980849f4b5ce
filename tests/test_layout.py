"""The layout that docs/architecture.md promises: no import circle, small files, one class per name, mirrored tests."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import grimp

SOURCE = Path(__file__).parent.parent / "src" / "phraseproof"
MODULES = sorted(SOURCE.rglob("*.py"))
MOST_LINES = 400
MOST_LINES_OF_NINE_IN_TEN = 310


def test_no_module_imports_itself_through_others() -> None:
    """Imports under TYPE_CHECKING and inside functions count; import-linter checks packages, this checks modules."""
    graph = grimp.build_graph("phraseproof", cache_dir=None)
    assert len(graph.modules) > 200
    waiting = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    while free := {module for module, imported in waiting.items() if not imported & waiting.keys()}:
        for module in free:
            del waiting[module]
    assert not waiting, f"these modules are in import circles, or import one that is: {sorted(waiting)}"


def test_files_are_small() -> None:
    lines = {path.relative_to(SOURCE): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {str(path): count for path, count in lines.items() if count > MOST_LINES} == {}
    ranked = sorted(lines.values())
    assert ranked[int(0.9 * len(ranked))] <= MOST_LINES_OF_NINE_IN_TEN


def test_no_two_classes_have_one_name() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(SOURCE)))
    shared = {name: found for name, found in places.items() if len(found) > 1}
    assert shared == {}


def test_every_source_file_has_its_mirror() -> None:
    tests = Path(__file__).parent
    missing: set[str] = set()
    for path in MODULES:
        relative = path.relative_to(SOURCE)
        mirror = tests / relative.parent / f"test_{relative.name}"
        if not relative.name.startswith("__") and _has_code(path) and not mirror.is_file():
            missing.add(relative.as_posix())
    assert not missing, f"no test of their own: {sorted(missing)}"


def _has_code(path: Path) -> bool:
    """Whether a file defines a function or a class: constants alone need no test."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in body)
