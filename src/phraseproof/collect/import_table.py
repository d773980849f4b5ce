"""Wordings from a CSV file or a spreadsheet, as annotators fill them: one row per wording, with its task and table.

A sheet as people keep it is read as it is meant: a header below a title, cells that count for the rows below them,
rows without a wording. What cannot be meant is a problem with its file and row, and all problems are found at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, cast

from phraseproof.collect.composition import compose, field_names
from phraseproof.collect.records import Form, Shots, TableWording, checked_pseudonym
from phraseproof.collect.table_cells import TableSheet, read_sheets
from phraseproof.core import Task
from phraseproof.errors import CollectError, FileError, InstructionError, PhraseproofError
from phraseproof.instructions.collection_file import VERBALIZERS
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError
from phraseproof.instructions.importers.parsing.placeholders import to_template
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import check_against, compile_instruction
from phraseproof.templates.filters import letter_of

_HEADER_WITHIN = 20
_NAMES: Mapping[str, tuple[str, ...]] = {
    "wording": ("wording", "instruction", "text", "prompt"),
    "task": ("task", "dataset"),
    "kind": ("kind", "table", "shots", "setting"),
    "author": ("author", "annotator", "pseudonym"),
    "answer": ("answer", "answer form"),
    "form": ("form",),
}
_SHOTS: Mapping[str, Shots] = {
    **dict.fromkeys(("zeroshot", "zero", "0shot", "0"), "zero-shot"),
    **dict.fromkeys(("fewshot", "fewshots", "few"), "few-shot"),
}


class TableDefaults(NamedTuple):
    """What counts for rows whose table has no such column; `None` requires the column.

    Attributes:
        task: a task's name. Without it, a sheet whose title is a task's name is for that task.
        kind: the table of the form.
        author: a pseudonym.
    """

    task: str | None = None
    kind: Shots | None = None
    author: str | None = None


@dataclass(slots=True)
class TableContent:
    """What a table holds.

    Attributes:
        wordings: in the order of the rows.
        problems: rows that cannot be read, each as an error with file and row.
        filled: the number of cells that were empty and took the value of the row above.
    """

    wordings: list[TableWording] = field(default_factory=list[TableWording])
    problems: list[PhraseproofError] = field(default_factory=list[PhraseproofError])
    filled: int = 0


def read_wordings(
    path: Path, tasks: Mapping[str, Task], *, defaults: TableDefaults | None = None, sheet: str | None = None
) -> TableContent:
    """Read the wordings of a table, each checked on its task.

    Columns are found by name, whatever their order and the case of letters: `wording` (or `instruction`, `text`,
    `prompt`), `task`, `kind`, `author`, and, if wanted, `answer` and `form`. Other columns are ignored. Fields may be
    written `{field}` as in the paper's forms, or `{{ field }}`; `{choices}` lists the options, and `{choiceA}` is the
    first one. A text that names a field is the whole prompt, any other one an ask, unless `form` says which.

    Args:
        path: a `.csv`, `.tsv` or `.xlsx` file.
        tasks: the project's tasks by name.
        defaults: what counts where a column is missing.
        sheet: the sheet of a spreadsheet; by default all that have a column of wordings.

    Raises:
        FileError: the file cannot be read, or holds no table of wordings.
    """
    content = TableContent()
    reader = _Reader(tasks, defaults or TableDefaults(), content)
    sheets = read_sheets(path, sheet=sheet)
    found = [reader.read(each) for each in sheets]
    if not any(found):
        raise FileError(
            "no row names the columns",
            expected=f"a column called {' or '.join(_NAMES['wording'])} in one of the first {_HEADER_WITHIN} rows",
            where=str(path),
        )
    return content


class _Reader:
    """Reads sheets into a `TableContent`."""

    def __init__(self, tasks: Mapping[str, Task], defaults: TableDefaults, content: TableContent) -> None:
        self._tasks = tasks
        self._defaults = defaults
        self._content = content

    def read(self, sheet: TableSheet) -> bool:
        """Read a sheet; False if it has no column of wordings."""
        first_rows = enumerate((_columns(cells) for _, cells in sheet.rows[:_HEADER_WITHIN]), start=1)
        header = next(((start, columns) for start, columns in first_rows if "wording" in columns), None)
        if header is None:
            return False
        start, columns = header
        above: dict[str, str] = {}
        for number, cells in sheet.rows[start:]:
            values = {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}
            filled = 0
            for name in ("task", "kind", "author"):
                # A cell that spans several rows has its text in the first one.
                if values.get(name):
                    above[name] = values[name]
                elif name in values and name in above:
                    values[name] = above[name]
                    filled += 1
            if not values["wording"] and (number, columns["wording"]) not in sheet.without_text:
                continue
            self._content.filled += filled
            try:
                _require_texts(sheet, number, columns)
                self._content.wordings.append(self._wording(values, sheet, f"{sheet.place}:{number}"))
            except PhraseproofError as error:
                self._content.problems.append(error)
        return True

    def _wording(self, values: Mapping[str, str], sheet: TableSheet, where: str) -> TableWording:
        task = self._task(values.get("task", ""), sheet, where)
        kind = _kind(values.get("kind", ""), self._defaults.kind, where)
        author = values.get("author") or self._defaults.author
        if not author:
            raise FileError("no author", expected="a column author, or --author", where=where)
        try:
            author = checked_pseudonym(author)
        except CollectError as error:
            raise FileError(error.problem, expected=error.expected, got=error.got, where=f"{where}, author") from None
        answer = values.get("answer") or None
        if answer is not None and answer.casefold() in VERBALIZERS:
            answer = answer.casefold()
        text, form = _text(values["wording"], values.get("form", ""), task, where)
        wording = TableWording(where, author, task.name, kind, text, form, answer)
        _check(wording, task)
        return wording

    def _task(self, written: str, sheet: TableSheet, where: str) -> Task:
        known = {name.casefold(): task for name, task in self._tasks.items()}
        name = written or self._defaults.task or (sheet.title if sheet.title.casefold() in known else "")
        if not name:
            raise FileError("no task", expected=f"a column task with one of: {', '.join(self._tasks)}", where=where)
        task = known.get(name.casefold())
        if task is None:
            raise FileError(
                f"the project has no task {name!r}",
                expected=f"one of: {', '.join(self._tasks)}",
                where=f"{where}, task",
            )
        return task


def _require_texts(sheet: TableSheet, number: int, columns: Mapping[str, int]) -> None:
    for name, at in columns.items():
        problem = sheet.without_text.get((number, at))
        if problem is not None:
            raise FileError(
                problem,
                expected="a text",
                where=f"{sheet.place}:{number}, {name}",
                hint="Write its text, or open and save the file in a spreadsheet program",
            )


def _columns(cells: Sequence[str]) -> dict[str, int]:
    """The place of each known column in a row that may be the header; the first of several counts."""
    names = [" ".join(cell.casefold().replace("_", " ").split()) for cell in cells]
    found: dict[str, int] = {}
    for column, spellings in _NAMES.items():
        place = next((at for at, name in enumerate(names) if name in spellings), None)
        if place is not None:
            found[column] = place
    return found


def _kind(written: str, default: Shots | None, where: str) -> Shots:
    if not written:
        if default is None:
            raise FileError("no table", expected="a column kind with zero-shot or few-shot, or --kind", where=where)
        return default
    kind = _SHOTS.get(re.sub(r"[^0-9a-z]", "", written.casefold()))
    if kind is None:
        raise FileError("not a table", expected="zero-shot or few-shot", got=repr(written), where=f"{where}, kind")
    return kind


def _text(written: str, form: str, task: Task, where: str) -> tuple[str, Form]:
    """The wording as a template, and what it is."""
    if form.casefold() not in {"", "ask", "template"}:
        raise FileError("not a form", expected="ask or template", got=repr(form), where=f"{where}, form")
    text = written
    if "{{" not in text and "{%" not in text and "{#" not in text:
        most = max((len(each.choices) for each in task.examples), default=0)
        options = {f"choice{letter_of(at)}": f"{{{{ choices[{at}] }}}}" for at in range(most)}
        listed = dict.fromkeys(("choices", "options"), "{{ choices | enumerate }}")
        fields = set(task.examples[0].fields)
        known = {name: template for name, template in (options | listed).items() if name not in fields}
        try:
            text = to_template(text, known, {})
        except UnrepresentableError as error:
            raise FileError(
                f"the wording cannot be read: {error}",
                where=f"{where}, wording",
                hint=f"Fields are written {{name}}; here: {', '.join(field_names(task))}",
            ) from None
    if form:
        return text, cast(Form, form.casefold())
    try:
        compiled = compile_instruction(compose(task, text, "template", answer="text"))
    except InstructionError as error:
        raise _placed(error, where) from None
    names = compiled.names_by_part["template"]
    return text, "ask" if names.isdisjoint(task.examples[0].fields) else "template"


def _check(wording: TableWording, task: Task) -> None:
    try:
        instruction = compose(task, wording.text, wording.form, answer=wording.answer)
        check_against(instruction, task)
        compiled = compile_instruction(replace(instruction, origin=wording.where))
        build_prompt(compiled, task.examples[0], demonstrations=(), prompt_format="plain")
    except InstructionError as error:
        raise _placed(error, wording.where) from None


def _placed(error: InstructionError, where: str) -> FileError:
    return FileError(error.problem, expected=error.expected, got=error.got, where=f"{where}, wording", hint=error.hint)
