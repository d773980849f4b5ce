"""Find the template that renders to given prompts, in which question and options are marks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from phraseproof.instructions.importers.parsing.parse_result import unreadable
from phraseproof.instructions.template import literal, quoted
from phraseproof.templates.filters import enumerate_options, letter_of, roman_of

QUESTION = "\ue000q\ue001"
"""The mark that replaces the example's question."""
_MARK = re.compile("\ue000(q|[0-9]+)\ue001")
_LABELS: Mapping[str, Callable[[int], str]] = {
    "letter": letter_of,
    "lower": lambda index: letter_of(index).lower(),
    "number": lambda index: str(index + 1),
    "roman": lambda index: roman_of(index + 1),
}


def option_mark(index: int) -> str:
    """The mark that replaces option `index`."""
    return f"\ue000{index}\ue001"


class _Form(NamedTuple):
    """The text before the options, the form of one option, the separators, and the text after the options."""

    before: str
    form: str
    separator: str
    last: str | None
    after: str


def template_of(texts: Mapping[int, str]) -> str:
    """Find the template that renders to these texts.

    Args:
        texts: for each number of options, a prompt with marks in place of the question and the options.

    Raises:
        UnrepresentableError: the prompts differ in more than their options, or never show the question.
    """
    most = max(texts)
    if any(QUESTION not in text for text in texts.values()):
        unreadable("it shows nothing of the example")
    marks = [int(mark) for mark in _MARK.findall(texts[most]) if mark != "q"]
    if marks == list(range(most)) and most > 1:
        for label in (*_LABELS, None):
            form = _form(texts[most], most, label)
            if form is not None and all(_fill(form, number) == text for number, text in texts.items()):
                return _template(form)
    if len(texts) == 1 or len(set(texts.values())) == 1:
        return _filled(texts[most])
    return unreadable("the form of its options depends on their number")


def _form(text: str, number: int, label: str | None) -> _Form | None:
    """The form of the options, if all options after the first have the same form apart from their labels."""
    segments = re.split("|".join(re.escape(option_mark(index)) for index in range(number)), text)
    between = [_labelled(segment, label, index) for index, segment in enumerate(segments[1:-1], start=1)]
    first = _labelled(segments[0], label, 0)
    if first is None or any(each is None for each in between) or not between[0]:
        return None
    others = [each for each in between if each is not None]
    usual, final = others[0], others[-1]
    if any(each != usual for each in others[:-1]):
        return None
    common = _common_end(first, usual)
    if label is not None and f"{{{label}}}" not in common:
        return None
    form = _escaped_but(common, label) + "{choice}"
    separator = usual[: len(usual) - len(common)]
    last = None
    if final != usual:
        if not final.endswith(common):
            return None
        last = final[: len(final) - len(common)]
    if "\ue000" in form + separator + (last or ""):
        return None  # the question is among the options
    return _Form(first[: len(first) - len(common)], form, separator, last, segments[-1])


def _labelled(segment: str, label: str | None, index: int) -> str | None:
    """A text with its last label exchanged for the label's placeholder."""
    if label is None:
        return segment
    written = _LABELS[label](index)
    place = segment.rfind(written)
    return None if place < 0 else segment[:place] + f"{{{label}}}" + segment[place + len(written) :]


def _common_end(first: str, second: str) -> str:
    length = 0
    while length < min(len(first), len(second)) and first[-1 - length] == second[-1 - length]:
        length += 1
    common = first[len(first) - length :]
    # White space or a comma between options belongs to the separator, even if it also precedes the first option.
    mark = _MARK.search(common)
    return common[mark.end() :] if mark else common


def _escaped_but(text: str, label: str | None) -> str:
    placeholder = f"{{{label}}}"
    parts = text.split(placeholder) if label is not None else [text]
    return placeholder.join(part.replace("{", "{{").replace("}", "}}") for part in parts)


def _fill(form: _Form, number: int) -> str:
    options = [option_mark(index) for index in range(number)]
    return form.before + enumerate_options(options, form.form, separator=form.separator, last=form.last) + form.after


def _template(form: _Form) -> str:
    last = "" if form.last is None else f", last={quoted(form.last)}"
    options = f"{{{{ choices | enumerate({quoted(form.form)}, separator={quoted(form.separator)}{last}) }}}}"
    return _filled(form.before) + options + _filled(form.after)


def _filled(text: str) -> str:
    """A text with marks as a template."""
    written: list[str] = []
    end = 0
    for mark in _MARK.finditer(text):
        written.append(literal(text[end : mark.start()]))
        written.append("{{ question }}" if mark.group(1) == "q" else f"{{{{ choices[{mark.group(1)}] }}}}")
        end = mark.end()
    return "".join([*written, literal(text[end:])])
