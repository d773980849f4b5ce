"""Import the wordings of the paper's code (InstructionEval) from the syntax trees of functions that build prompts.

Every task's file registers its wordings by name: `self.instr2preprocessor["BBL/Unobserved/1"] = self.unobserved1`. Each
function is interpreted once per answer, with marks in place of the question and the options. The marks in the result
show the template, and the returned answer is what is scored. No Python code is run (python_text.py).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeGuard, cast

from phraseproof.core import Instruction
from phraseproof.errors import FileError
from phraseproof.instructions.importers.paper import LICENCE, home_of
from phraseproof.instructions.importers.parsing.import_request import ImportRequest
from phraseproof.instructions.importers.parsing.option_form import QUESTION, option_mark, template_of
from phraseproof.instructions.importers.parsing.parse_result import (
    ParseResult,
    UnrepresentableError,
    listed,
    unreadable,
)
from phraseproof.instructions.importers.parsing.python_classes import ClassIndex, plain_data
from phraseproof.instructions.importers.parsing.python_text import Function, Texts
from phraseproof.instructions.importers.parsing.python_values import Value
from phraseproof.instructions.importers.parsing.source_files import each_read, files_of, read_json, read_python
from phraseproof.instructions.template import quoted
from phraseproof.templates.filters import letter_of

_REGISTER = "instr2preprocessor"
_ADDS = "add_unobserved_instructions"
_SAMPLE = 200
_COUNTS = (2, 3, 4, 5)
_SUBTASKS = {"logical_deduction": "five_objects", "strange_stories": "boolean"}
"""The one subtask that the paper's code loads."""


def find(path: Path, request: ImportRequest) -> ParseResult:
    """Read the wordings of a checkout's task files (`configs/`).

    Raises:
        FileError: there is no such file.
    """
    found = ParseResult()
    files = files_of(path, ["*.py"], what="Python files")
    modules = dict(each_read(path, files, read_python, found))
    index = ClassIndex.of(modules)
    tasks = [(file, each) for file, tree in modules.items() for each in tree.body if _is_task(each, index)]
    if not tasks:
        raise FileError(
            "no wordings registered in these files", expected=f"classes that fill self.{_REGISTER}", where=str(path)
        )
    setting = _Setting(index, [file for file, _ in tasks], path, request, found)
    for file, node in tasks:
        _read_task(file, node, setting)
    return found


class _Setting(NamedTuple):
    classes: ClassIndex
    tasks: Sequence[Path]
    path: Path
    request: ImportRequest
    found: ParseResult

    def twice(self, file: Path) -> bool:
        """Whether another file has wordings for the same task."""
        return sum(other.name == file.name for other in self.tasks) > 1


def _is_task(node: ast.stmt, index: ClassIndex) -> TypeGuard[ast.ClassDef]:
    """Whether a class registers wordings and is for one task, so not a base class of others."""
    if not isinstance(node, ast.ClassDef) or _is_base(node, index):
        return False
    return any(isinstance(each, ast.FunctionDef) and each.name == _ADDS for each in node.body)


def _is_base(node: ast.ClassDef, index: ClassIndex) -> bool:
    return any(
        isinstance(base, ast.Name) and base.id == node.name
        for each in index.classes.values()
        for base in each.node.bases
    )


# ------------------------------------------------------------------------------------------------------------ one task


class _Data(NamedTuple):
    """The options of a task, from its data.

    Attributes:
        task: the name of the task in phraseproof.
        counts: the numbers of options that its examples have.
        fixed: the options, if all examples have the same.
    """

    task: str
    counts: tuple[int, ...]
    fixed: tuple[str, ...] | None


def _read_task(file: Path, node: ast.ClassDef, setting: _Setting) -> None:
    texts = _texts(node, setting.classes)
    data = _data(file, setting.path)
    prefix = "adv/" if file.parent.name == "Adv" and setting.twice(file) else ""
    short = f"{file.parent.name}_{file.stem}".lower() if file.parent.name == "MMLU" else data.task.removeprefix("bbl/")
    for name, expression in _registered(node, setting.classes).items():
        identifier = f"{prefix}{short}/{name}"
        if not setting.request.wants(identifier):
            continue
        try:
            function = texts.evaluate(expression, {})
            if not isinstance(function, Function):
                unreadable("it registers something other than a function")
            collection, relation = home_of(name)
            template, answer = _wording(texts, function, data)
            wording = Instruction(
                id=identifier,
                collection=collection,
                serves=(data.task,),
                template=template,
                answer=answer,
                relation=relation,
                licence=LICENCE,
            )
            wording = setting.request.finished(wording, source=f"InstructionEval, {file.stem}.py, {name}")
        except UnrepresentableError as error:
            setting.found.refuse(identifier, f"{file}:{expression.lineno}", error)
            continue
        setting.found.add("instructioneval", wording, repeated=True)


def _texts(node: ast.ClassDef, index: ClassIndex) -> Texts:
    methods: dict[str, ast.FunctionDef] = {}
    known: dict[str, Value] = {}
    attributes: dict[str, Value] = {}
    starts: list[ast.FunctionDef] = []
    for each in index.family(node):
        known |= each.known
        own = {item.name: item for item in each.node.body if isinstance(item, ast.FunctionDef)}
        methods |= own
        attributes |= {
            name: value for name, value in plain_data(each.node.body, each.known).items() if name not in each.known
        }
        if "__init__" in own:
            starts.append(own["__init__"])
    texts = Texts(methods, known, attributes)
    for start in starts:
        try:  # a constructor without required arguments sets attributes that methods read
            texts.apply(Function(start, {}))
        except UnrepresentableError:
            continue
    return texts


