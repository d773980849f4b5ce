"""Where templates run: Jinja's immutable sandbox, made narrower, because collections come from strangers.

A wording is data, not a program. What it may use is listed here rather than what it may not: statements, filters, tests
and the few methods of texts, lists and mappings. Everything is bounded: loops, texts, lists and numbers. What is left
cannot reach Python's objects, cannot change what it is given, gives the same text every time, and ends.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sized
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple, cast

from jinja2 import StrictUndefined, Template, Undefined, meta, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.visitor import NodeTransformer

from phraseproof.instructions import filters

MAX_SOURCE = 100_000
"""The longest template, in characters."""
MAX_LOOP = 1_000
"""The most rounds of one loop."""
MAX_LOOP_DEPTH = 2
"""How deep loops may stand in loops."""
MAX_NUMBER = 10**12
"""The largest number a multiplication or a power may work with or give."""

# Names under which parts of the language are filters; no template can spell them.
_LOOP_FILTER = "for"
_ITEM_FILTER = "[]"

_NODES: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign),
    *(nodes.Name, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr),
    *(nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Slice, nodes.Concat, nodes.Compare),
    *(nodes.Operand, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos),
)

_STATEMENTS: Mapping[type[nodes.Node], str] = {
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.With: "with",
    nodes.AssignBlock: "set",  # a block would build its text out of sight of the bound on a prompt's length
}

_TESTS = (
    *("defined", "undefined", "none", "true", "false", "boolean", "number", "integer", "float", "string", "mapping"),
    *("sequence", "iterable", "odd", "even", "divisibleby", "lower", "upper", "in", "equalto", "eq", "==", "ne", "!="),
    *("greaterthan", "gt", ">", "ge", ">=", "lessthan", "lt", "<", "le", "<="),
)

_TEXT_METHODS = (
    *("capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdigit", "islower"),
    *("isspace", "istitle", "isupper", "join", "lower", "lstrip", "partition", "removeprefix", "removesuffix"),
    *("replace", "rfind", "rindex", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip"),
    *("swapcase", "title", "upper"),
)
_LOOP_ATTRIBUTES = (
    *("changed", "cycle", "depth", "depth0", "first", "index", "index0", "last", "length", "nextitem", "previtem"),
    *("revindex", "revindex0"),
)

_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(_TEXT_METHODS),
    dict: frozenset(("get", "items", "keys", "values")),
    list: frozenset(("count", "index")),
    tuple: frozenset(("count", "index")),
    LoopContext: frozenset(_LOOP_ATTRIBUTES),
}


def bounded_range(*bounds: int) -> range:
    """`range`, refusing more than `MAX_LOOP` numbers."""
    numbers = range(*bounds)
    if len(numbers) > MAX_LOOP:
        raise SecurityError(f"range of {len(numbers)} numbers, more than {MAX_LOOP}")
    return numbers


class WordingEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's immutable sandbox with lists of what is allowed in place of lists of what is not."""

    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            keep_trailing_newline=True,
            autoescape=False,
            finalize=filters.finite,
            loader=None,
            cache_size=0,
        )
        self.globals = {"range": bounded_range}
        self.filters = {
            **filters.KNOWN_FILTERS,
            filters.CONCATENATE: filters.join,
            _LOOP_FILTER: _bounded_loop,
            _ITEM_FILTER: filters.single,
        }
        self.tests = {name: TESTS[name] for name in _TESTS}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether `obj.attr` is one of the few listed methods."""
        del value
        return attr in _methods(obj)

    def is_safe_callable(self, obj: Any) -> bool:
        """Whether `obj` is `range` or one of the few listed methods."""
        if obj is bounded_range:
            return True
        if isinstance(obj, types.BuiltinMethodType | types.MethodType):
            return obj.__name__ in _methods(obj.__self__)
        return False

    def wrap_str_format(self, value: Any) -> None:
        """No format method is offered, so none needs wrapping; `is_safe_attribute` refuses them by name."""
        del value

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a listed method, those that can multiply a text through their bounded twins."""
        if isinstance(obj, Undefined):
            return obj()  # raises what was wrong when it was looked up
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str) and obj.__name__ == "replace":
            return filters.replace(owner, *args, **kwargs)
        if isinstance(owner, str) and obj.__name__ == "join":
            return filters.join(*args, separator=owner, **kwargs)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Do `+`, `*`, `**` or `%` within bounds."""
        sizes = [_size(cast(Sized, side)) for side in (left, right) if isinstance(side, str | list | tuple)]
        if sizes and operator == "%":
            raise SecurityError("the operator % does not format text here; write the value where it belongs")
        if sizes and operator == "+":
            filters.bounded(sum(sizes))
        elif sizes and operator == "*":
            times = right if isinstance(right, int) else left
            filters.bounded(sizes[0] * times if isinstance(times, int) else 0)
        elif operator == "**" and isinstance(left, int | float) and isinstance(right, int | float):
            _bounded_power(left, right)
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and abs(result) > MAX_NUMBER:
            raise SecurityError(f"a number beyond {MAX_NUMBER}")
        return result


def _methods(obj: object) -> frozenset[str]:
    return _METHODS.get(type(obj), frozenset())


def _size(value: Sized) -> int:
    return len(value)


def _bounded_power(base: float, exponent: float) -> None:
    if abs(exponent) > 40 or abs(base) > MAX_NUMBER:
        raise SecurityError(f"a power beyond {MAX_NUMBER}")


def _bounded_loop(values: Iterable[Any]) -> list[Any]:
    taken = list(islice(values, MAX_LOOP + 1))
    if len(taken) > MAX_LOOP:
        raise SecurityError(f"a loop of more than {MAX_LOOP} rounds")
    return taken


class Compiled(NamedTuple):
    """A template ready to run.

    Attributes:
        run: gives the template's pieces of text for what it sees.
        names: all names it looks up outside itself.
        optional: those of them that it can do without (`is defined`, `default`).
        label_words: the literal lists and mappings that it hands to `verbalise`.
        labels: the labels it gives options (`letter`, `lower`, `number`, `roman`), as far as its text shows.
    """

    run: Callable[[dict[str, Any]], Iterable[str]]
    names: frozenset[str]
    optional: frozenset[str]
    label_words: tuple[Any, ...]
    labels: frozenset[str]


@lru_cache(maxsize=1)
def environment() -> WordingEnvironment:
    """The one environment of all wordings; it holds no state."""
    return WordingEnvironment()


@lru_cache(maxsize=8192)
def compile_source(source: str) -> Compiled:
    """Compile one template.

    Raises:
        TemplateSyntaxError: not a template, or one that uses what a wording may not.
        SyntaxError, RecursionError, MemoryError: nested more deeply than Python can follow.
    """
    if len(source) > MAX_SOURCE:
        raise TemplateSyntaxError(f"the template is longer than {MAX_SOURCE} characters", 1)
    env = environment()
    tree = env.parse(source)
    _refuse(tree, depth=0)
    names = frozenset(meta.find_undeclared_variables(tree))
    optional = frozenset(_optional_names(tree)) & names
    label_words = tuple(_arguments(tree, "verbalise"))
    labels = _labels(tree) | ({"letter"} if "letters" in names else set[str]())
    code = env.compile(_Bounding().visit(tree))
    template = Template.from_code(env, code, {})

    def run(values: dict[str, Any]) -> Iterable[str]:
        return template.root_render_func(template.new_context(values, shared=True))

    return Compiled(run, names, optional, label_words, labels)


@lru_cache(maxsize=8192)
def labels_of(source: str) -> frozenset[str]:
    """The labels that a template gives options, as `Compiled.labels`, without compiling it.

    Raises:
        TemplateSyntaxError: not a template.
    """
    tree = environment().parse(source)
    return _labels(tree) | ({"letter"} if "letters" in meta.find_undeclared_variables(tree) else set[str]())


def _labels(tree: nodes.Template) -> frozenset[str]:
    return frozenset(name for form in _arguments(tree, "enumerate", "{letter}") for name in filters.labels_in(form))


def _refuse(node: nodes.Node, *, depth: int) -> None:
    """Raise for anything in the tree that is not on the list of what a wording may use."""
    line = node.lineno or 1
    if not isinstance(node, _NODES) or type(node) not in _NODES:
        name = _STATEMENTS.get(type(node))
        what = (
            f"the statement {{% {name} %}}{' with a block' if name == 'set' else ''}"
            if name
            else f"'{type(node).__name__.lower()}'"
        )
        raise TemplateSyntaxError(f"{what} cannot be used in a wording", line)
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        raise TemplateSyntaxError(f"access to attribute {node.attr!r} is forbidden", line)
    if isinstance(node, nodes.Name) and node.name in {"self", "super", "caller"}:
        raise TemplateSyntaxError(f"{node.name!r} cannot be used in a wording", line)
    if isinstance(node, nodes.For):
        depth += 1
        if node.recursive:
            raise TemplateSyntaxError("a recursive loop cannot be used in a wording", line)
        if depth > MAX_LOOP_DEPTH:
            raise TemplateSyntaxError(f"loops stand more than {MAX_LOOP_DEPTH} deep in each other", line)
    for child in node.iter_child_nodes():
        _refuse(child, depth=depth)


def _optional_names(tree: nodes.Template) -> Iterable[str]:
    for test in tree.find_all(nodes.Test):
        if test.name in {"defined", "undefined"} and isinstance(test.node, nodes.Name):
            yield test.node.name
    for item in tree.find_all(nodes.Filter):
        if item.name in {"default", "d"} and isinstance(item.node, nodes.Name):
            yield item.node.name


def _arguments(tree: nodes.Template, name: str, *default: Any) -> Iterable[Any]:
    """The first argument of every use of a filter, where it is literal; `default` where it is left out."""
    for item in tree.find_all(nodes.Filter):
        if item.name == name and not item.args:
            yield from default
        elif item.name == name:
            with suppress(nodes.Impossible):
                yield item.args[0].as_const()


class _Bounding(NodeTransformer):
    """Sends what Jinja's sandbox does not watch through bounded filters: `~`, rounds of loops, items of lists."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 (named by Jinja's visitor)
        self.generic_visit(node)
        operands = nodes.List(node.nodes, lineno=node.lineno)
        return _filter(operands, filters.CONCATENATE, node)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802 (named by Jinja's visitor)
        self.generic_visit(node)
        node.items = [_item(item) for item in node.items]
        return node

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802 (named by Jinja's visitor)
        self.generic_visit(node)
        if node.ctx == "load":
            node.items = [_item(item) for item in node.items]
        return node

    def visit_Pair(self, node: nodes.Pair) -> nodes.Node:  # noqa: N802 (named by Jinja's visitor)
        self.generic_visit(node)
        node.value = _item(node.value)
        return node

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 (named by Jinja's visitor)
        self.generic_visit(node)
        node.iter = _filter(node.iter, _LOOP_FILTER, node)
        return node


def _item(node: nodes.Expr) -> nodes.Expr:
    """An item that is not written out passes a check that it is no list; those written out end with the template."""
    if isinstance(node, nodes.Const | nodes.List | nodes.Tuple | nodes.Dict):
        return node
    return _filter(node, _ITEM_FILTER, node)


def _filter(value: nodes.Node, name: str, place: nodes.Node) -> nodes.Filter:
    made = nodes.Filter(cast(nodes.Expr, value), name, [], [], None, None, lineno=place.lineno)
    made.set_environment(environment())
    return made
