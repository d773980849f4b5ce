"""Interpret the syntax tree of a Python function that builds a text, without running Python.

The interpreter knows what such functions use: texts, lists, f-strings, `format`, `join`, loops over options,
conditions, and methods of the same class. It imports nothing, sees no names outside the function's class and the plain
data of its module, looks up listed attributes only, and stops after a fixed number of steps. The rest is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError, unreadable
from phraseproof.instructions.importers.parsing.python_language import COMPARE, EXPRESSIONS, FAILURES, METHODS, Function
from phraseproof.instructions.importers.parsing.python_values import (
    FUNCTIONS,
    MAX_STEPS,
    NOT_UNDERSTOOD,
    Value,
    added,
    bounded,
    flat,
    is_scalar,
    items,
    scalar,
    text_method,
    text_of,
)

_MAX_DEPTH = 20


class _ReturnError(Exception):
    """A `return` statement was reached."""

    def __init__(self, value: Value) -> None:
        self.value = value
        super().__init__()


@dataclass(slots=True)
class Texts:
    """A class whose methods make texts.

    Attributes:
        methods: its methods, including those of its bases.
        known: the plain data of its module, by name.
        attributes: the attributes of `self`; methods may add some.
    """

    methods: Mapping[str, ast.FunctionDef]
    known: Mapping[str, Value]
    attributes: dict[str, Value] = field(default_factory=dict[str, Value])
    _steps: int = 0
    _depth: int = 0

    def call(self, name: str, *arguments: Value) -> Value:
        """Call a method.

        Raises:
            UnrepresentableError: the method uses something that the interpreter does not know.
        """
        self._steps = 0
        self._depth = 0
        if name not in self.methods:
            unreadable("no function has this name", name)
        return self._guarded(Function(self.methods[name], {}), list(arguments), {})

    def evaluate(self, node: ast.expr, seen: Mapping[str, Value]) -> Value:
        """Evaluate an expression."""
        self._steps = 0
        try:
            return self._value(node, dict(seen))
        except FAILURES as error:
            raise UnrepresentableError(NOT_UNDERSTOOD, f"line {node.lineno}: {error}") from None

    def apply(self, function: Function, *arguments: Value) -> Value:
        """Call a function value (a bound method or a lambda)."""
        self._steps = 0
        self._depth = 0
        return self._guarded(function, list(arguments), {})

    def _guarded(self, function: Function, arguments: list[Value], named: dict[str, Value]) -> Value:
        try:
            return self._invoke(function, arguments, named)
        except FAILURES as error:
            raise UnrepresentableError(NOT_UNDERSTOOD, f"line {function.node.lineno}: {error}") from None

    def _invoke(self, function: Function, arguments: list[Value], named: dict[str, Value]) -> Value:
        if self._depth >= _MAX_DEPTH:
            unreadable(NOT_UNDERSTOOD, "functions call each other too deeply")
        node = function.node
        seen = dict(function.seen)
        parameters = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
        if parameters[:1] == ["self"]:
            parameters = parameters[1:]
        defaults = node.args.defaults
        for parameter, default in zip(parameters[len(parameters) - len(defaults) :], defaults, strict=True):
            seen[parameter] = self._value(default, seen)
        if len(arguments) > len(parameters) or node.args.vararg or node.args.kwarg or node.args.kwonlyargs:
            self._lost(node)
        seen |= dict(zip(parameters, arguments, strict=False)) | named
        if set(named) - set(parameters) or any(parameter not in seen for parameter in parameters):
            unreadable("it asks for fields that the task's examples lack", f"line {node.lineno}")
        self._depth += 1
        try:
            if isinstance(node, ast.Lambda):
                return self._value(node.body, seen)
            self._run(node.body, seen)
        except _ReturnError as result:
            return result.value
        finally:
            self._depth -= 1
        return None

    # ------------------------------------------------------------------------------------------------ statements

    def _run(self, body: Sequence[ast.stmt], seen: dict[str, Value]) -> None:
        for statement in body:
            self._step(statement)
            match statement:
                case ast.Return():
                    raise _ReturnError(None if statement.value is None else self._value(statement.value, seen))
                case ast.Assign():
                    value = self._value(statement.value, seen)
                    for target in statement.targets:
                        self._assign(target, value, seen)
                case ast.AugAssign(op=ast.Add()):
                    before = self._value(_loaded(statement.target), seen)
                    self._assign(statement.target, added(before, self._value(statement.value, seen)), seen)
                case ast.For(orelse=[]):
                    for item in items(self._value(statement.iter, seen)):
                        self._assign(statement.target, item, seen)
                        self._run(statement.body, seen)
                case ast.If():
                    self._run(statement.body if self._value(statement.test, seen) else statement.orelse, seen)
                case ast.Expr():
                    self._value(statement.value, seen)
                case ast.Try():
                    self._run(statement.body, seen)  # an exception that it would catch is refused instead
                case ast.Pass() | ast.Assert():
                    pass
                case _:
                    self._lost(statement)

    def _assign(self, target: ast.expr, value: Value, seen: dict[str, Value]) -> None:
        match target:
            case ast.Name():
                seen[target.id] = value
            case ast.Attribute(value=ast.Name(id="self")):
                self.attributes[target.attr] = value
            case ast.Subscript():
                self._value(target.value, seen)[self._index(target.slice, seen)] = value
            case ast.Tuple() | ast.List():
                values = list(items(value))
                if len(values) != len(target.elts):
                    unreadable("it takes the example's own text or options apart", f"line {target.lineno}")
                for each, item in zip(target.elts, values, strict=True):
                    self._assign(each, item, seen)
            case _:
                self._lost(target)

    # ----------------------------------------------------------------------------------------------- expressions

    def _value(self, node: ast.expr, seen: dict[str, Value]) -> Value:
        self._step(node)
        name = EXPRESSIONS.get(type(node))
        return self._lost(node) if name is None else getattr(self, name)(node, seen)

    def _constant(self, node: ast.Constant, _seen: dict[str, Value]) -> Value:
        return node.value if is_scalar(node.value) else self._lost(node)

    def _binary(self, node: ast.BinOp, seen: dict[str, Value]) -> Value:
        left, right = self._value(node.left, seen), self._value(node.right, seen)
        if isinstance(node.op, ast.Add):
            return added(left, right)
        return left - right if isinstance(node.op, ast.Sub) else self._lost(node)

    def _unary(self, node: ast.UnaryOp, seen: dict[str, Value]) -> Value:
        if isinstance(node.op, ast.Not):
            return not self._value(node.operand, seen)
        return -self._value(node.operand, seen) if isinstance(node.op, ast.USub) else self._lost(node)

    def _comparison(self, node: ast.Compare, seen: dict[str, Value]) -> Value:
        compare = COMPARE.get(type(node.ops[0])) if len(node.ops) == 1 else None
        sides = flat(self._value(node.left, seen)), flat(self._value(node.comparators[0], seen))
        return self._lost(node) if compare is None else compare(*sides)

    def _either(self, node: ast.IfExp, seen: dict[str, Value]) -> Value:
        return self._value(node.body if self._value(node.test, seen) else node.orelse, seen)

    def _item(self, node: ast.Subscript, seen: dict[str, Value]) -> Value:
        return self._value(node.value, seen)[self._index(node.slice, seen)]

    def _lambda(self, node: ast.Lambda, seen: dict[str, Value]) -> Function:
        return Function(node, seen)

    def _name(self, node: ast.Name, seen: Mapping[str, Value]) -> Value:
        if node.id in seen:
            return seen[node.id]
        return self.known[node.id] if node.id in self.known else self._lost(node)

    def _own(self, node: ast.Attribute, _seen: Mapping[str, Value]) -> Value:
        if not (isinstance(node.value, ast.Name) and node.value.id == "self"):
            self._lost(node)
        if node.attr in self.attributes:
            return self.attributes[node.attr]
        if node.attr in self.methods:
            return Function(self.methods[node.attr], {})
        return unreadable("it takes a part of its text from elsewhere", f"line {node.lineno}: self.{node.attr}")

    def _f_string(self, node: ast.JoinedStr | ast.FormattedValue, seen: dict[str, Value]) -> str:
        if isinstance(node, ast.JoinedStr):
            return bounded("".join(text_of(self._value(part, seen)) for part in node.values))
        if node.format_spec is not None or node.conversion != -1:
            self._lost(node)
        return text_of(self._value(node.value, seen))

    def _collection(self, node: ast.List | ast.Tuple | ast.Dict, seen: dict[str, Value]) -> Value:
        if isinstance(node, ast.Dict):
            if None in node.keys:
                self._lost(node)
            pairs = zip((key for key in node.keys if key is not None), node.values, strict=True)
            return {scalar(self._value(key, seen)): self._value(value, seen) for key, value in pairs}
        values = [self._value(each, seen) for each in node.elts]
        return tuple(values) if isinstance(node, ast.Tuple) else values

    def _boolean(self, node: ast.BoolOp, seen: dict[str, Value]) -> Value:
        value: Value = None
        for each in node.values:
            value = self._value(each, seen)
            if bool(value) is isinstance(node.op, ast.Or):
                break
        return value

    def _index(self, node: ast.expr, seen: dict[str, Value]) -> Value:
        if isinstance(node, ast.Slice):
            return slice(
                *(None if each is None else self._value(each, seen) for each in (node.lower, node.upper, node.step))
            )
        return scalar(self._value(node, seen))

    def _comprehension(self, node: ast.ListComp | ast.GeneratorExp, seen: dict[str, Value]) -> list[Value]:
        if len(node.generators) != 1 or node.generators[0].is_async:
            self._lost(node)
        generator = node.generators[0]
        values: list[Value] = []
        inner = dict(seen)
        for item in items(self._value(generator.iter, seen)):
            self._assign(generator.target, item, inner)
            if all(self._value(test, inner) for test in generator.ifs):
                values.append(self._value(node.elt, inner))
        return values

    def _call(self, node: ast.Call, seen: dict[str, Value]) -> Value:
        arguments: list[Value] = []
        for each in node.args:
            if isinstance(each, ast.Starred):
                arguments += items(self._value(each.value, seen))
            else:
                arguments.append(self._value(each, seen))
        named: dict[str, Value] = {}
        for keyword in node.keywords:
            value = self._value(keyword.value, seen)
            named |= value if keyword.arg is None else {keyword.arg: value}
        function = node.func
        if isinstance(function, ast.Name) and function.id in FUNCTIONS and function.id not in seen:
            return FUNCTIONS[function.id](*arguments, **named)
        if isinstance(function, ast.Attribute) and not (
            isinstance(function.value, ast.Name) and function.value.id == "self"
        ):
            return self._method(node, self._value(function.value, seen), function.attr, arguments, named)
        own = self._value(function, seen)
        return self._invoke(own, arguments, named) if isinstance(own, Function) else self._lost(node)

    def _method(
        self, node: ast.Call, owner: Value, name: str, arguments: list[Value], named: dict[str, Value]
    ) -> Value:
        if name not in METHODS.get(_type(owner), frozenset()):
            self._lost(node)
        if isinstance(owner, str):
            return text_method(owner, name, arguments, named)
        for argument in (*arguments, *named.values()):
            if name != "append":
                flat(argument)
        if name in {"index", "count"}:
            flat(owner)
        result: Value = getattr(owner, name)(*arguments, **named)
        return list(result) if name in {"items", "keys", "values"} else result

    def _step(self, node: ast.AST) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            unreadable(NOT_UNDERSTOOD, f"more than {MAX_STEPS} steps")
        del node

    def _lost(self, node: ast.AST) -> NoReturn:
        detail = f"line {getattr(node, 'lineno', '?')}: {ast.unparse(node)[:80]}"
        raise UnrepresentableError(NOT_UNDERSTOOD, detail)


def _type(value: object) -> type:
    return type(value)


def _loaded(target: ast.expr) -> ast.expr:
    """The same expression in a context that reads it."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    return target
