from __future__ import annotations

import ast

import pytest

from phraseproof.instructions.importers.parsing.python_language import COMPARE, EXPRESSIONS, METHODS
from phraseproof.instructions.importers.parsing.python_text import Texts


def test_every_expression_has_a_method_that_evaluates_it() -> None:
    assert all(callable(getattr(Texts, name)) for name in EXPRESSIONS.values())


@pytest.mark.parametrize("kind", [ast.Await, ast.Yield, ast.NamedExpr, ast.SetComp, ast.DictComp])
def test_other_expressions_are_not_understood(kind: type[ast.expr]) -> None:
    assert kind not in EXPRESSIONS


def test_methods_exist_and_are_public() -> None:
    for owner, names in METHODS.items():
        assert all(hasattr(owner, name) and not name.startswith("_") for name in names)


def test_comparisons_are_pythons() -> None:
    assert COMPARE[ast.In](1, [1, 2])
    assert COMPARE[ast.NotIn](3, [1, 2])
    assert COMPARE[ast.LtE](1, 1)
