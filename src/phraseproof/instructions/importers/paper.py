"""Import the paper's released wordings: one JSON object per line, with `{question}` and a form for options.

The name of a wording gives its collection: `flan` (Flan-2022, from its P3-like and Natural-Instructions parts),
`alpaca`, `p3` (which T0 was tuned on); for wordings that no model was tuned on `paper-unobserved`, `paper-designer`
and, for the closer look of section 4.5, `paper-closest`, `paper-incorrect`, `paper-negated`, `paper-nonsensical`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from phraseproof.core import Instruction, Relation
from phraseproof.errors import FileError
from phraseproof.files import parse_json
from phraseproof.instructions.importers.parsing import placeholders
from phraseproof.instructions.importers.parsing.import_request import ImportRequest
from phraseproof.instructions.importers.parsing.parse_result import (
    ParseResult,
    UnrepresentableError,
    listed,
    unreadable,
)
from phraseproof.instructions.importers.parsing.source_files import each_read, files_of
from phraseproof.instructions.template import quoted
from phraseproof.templates.filters import letter_of
from phraseproof.yaml_document import read_text

LICENCE = "none stated (InstructionEval)"

_OBSERVED = {"NIV2": "flan", "FLAN": "flan", "Alpaca": "alpaca", "T0": "p3"}
_TYPES = {
    "Unobserved": ("paper-unobserved", Relation.UNOBSERVED),
    "Default": ("paper-designer", Relation.TASK_DESIGNER),
    "Correct": ("paper-closest", Relation.CLOSEST),
    "Incorrect": ("paper-incorrect", Relation.INCORRECT),
    "Negation": ("paper-negated", Relation.NEGATED),
    "Random": ("paper-nonsensical", Relation.NONSENSICAL),
}
_TASKS = {"MMLU_General": "mmlu"}
_LABELS = {"upper": "{letter}", "lower": "{lower}", "digit": "{number}", "none": ""}


def find(path: Path, request: ImportRequest) -> ParseResult:
    """Read the wordings of a file of the release, or of all such files in a folder."""
    result = ParseResult()
    files = files_of(path, ["instructions.jsonl"], what="file of the paper's wordings")
    for file, rows in each_read(path, files, _rows, result):
        for number, row in enumerate(rows, start=1):
            task, name = str(row.get("task")), str(row.get("id"))
            identifier = f"{task.lower()}/{name}"
            if not request.wants(identifier):
                continue
            try:
                wording = request.finished(wording_of(row), source=f"InstructionEval, {task}, {name}")
            except UnrepresentableError as error:
                result.refuse(identifier, f"{file}:{number}", error)
                continue
            result.add("paper", wording, repeated=True)
    return result


def _rows(file: Path) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        try:
            row = parse_json(line)
        except ValueError:
            raise FileError("not valid JSON", where=f"{file}:{number}") from None
        if not isinstance(row, dict) or not {"task", "id", "choices", "label_space"} <= row.keys():
            raise FileError(
                "not one of the paper's wordings", expected="task, id, choices, label_space", where=f"{file}:{number}"
            )
        rows.append(cast(dict[str, object], row))
    return rows


def wording_of(row: Mapping[str, object]) -> Instruction:
    """Convert one released wording.

    Args:
        row: `task`, `id` (COLLECTION/TYPE/NUMBER), `label_space`, and either `template`, or `before`, `first_prefix`,
            `prefix`, `labels` and `after` around the options.

    Raises:
        UnrepresentableError: it does not have this form.
    """
    collection, relation = home_of(str(row["id"]))
    template = _around_options(row) if row["choices"] is True else _filled(str(row["template"]))
    task = str(row["task"])
    return Instruction(
        id=f"{task.lower()}/{row['id']}",
        collection=collection,
        template=template,
        answer=_answer(cast("str | list[str]", row["label_space"])),
        serves=(_TASKS.get(task, f"bbl/{task.lower()}"),),
        relation=relation,
        licence=LICENCE,
    )


def home_of(name: str) -> tuple[str, Relation]:
    """The collection and relation of a released wording, from its name (COLLECTION/TYPE/NUMBER)."""
    family, kind = (*name.split("/"), "")[:2]
    if kind in _TYPES:
        home, relation = _TYPES[kind]
        # Written for models tuned on Alpaca: the same wordings as the others', in Alpaca's form.
        return (f"{home}-alpaca" if family == "Alpaca" else home), relation
    if family not in _OBSERVED:
        unreadable("its name gives no known collection", name)
    return _OBSERVED[family], Relation.OBSERVED


def _filled(text: str) -> str:
    known = {name: f"{{{{ choices[{name[7:]}] }}}}" for name in placeholders.names(text) if name.startswith("choice_")}
    return placeholders.to_template(text, known, {})


def _around_options(row: Mapping[str, object]) -> str:
    first, each = str(row["first_prefix"]), str(row["prefix"])
    if not each.endswith(first):
        unreadable("its first option has another form than the others", f"{first!r}, {each!r}")
    label = _LABELS[str(row["labels"])]
    form = "".join(
        text.replace("{", "{{").replace("}", "}}") + ("" if name is None else label)
        for text, name in placeholders.segments(first)
    )
    separator = each[: len(each) - len(first)]
    options = f"{{{{ choices | enumerate({quoted(form + '{choice}')}, separator={quoted(separator)}) }}}}"
    return _filled(str(row["before"])) + options + _filled(str(row["after"]))


def _answer(labels: str | list[str]) -> str:
    if isinstance(labels, str):
        return "{{ choice }}"
    alphabet = [letter_of(index) for index in range(len(labels))]
    if labels == alphabet:
        return "{{ letter }}"
    if labels == [letter.lower() for letter in alphabet]:
        return "{{ letter | lower }}"
    return listed(labels)
