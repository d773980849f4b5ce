"""Compile templates once. A template with features that templates may not use is refused; rendering is bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple, cast

from jinja2 import Template, meta, nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError
from jinja2.visitor import NodeTransformer

from phraseproof.templates import filters
from phraseproof.templates.sandbox import ITEM_FILTER, LOOP_FILTER, OPERAND_FILTER, environment
from phraseproof.templates.work_budget import renew

COMPILE_ERRORS = (SyntaxError, RecursionError, MemoryError, OverflowError, ValueError)
"""What the compilation of a template raises, besides `TemplateSyntaxError`."""
RENDER_ERRORS = (
    *(TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError, MemoryError),
    AssertionError,  # by which Jinja's truncate refuses a length
)
"""What its rendering raises."""
MAX_SOURCE = 100_000
"""The maximum length of a template, in characters."""
MAX_LOOP_DEPTH = 2
"""The maximum depth of nested loops."""
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
    nodes.AssignBlock: "set",  # the text of a block would escape the bound on a prompt's length
}


class Compiled(NamedTuple):
    """A template ready to run.

    Attributes:
        run: renders the template to pieces of text, from the values of its names.
        names: all names that it looks up and does not define.
        optional: the names that may be undefined (`is defined`, `default`).
        label_words: the literal lists and mappings that it passes to `verbalise`.
        labels: the labels it gives options (`letter`, `lower`, `number`, `roman`), as far as the source shows.
    """

    run: Callable[[dict[str, object]], Iterable[str]]
    names: frozenset[str]
    optional: frozenset[str]
    label_words: tuple[object, ...]
    labels: frozenset[str]

    def text(self, values: dict[str, object]) -> str:
        """The text, from the values of its names.

        Raises:
            SecurityError: it is longer than `MAX_TEXT`, or needs more work than a template may.
            UndefinedError: a name has no value.
            RENDER_ERRORS: the template fails on these values.
        """
        pieces: list[str] = []
        length = 0
        for piece in self.run(values):
            length += len(piece)
            if length > filters.MAX_TEXT:
                raise SecurityError(f"the text is longer than {filters.MAX_TEXT} characters")
            pieces.append(piece)
        return "".join(pieces)


@lru_cache(maxsize=32768)
def compile_source(source: str) -> Compiled:
    """Compile one template.

    Raises:
        TemplateSyntaxError: not a template, or one with features that templates may not use.
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
    renew()  # Jinja computes constant expressions as it compiles
    code = env.compile(_Bounding().visit(tree))
    template = Template.from_code(env, code, {})

    def run(values: dict[str, object]) -> Iterable[str]:
        renew()
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
    """Raise for any node that is not on the list of allowed ones."""
    line = node.lineno or 1
    if not isinstance(node, _NODES) or type(node) not in _NODES:
        name = _STATEMENTS.get(type(node))
        what = (
            f"the statement {{% {name} %}}{' with a block' if name == 'set' else ''}"
            if name
            else f"'{type(node).__name__.lower()}'"
        )
        raise TemplateSyntaxError(f"{what} cannot be used in a template", line)
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        raise TemplateSyntaxError(f"access to attribute {node.attr!r} is forbidden", line)
    if isinstance(node, nodes.Name) and node.name in {"self", "super", "caller"}:
        raise TemplateSyntaxError(f"{node.name!r} cannot be used in a template", line)
    if isinstance(node, nodes.For):
        depth += 1
        if node.recursive:
            raise TemplateSyntaxError("a recursive loop cannot be used in a template", line)
        if depth > MAX_LOOP_DEPTH:
            raise TemplateSyntaxError(f"loops are nested more than {MAX_LOOP_DEPTH} deep", line)
    for child in node.iter_child_nodes():
        _refuse(child, depth=depth)


def _optional_names(tree: nodes.Template) -> Iterable[str]:
    for test in tree.find_all(nodes.Test):
        if test.name in {"defined", "undefined"} and isinstance(test.node, nodes.Name):
            yield test.node.name
    for item in tree.find_all(nodes.Filter):
        if item.name in {"default", "d"} and isinstance(item.node, nodes.Name):
            yield item.node.name


def _arguments(tree: nodes.Template, name: str, *default: object) -> Iterable[object]:
    """The first argument of every use of a filter, if it is literal; `default` if it is absent."""
    for item in tree.find_all(nodes.Filter):
        if item.name == name and not item.args:
            yield from default
        elif item.name == name:
            with suppress(nodes.Impossible):
                yield item.args[0].as_const()


class _Bounding(NodeTransformer):
    """Pass what Jinja's sandbox does not check through bounded filters: `~`, loops, comparisons, items of lists."""

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
        weight = sum(1 for _ in node.find_all(nodes.Node)) + 1
        self.generic_visit(node)
        node.iter = _filter(node.iter, LOOP_FILTER, node, nodes.Const(weight, lineno=node.lineno))
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 (named by Jinja's visitor)
        self.generic_visit(node)
        node.expr = _filter(node.expr, OPERAND_FILTER, node)
        for operand in node.ops:
            operand.expr = _filter(operand.expr, OPERAND_FILTER, node)
        return node


def _item(node: nodes.Expr) -> nodes.Expr:
    """Check at run time that an item is not a list. The template's own length bounds literal items."""
    if isinstance(node, nodes.Const | nodes.List | nodes.Tuple | nodes.Dict):
        return node
    return _filter(node, ITEM_FILTER, node)


def _filter(value: nodes.Node, name: str, place: nodes.Node, *arguments: nodes.Expr) -> nodes.Filter:
    made = nodes.Filter(cast(nodes.Expr, value), name, list(arguments), [], None, None, lineno=place.lineno)
    made.set_environment(environment())
    return made
