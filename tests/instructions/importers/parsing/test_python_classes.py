from __future__ import annotations

import ast
from pathlib import Path

from phraseproof.instructions.importers.parsing.python_classes import ClassIndex, plain_data

MODULE = """
NAMES = ["a", "b"]
FIRST = NAMES[0] + "!"
OTHER = open("secret")

class Base:
    pass

class Middle(Base):
    pass

class Task(Middle, Unknown):
    pass
"""


def test_plain_data_is_read_and_anything_else_is_left_out() -> None:
    assert plain_data(ast.parse(MODULE).body, {"K": 1}) == {"K": 1, "NAMES": ["a", "b"], "FIRST": "a!"}


def test_a_class_comes_after_its_bases() -> None:
    tree = ast.parse(MODULE)
    index = ClassIndex.of({Path("a.py"): tree})
    family = list(index.family(index.classes["Task"].node))
    assert [each.node.name for each in family] == ["Base", "Middle", "Task"]
    assert family[-1].known["FIRST"] == "a!"


def test_classes_that_inherit_from_each_other_end() -> None:
    index = ClassIndex.of({Path("a.py"): ast.parse("class A(B): pass\nclass B(A): pass\n")})
    assert [each.node.name for each in index.family(index.classes["A"].node)][-1] == "A"
