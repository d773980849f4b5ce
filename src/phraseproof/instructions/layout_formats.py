"""Formats of a layout: the same words with other labels, separators, line breaks and option enumerators.

The space of formats is that of FormatSpread (Sclar et al., 2023, arXiv 2310.11324): the words stay; the case of labels,
the text between a label and its value, the space between lines and the enumeration of options change.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from jinja2 import nodes

from phraseproof.core import Instruction
from phraseproof.instructions.template import compile_instruction, quoted
from phraseproof.instructions.template_segments import TemplateSegment, prose, segments, source_of
from phraseproof.templates.compiled_template import labels_of
from phraseproof.templates.filters import labels_in
from phraseproof.templates.sandbox import environment


class LayoutFormat(NamedTuple):
    """One way to write a layout; `None` leaves a part as it is.

    Attributes:
        case: of labels: `upper`, `lower` or `title`.
        separator: between a label and its text.
        lines: between lines.
        enumerator: how an option is enumerated, a form of `enumerate`.
        between_options: between two options.
    """

    case: str | None = None
    separator: str | None = None
    lines: str | None = None
    enumerator: str | None = None
    between_options: str | None = None

    def __str__(self) -> str:
        return ", ".join(f"{name} {value!r}" for name, value in self._asdict().items() if value is not None)


CASES = (None, "upper", "lower", "title")
SEPARATORS = (None, ": ", " : ", " - ", ":\n", " = ", " ")
LINES = (None, "\n", "\n\n", " ", " | ")
ENUMERATORS = (
    None,
    *(f"{form} {{choice}}" for form in ("{label}.", "({label})", "{label})", "[{label}]", "<{label}>")),
)
BETWEEN_OPTIONS = (None, "\n", "\n\n", "; ", " ", " || ")
LABELS = ("letter", "lower", "number")
"""Labels that options may be given; a wording that speaks of letters or numbers keeps the ones it has."""
_ANSWER_BY_LABEL = {"letter": "{{ letter }}", "lower": "{{ letter | lower }}", "number": "{{ index + 1 }}"}
_LABEL = re.compile(r"(?:^|(?<=\n))(?P<label>[A-Za-z]+(?: [A-Za-z]+){0,2})(?P<separator>\s*[:=]\s*|\s+-\s+)$")
"""A label at the end of a run of prose, on a separate line: `Question: ` before a field, `Answer:` at the end."""
_WORDS_IN_FORM = re.compile(r"[^\W\d_]+(?![^{]*\})")
_SPEAKS_OF_LABELS = re.compile(
    r"\b(?:letters?|numbers?|digits?|capitals?)\b|(?-i:\b[A-Z])(?:\s*[,/]\s*|\s+or\s+|\s+and\s+)(?-i:[A-Z])\b",
    re.IGNORECASE,
)


def variants_of(wording: Instruction, count: int, draw: random.Random) -> list[tuple[Instruction, LayoutFormat]]:
    parts = (CASES, SEPARATORS, LINES, _enumerators(wording), BETWEEN_OPTIONS)
    values_of_parts = [
        _effective_values(wording, name, values) for name, values in zip(LayoutFormat._fields, parts, strict=True)
    ]
    styles = list(product(*values_of_parts))
    draw.shuffle(styles)
    seen = {_layout(wording)}
    found: list[tuple[Instruction, LayoutFormat]] = []
    for values in styles:
        style = LayoutFormat(*values)
        variant = restyle(wording, style)
        if _layout(variant) not in seen:
            seen.add(_layout(variant))
            found.append((variant, _effective(wording, style)))
            if len(found) == count:
                break
    return found


def _effective_values(wording: Instruction, name: str, values: Sequence[str | None]) -> list[str | None]:
    """The values of one part of a style that change a wording, and None (no change)."""
    found: dict[tuple[str | None, ...], str | None] = {_layout(wording): None}
    for value in values:
        found.setdefault(_layout(restyle(wording, LayoutFormat()._replace(**{name: value}))), value)
    return list(found.values())


def _effective(wording: Instruction, style: LayoutFormat) -> LayoutFormat:
    """The parts of a style that change this wording, for the provenance of the variant."""
    for name in LayoutFormat._fields:
        without = style._replace(**{name: None})
        if _layout(restyle(wording, without)) == _layout(restyle(wording, style)):
            style = without
    return style


def _layout(wording: Instruction) -> tuple[str | None, ...]:
    return (wording.layout, wording.template, wording.separator, wording.answer)


def _enumerators(wording: Instruction) -> list[str | None]:
    labels = _labels(wording)
    if len(labels) != 1 or not labels <= _ANSWER_BY_LABEL.keys():
        return [None]
    label = min(labels)
    own = _ANSWER_BY_LABEL[label]
    words = " ".join(prose(part) for part in (wording.ask, wording.layout, wording.template) if part)
    names = frozenset[str]().union(*compile_instruction(wording).names_by_part.values())
    # Labels may change only if nothing else refers to them: no other answers, no loop over `letters`, no words.
    labels_may_change = wording.answer == own and "letters" not in names and not _SPEAKS_OF_LABELS.search(words)
    return [
        None if form is None else form.replace("{label}", f"{{{name}}}")
        for name in (LABELS if labels_may_change else (label,))
        for form in ENUMERATORS
    ]


@lru_cache(maxsize=64)
def _segments(source: str) -> tuple[TemplateSegment, ...]:
    return tuple(segments(source))  # cached: one wording is restyled dozens of times


def restyle(wording: Instruction, style: LayoutFormat) -> Instruction:
    """A wording in another format. The words of its ask, its placeholders and their order stay unchanged."""
    part = "layout" if wording.layout is not None else "template"
    source: str | None = getattr(wording, part)
    if source is None:
        return wording
    found = _segments(source)
    parts = [
        _restyled(segment, style, starts=index == 0, ends=index == len(found) - 1)
        for index, segment in enumerate(found)
    ]
    if part == "template":
        return _with_fitting_answer(replace(wording, template=source_of(parts)), wording, style)
    separator = wording.separator if style.lines is None else style.lines
    return _with_fitting_answer(replace(wording, layout=source_of(parts), separator=separator), wording, style)


def _with_fitting_answer(variant: Instruction, seed: Instruction, style: LayoutFormat) -> Instruction:
    """Let the answers follow the labels of the options."""
    if style.enumerator is None:
        return variant
    before, after = _labels(seed), _labels(variant)
    if before == after or len(after) != 1:
        return variant
    return replace(variant, answer=_ANSWER_BY_LABEL[min(after)])


def _labels(wording: Instruction) -> frozenset[str]:
    parts = (wording.ask, wording.layout, wording.template)
    return frozenset[str]().union(*(labels_of(part) for part in parts if part is not None))


def _restyled(segment: TemplateSegment, style: LayoutFormat, *, starts: bool, ends: bool) -> TemplateSegment:
    if segment.kind == "variable":
        return TemplateSegment(_enumerated(segment.text, style), "variable")
    if not segment.is_prose:
        return segment
    text, label = segment.text, ""
    match = _LABEL.search(text)
    if match and (starts or match.start() > 0):  # after a field, such a text continues the field's line
        separator = match.group("separator") if style.separator is None else style.separator
        if ends:  # the text before the answer is the target delimiter, not the layout
            separator = separator.rstrip() if separator.strip() else match.group("separator")
        text, label = text[: match.start()], _cased(match.group("label"), style.case) + separator
    if style.lines is not None:
        text = re.sub(r"\n+", lambda _: style.lines or "", text)
    return TemplateSegment(text + label, "prose")


def _cased(label: str, case: str | None) -> str:
    return label if case is None else {"upper": label.upper(), "lower": label.lower(), "title": label.title()}[case]


def _enumerated(code: str, style: LayoutFormat) -> str:
    """`{{ choices | enumerate(...) }}` with another form or separator; other code unchanged."""
    if style.enumerator is None and style.between_options is None:
        return code
    return _reenumerated(code, style.enumerator, style.between_options)


@lru_cache(maxsize=1024)
def _reenumerated(code: str, enumerator: str | None, between_options: str | None) -> str:
    body = environment().parse(code).body
    output = body[0].nodes[0] if len(body) == 1 and isinstance(body[0], nodes.Output) and body[0].nodes else None
    if not isinstance(output, nodes.Filter) or output.name != "enumerate" or output.dyn_args or output.dyn_kwargs:
        return code
    if not isinstance(output.node, nodes.Name) or output.node.name != "choices":
        return code
    try:
        given: dict[str, object] = {str(item.key): item.value.as_const() for item in output.kwargs}
        if output.args:
            given["form"] = output.args[0].as_const()
    except nodes.Impossible:
        return code
    # Forms and separators that contain words ("or", "Option A") are part of the wording and do not change.
    form = str(given.pop("form", "{letter}. {choice}"))
    labels = labels_in(form)
    if enumerator is not None and labels and not _WORDS_IN_FORM.search(form):
        form = enumerator
    worded = "last" in given or any(character.isalpha() for character in str(given.get("separator", "")))
    if between_options is not None and labels and not worded:
        given["separator"] = between_options
    extra = "".join(f", {name}={quoted(str(value))}" for name, value in given.items())
    return f"{{{{ choices | enumerate({quoted(form)}{extra}) }}}}"