def _registered(node: ast.ClassDef, index: ClassIndex) -> dict[str, ast.expr]:
    """Every registered name with the expression of its function. A class replaces the entries of its bases."""
    registered: dict[str, ast.expr] = {}
    for each in index.family(node):
        for statement in (inner for outer in each.node.body for inner in ast.walk(outer)):
            if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
                continue
            target = statement.targets[0]
            if _is_register(target) and isinstance(statement.value, ast.Dict):
                pairs = zip(statement.value.keys, statement.value.values, strict=True)
                registered |= {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}
            elif (
                isinstance(target, ast.Subscript)
                and _is_register(target.value)
                and isinstance(target.slice, ast.Constant)
            ):
                registered[str(target.slice.value)] = statement.value
    return registered


def _is_register(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == _REGISTER and isinstance(node.value, ast.Name)


def _data(file: Path, path: Path) -> _Data:
    """A task's options, from the data in the checkout. Without data, two to five options are tried."""
    if file.parent.name == "MMLU":
        return _Data("mmlu", (4,), None)
    plain = file.stem.replace("_", "")
    tops = [path, *path.parents] if path.is_dir() else list(path.parents)
    folders = [top / "data" / "benchmark_tasks" for top in tops if (top / "data" / "benchmark_tasks").is_dir()][:1]
    for folder in (each for top in folders for each in sorted(top.iterdir())):
        if folder.is_dir() and folder.name.replace("_", "") == plain:
            part = folder / _SUBTASKS.get(folder.name, "")
            return _Data(
                f"bbl/{folder.name}", *_options(sorted((part if part.is_dir() else folder).rglob("task.json")))
            )
    return _Data(f"bbl/{file.stem}", _COUNTS, None)


def _options(files: Sequence[Path]) -> tuple[tuple[int, ...], tuple[str, ...] | None]:
    sets: set[tuple[str, ...]] = set()
    for file in files:
        data = read_json(file)
        examples = cast("dict[str, object]", data).get("examples") if isinstance(data, dict) else None
        for example in cast("list[object]", examples)[:_SAMPLE] if isinstance(examples, list) else []:
            scores = cast("dict[str, object]", example).get("target_scores") if isinstance(example, dict) else None
            if isinstance(scores, dict):
                sets.add(tuple(map(str, cast("dict[object, object]", scores))))
    counts = tuple(sorted({len(each) for each in sets if len(each) > 1})) or _COUNTS
    return counts, next(iter(sets)) if len({frozenset(each) for each in sets}) == 1 else None


# --------------------------------------------------------------------------------------------------------- one wording


def _wording(texts: Texts, function: Function, data: _Data) -> tuple[str, str]:
    """Template and verbalizer, from marks in place of options; from the options' texts if answers depend on them."""
    try:
        return _with_marks(texts, function, data.counts)
    except UnrepresentableError:
        if data.fixed is None:
            raise
    return _with_texts(texts, function, data.fixed)


def _with_marks(texts: Texts, function: Function, counts: Sequence[int]) -> tuple[str, str]:
    prompts: dict[int, str] = {}
    answers: dict[int, tuple[str, ...]] = {}
    failed: UnrepresentableError | None = None
    for count in counts:
        try:
            prompts[count], answers[count] = _answered(texts, function, [option_mark(index) for index in range(count)])
        except UnrepresentableError as error:
            failed = error
    if not prompts or (failed is not None and counts != _COUNTS):
        raise failed or UnrepresentableError("its options are not known")
    return template_of(prompts), _answer(answers)


def _with_texts(texts: Texts, function: Function, options: Sequence[str]) -> tuple[str, str]:
    prompt, answers = _answered(texts, function, options)
    template = template_of({len(options): prompt})
    if list(answers) == list(options):
        return template, "{{ choice }}"
    pairs = ", ".join(f"{quoted(option)}: {quoted(answer)}" for option, answer in zip(options, answers, strict=True))
    return template, f"{{{{ choice | verbalise({{{pairs}}}) }}}}"


def _answered(texts: Texts, function: Function, options: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The prompt, and the answer for each option if that option is the correct one."""
    prompts: set[str] = set()
    answers: list[str] = []
    for option in options:
        result = texts.apply(function, {"question": QUESTION, "options": list(options), "answer": option})
        prompt, answer = _parts(result)
        prompts.add(prompt)
        answers.append(answer)
    if len(prompts) > 1:
        unreadable("its prompt depends on the answer")
    if len(set(answers)) < len(answers):
        unreadable("two options have the same answer")
    return prompts.pop(), tuple(answers)


def _parts(result: object) -> tuple[str, str]:
    parts = cast("dict[str, object]", result) if isinstance(result, dict) else {}
    prompt, answer = parts.get("input_text"), parts.get("output_text")
    if not isinstance(prompt, str) or not isinstance(answer, str):
        unreadable("it returns no input_text and output_text")
    return prompt, answer


def _answer(answers: Mapping[int, tuple[str, ...]]) -> str:
    most = answers[max(answers)]
    if any(each != most[: len(each)] for each in answers.values()):
        unreadable("its answers change with the number of options")
    if list(most) == [option_mark(index) for index in range(len(most))]:
        return "{{ choice }}"
    letters = [letter_of(index) for index in range(len(most))]
    if list(most) == letters:
        return "{{ letter }}"
    if list(most) == [letter.lower() for letter in letters]:
        return "{{ letter | lower }}"
    if any("\ue000" in answer for answer in most):
        unreadable("its answers hold more than the options", repr(most[0]))
    return listed(most)
