"""The part of Python that python_text.py interprets: expressions, comparisons and methods."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import NamedTuple

from jinja2.exceptions import SecurityError

from phraseproof.instructions.importers.parsing.python_values import Value

_TEXT_METHODS = frozenset(
    (
        *("join", "replace", "split", "strip", "lstrip", "rstrip", "lower", "upper", "capitalize", "title", "index"),
        *("startswith", "endswith", "format", "find", "count"),
    )
)
_LIST_METHODS = frozenset(("index", "append", "copy", "count"))
_DICT_METHODS = frozenset(("get", "items", "keys", "pop", "values"))
METHODS: Mapping[type, frozenset[str]] = {str: _TEXT_METHODS, list: _LIST_METHODS, dict: _DICT_METHODS}
COMPARE: Mapping[type[ast.cmpop], Callable[[Value, Value], Value]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
FAILURES = (
    SecurityError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    OverflowError,
)
EXPRESSIONS: Mapping[type[ast.expr], str] = {
    ast.Constant: "_constant",
    ast.Name: "_name",
    ast.JoinedStr: "_f_string",
    ast.FormattedValue: "_f_string",
    ast.List: "_collection",
    ast.Tuple: "_collection",
    ast.Dict: "_collection",
    ast.BinOp: "_binary",
    ast.UnaryOp: "_unary",
    ast.BoolOp: "_boolean",
    ast.Compare: "_comparison",
    ast.IfExp: "_either",
    ast.Subscript: "_item",
    ast.Attribute: "_own",
    ast.Lambda: "_lambda",
    ast.ListComp: "_comprehension",
    ast.GeneratorExp: "_comprehension",
    ast.Call: "_call",
}
"""The method of `Texts` that evaluates each kind of expression."""


class Function(NamedTuple):
    """A method or a lambda, with the names that it sees."""

    node: ast.FunctionDef | ast.Lambda
    seen: Mapping[str, Value]
