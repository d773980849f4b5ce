"""What a user asks of an import, beyond the source and its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from jinja2 import nodes

from phraseproof.core import Instruction
from phraseproof.errors import InstructionError
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError
from phraseproof.instructions.sandbox import environment
from phraseproof.instructions.template import compile_instruction

_FUNCTIONS = frozenset(("range",))
_NOT_ALLOWED = "it uses what a wording may not"


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """How imported wordings are to be named and served.

    Attributes:
        name: the collection's name, in place of the source's own.
        serves: what the wordings are for, in place of their data set.
        only: a pattern (`*`, `?`) that ids must fit.
        fields: the source's name of a field -> the user's.
        layout: how the example is laid out under wordings that are an ask alone.
    """

    name: str | None = None
    serves: tuple[str, ...] = ()
    only: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    layout: str | None = None

    def wants(self, identifier: str) -> bool:
        """Whether a wording of this id is asked for."""
        return self.only is None or fnmatchcase(identifier, self.only)

    def finished(self, wording: Instruction, *, source: str | None = None) -> Instruction:
        """The wording as the user wants it.

        Raises:
            UnrepresentableError: it is not a wording that our language allows.
        """
        finished = replace(
            wording,
            collection=self.name or wording.collection,
            serves=self.serves or wording.serves,
            source=source or wording.source,
        )
        try:
            compile_instruction(finished)
        except InstructionError as error:
            detail = error.problem.removeprefix("not a valid template: ")
            raise UnrepresentableError(_NOT_ALLOWED, detail) from None
        for part in (finished.ask, finished.layout, finished.template, finished.answer):
            _require_own_functions(part)
        return finished


def _require_own_functions(source: str | None) -> None:
    """Refuse functions of other programs: a name that is called would else be taken for a field."""
    if source is None or "(" not in source:
        return
    for call in environment().parse(source).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name not in _FUNCTIONS:
            raise UnrepresentableError(_NOT_ALLOWED, f"the function {call.node.name}()")
