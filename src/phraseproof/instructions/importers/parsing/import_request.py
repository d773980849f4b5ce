"""The options of an import, besides the source and its path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from jinja2 import nodes

from phraseproof.core import Instruction
from phraseproof.errors import InstructionError
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError
from phraseproof.instructions.template import compile_instruction
from phraseproof.templates.sandbox import environment

_FUNCTIONS = frozenset(("range",))
_NOT_ALLOWED = "it uses a forbidden feature"


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Which wordings are imported, and under which names.

    Attributes:
        name: the collection's name, instead of the source's own.
        serves: the tasks that the wordings serve, instead of their data set.
        only: a pattern (`*`, `?`) that ids must match.
        fields: the source's name of a field -> the user's.
        layout: the layout for wordings that are only an ask.
    """

    name: str | None = None
    serves: tuple[str, ...] = ()
    only: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    layout: str | None = None

    def wants(self, identifier: str) -> bool:
        """Whether a wording with this id is requested."""
        return self.only is None or fnmatchcase(identifier, self.only)

    def finished(self, wording: Instruction, *, source: str | None = None) -> Instruction:
        """Apply the request to a wording, and check that a collection can hold it.

        Raises:
            UnrepresentableError: it uses something that wordings may not use.
        """
        finished = replace(
            wording,
            collection=self.name or wording.collection,
            serves=self.serves or wording.serves,
            source=source or wording.source,
        )
        # A collection is compiled when it is loaded; a wording that fails there would make the whole file unusable.
        try:
            compile_instruction(finished)
        except InstructionError as error:
            detail = error.problem.removeprefix("not a valid template: ")
            raise UnrepresentableError(_NOT_ALLOWED, detail) from None
        for part in (finished.ask, finished.layout, finished.template, finished.answer):
            _require_own_functions(part)
        return finished


def _require_own_functions(source: str | None) -> None:
    """Refuse functions of other programs: the name of an unknown function would otherwise be read as a field."""
    if source is None or "(" not in source:
        return
    for call in environment().parse(source).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name not in _FUNCTIONS:
            raise UnrepresentableError(_NOT_ALLOWED, f"the function {call.node.name}()")
