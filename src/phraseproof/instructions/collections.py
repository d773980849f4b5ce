"""Collections of wordings: YAML files, the shipped ones, the user's own, and those of installed packages."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field

from phraseproof.core import Instruction, Relation, Task
from phraseproof.errors import FileError, InstructionError, UsageError
from phraseproof.instructions.template import compile_instruction, quoted
from phraseproof.typed_yaml import Document, StrictModel, line_of, load, parse

TASK_DESIGNER = "task_designer"
"""The collection that is no file: each task's own data brings its designer's wordings."""
ENTRY_POINTS = "phraseproof.instructions"
"""The entry-point group through which an installed package ships collections: name -> path of a file or folder."""

OWN_FOLDER = "instructions"
"""Where a user's own and imported collections are found by name: `instructions/NAME.yaml` or `instructions/NAME/`."""
FAMILIES_FILE = "families.yaml"
"""The one file in that folder that is no collection (families.py)."""
OWN_FOLDER_VARIABLE = "PHRASEPROOF_INSTRUCTIONS"
"""The environment variable that names another folder than `instructions` in the working directory."""

_SHIPPED = Path(__file__).parent / "data"
_SUFFIXES = (".yaml", ".yml")
_ANSWERS = {"letter": "{{ letter }}", "text": "{{ choice }}"}
_ANSWERS_BY_LABEL = {"letter": "{{ letter }}", "lower": "{{ letter | lower }}", "number": "{{ index + 1 }}"}


@dataclass(frozen=True, slots=True)
class Collection:
    """Wordings that belong together.

    Attributes:
        name: what its wordings' names begin with.
        instructions: the wordings, in the order of the file.
        path: the file or folder they were read from; None for `task_designer`.
    """

    name: str
    instructions: tuple[Instruction, ...]
    path: Path | None = None


# ------------------------------------------------------------------------------------------------------ the file format


def _misread(value: Any) -> str | None:
    """What YAML made of a text that was meant as one, or None."""
    if isinstance(value, bool):
        return "YAML reads a bare yes, no, on, off, true or false as a truth value; put it in quotes"
    if isinstance(value, int | float):
        return "YAML reads this as a number; put it in quotes"
    return None


def _quoted_text(value: Any) -> Any:
    misread = _misread(value)
    if misread:
        raise ValueError(misread)
    return value


def _label(value: str) -> str:
    if not value or value != value.strip() or not value.isprintable():
        raise ValueError("a name needs printable characters on one line, with no space at its ends")
    return value


def _without_slash(value: str) -> str:
    if "/" in value:
        raise ValueError("a collection's name has no slash (a wording is called NAME/ID)")
    if value == TASK_DESIGNER:
        raise ValueError(f"the name {TASK_DESIGNER} is kept for the wordings that tasks bring themselves")
    return value


_Text = Annotated[str, BeforeValidator(_quoted_text)]
_Label = Annotated[_Text, AfterValidator(_label)]


class _Provenance(StrictModel):
    relation: Annotated[Relation | None, Field(strict=False)] = None
    author: _Text | None = None
    source: _Text | None = None
    licence: _Text | None = None


class _Wording(_Provenance):
    id: _Label
    ask: _Text | None = None
    layout: _Text | None = None
    template: _Text | None = None
    answer: Any = None  # read by _answer, whose complaints are clearer than a union's
    answer_prefix: _Text | None = None
    order: Literal["ask-first", "ask-last"] | None = None
    separator: _Text | None = None
    for_: Any = Field(default=None, alias="for")
    fallback: bool | None = None


class _File(_Provenance):
    name: Annotated[_Label, AfterValidator(_without_slash)]
    for_: Any = Field(default=None, alias="for")
    fallback: bool = False
    instructions: list[_Wording]


# -------------------------------------------------------------------------------------------------------------- loading


def load_collection(name_or_path: str) -> Collection:
    """A collection by the name of a shipped one, an installed package's or one in `own_folder()`, or by its path.

    A path is that of a YAML file, or of a folder of them. Every template is read, so that a malformed one is found now
    and not in the middle of a run.

    Raises:
        UsageError: no collection has this name.
        FileError: the file cannot be read, or does not say what a collection must.
        InstructionError: a template is malformed.
    """
    if name_or_path == TASK_DESIGNER:
        return Collection(TASK_DESIGNER, ())
    path = Path(name_or_path)
    looks_like_path = path.suffix.lower() in _SUFFIXES or len(path.parts) > 1
    if not looks_like_path:
        known = _known()
        if name_or_path in known:
            return _read(_path_of(name_or_path, known[name_or_path]))
        own = own_collections()
        if name_or_path in own:
            return _read(own[name_or_path])
        if not path.exists():
            names = [*sorted(known), *sorted(own), TASK_DESIGNER]
            close = difflib.get_close_matches(name_or_path, names, n=1)
            raise UsageError(
                f"no collection of wordings is called {name_or_path!r}",
                expected=f"one of {', '.join(names)}, or a path to a YAML file",
                hint=f"Did you mean {close[0]!r}?" if close else None,
            )
    return _read(path)


def shipped_collections() -> list[str]:
    """The names of the collections that come with phraseproof and with installed packages, sorted."""
    return sorted(_known())


def own_folder() -> Path:
    """The folder of a user's own and imported collections; it need not exist."""
    return Path(os.environ.get(OWN_FOLDER_VARIABLE) or OWN_FOLDER)


def own_collections() -> dict[str, Path]:
    """What `own_folder()` holds: the names of YAML files and of folders of them, without reading any.

    Raises:
        UsageError: a name stands for a file and a folder.
    """
    folder = own_folder()
    own: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name == FAMILIES_FILE:
            continue
        if path.is_dir() and any(file.suffix.lower() in _SUFFIXES for file in path.iterdir()):
            name = path.name
        elif path.is_file() and path.suffix.lower() in _SUFFIXES:
            name = path.stem
        else:
            continue
        if name in own:
            raise UsageError(f"{own[name]} and {path} have the same name", hint="Name one by its path, or move one")
        own[name] = path
    return own


def instructions_for(collection: Collection, task: Task) -> tuple[Instruction, ...]:
    """The wordings of `collection` that serve `task`, in their order.

    A wording serves a task when its `for` names the task, one of its parents (`mmlu` for `mmlu/anatomy`), its category
    or its kind, or is absent. A wording marked as `fallback` serves only where the collection has no other for the
    task, so that general wordings can stand beside those for a single task (the paper asks MMLU in general words and
    each BIG-bench task in its own: Table 2). The collection `task_designer` gives the task's own.
    """
    if collection.name == TASK_DESIGNER:
        return task.instructions
    parts = task.name.split("/")
    names = {"/".join(parts[:end]) for end in range(1, len(parts) + 1)} | {task.category, task.kind.value}
    serving = tuple(each for each in collection.instructions if not each.serves or not names.isdisjoint(each.serves))
    return tuple(each for each in serving if not each.fallback) or serving


def _known() -> dict[str, Path | EntryPoint]:
    known: dict[str, Path | EntryPoint] = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    for path in _SHIPPED.iterdir():
        if path.is_dir() or path.suffix in _SUFFIXES:
            known[path.stem] = path
    return known


def _path_of(name: str, known: Path | EntryPoint) -> Path:
    if isinstance(known, Path):
        return known
    try:
        return Path(known.load())
    except (ImportError, AttributeError, TypeError) as error:
        raise InstructionError(
            f"the installed collection {name!r} cannot be found: {error}",
            where=f"entry point {ENTRY_POINTS}: {known.value}",
            hint="The entry point must name a variable that holds the path of a YAML file or a folder of them",
        ) from None


def _read(path: Path) -> Collection:
    if not path.is_dir():
        return _read_file(path)
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise FileError("the folder holds no YAML file", where=str(path))
    parts = [_read_file(file) for file in files]
    first_use: dict[str, str | None] = {}
    for file, part in zip(files, parts, strict=True):
        if part.name != parts[0].name:
            raise FileError(
                f"the folder holds two collections, {parts[0].name!r} and {part.name!r}",
                where=str(file),
                hint="Give all its files the same name, or name one file",
            )
        for wording in part.instructions:
            _once(wording, first_use)
    return Collection(parts[0].name, tuple(wording for part in parts for wording in part.instructions), path)


def _read_file(path: Path) -> Collection:
    document = load(path)
    file = parse(document, path, _File)
    if not file.instructions:
        raise FileError("the collection holds no wordings", where=f"{path}:{line_of(document, ('instructions',))}")
    wordings: list[Instruction] = []
    first_use: dict[str, str | None] = {}
    for index, entry in enumerate(file.instructions):
        place = _Place(document, path, index)
        wording = _instruction(entry, file, place)
        _once(wording, first_use)
        labels = compile_instruction(wording).labels
        wordings.append(
            wording if entry.answer is not None else replace(wording, answer=_fitting_answer(labels, place))
        )
    return Collection(file.name, tuple(wordings), path)


def _once(wording: Instruction, first_use: dict[str, str | None]) -> None:
    if wording.id in first_use:
        raise FileError(
            f"the id {wording.id!r} is given twice",
            where=f"{wording.origin}, id",
            hint=f"First at {first_use[wording.id]}",
        )
    first_use[wording.id] = wording.origin


# ------------------------------------------------------------------------------------------------ one wording of a file


@dataclass(frozen=True, slots=True)
class _Place:
    document: Document
    path: Path
    index: int | None = None

    def where(self, *fields: str | int) -> str:
        location = (*(("instructions", self.index) if self.index is not None else ()), *fields)
        line = line_of(self.document, location)
        return f"{self.path}:{line}" + (f", {'.'.join(map(str, fields))}" if fields else "")


def _instruction(entry: _Wording, file: _File, place: _Place) -> Instruction:
    _check_parts(entry, place)
    serves = entry.for_ if entry.for_ is not None else file.for_
    served_at = place if entry.for_ is not None else _Place(place.document, place.path)
    defaults: dict[str, Any] = {"separator": entry.separator} if entry.separator is not None else {}
    return Instruction(
        id=entry.id,
        collection=file.name,
        ask=entry.ask,
        layout=entry.layout,
        template=entry.template,
        ask_last=entry.order == "ask-last",
        answer=_answer(entry.answer, place),
        joint=entry.answer_prefix,
        serves=_serves(serves, served_at),
        fallback=file.fallback if entry.fallback is None else entry.fallback,
        relation=entry.relation or file.relation,
        author=entry.author or file.author,
        source=entry.source or file.source,
        licence=entry.licence or file.licence,
        origin=place.where(),
        **defaults,
    )


def _check_parts(entry: _Wording, place: _Place) -> None:
    if entry.ask is not None and entry.template is not None:
        raise FileError("a wording has either ask or template, not both", where=place.where("template"))
    if entry.ask is None and entry.template is None:
        hint = (
            "A layout alone asks nothing; call it template if it is the whole prompt"
            if entry.layout is not None
            else None
        )
        raise FileError(f"the wording {entry.id!r} has neither ask nor template", where=place.where(), hint=hint)
    if entry.layout is None:
        for field, value in (("order", entry.order), ("separator", entry.separator)):
            if value is not None:
                raise FileError(f"{field} needs an ask and a layout to stand between", where=place.where(field))
    elif entry.template is not None:
        raise FileError("a layout goes with an ask, not with a template", where=place.where("layout"))
    for field, value in (("ask", entry.ask), ("template", entry.template)):
        if value is not None and not value.strip():
            raise FileError(f"the {field} is empty", where=place.where(field))


def _serves(value: Any, place: _Place) -> tuple[str, ...]:
    names: list[Any] = []
    if isinstance(value, list):
        names = cast(list[Any], value)
    elif value is not None:
        names = [value]
    if not all(isinstance(name, str) and name.strip() for name in names):
        raise FileError(
            "for does not name what the wording serves",
            expected="a task's name, a category or a kind, or a list of these",
            got=repr(names),
            where=place.where("for"),
        )
    return tuple(names)


def _answer(value: Any, place: _Place) -> str:
    """The Jinja template that a file's `answer` stands for."""
    if value is None:  # settled by _fitting_answer, once the templates are read
        return _ANSWERS["text"]
    if isinstance(value, list) and value:
        answers = [_verbaliser(answer, place, index) for index, answer in enumerate(cast(list[Any], value))]
        return f"{{{{ choice | verbalise([{', '.join(map(quoted, answers))}]) }}}}"
    if isinstance(value, dict) and value:
        pairs = [
            f"{quoted(_verbaliser(choice, place, choice))}: {quoted(_verbaliser(answer, place, choice))}"
            for choice, answer in cast(dict[Any, Any], value).items()
        ]
        return f"{{{{ choice | verbalise({{{', '.join(pairs)}}}) }}}}"
    if isinstance(value, str) and value in _ANSWERS:
        return _ANSWERS[value]
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        return value
    raise FileError(
        "answer does not say how options are written",
        expected="letter, text, a list or a mapping of answers, or a template with {{ ... }}",
        got=repr(cast(object, value)),
        where=place.where("answer"),
    )


def _fitting_answer(labels: frozenset[str], place: _Place) -> str:
    """How options are written when a file does not say: by the label the prompt gives them, else by their texts."""
    if not labels:
        return _ANSWERS["text"]
    if len(labels) == 1 and labels <= _ANSWERS_BY_LABEL.keys():
        return _ANSWERS_BY_LABEL[min(labels)]
    raise FileError(
        f"options are labelled by {' and '.join(sorted(labels))}, and no answer says how to write them",
        where=place.where(),
        hint="Add answer: letter, text, or a template",
    )


def _verbaliser(value: Any, place: _Place, *location: Any) -> str:
    where = place.where("answer", *location)
    misread = _misread(value)
    if misread:
        raise FileError(misread, got=repr(value), where=where)
    if not isinstance(value, str) or not value.strip():
        raise FileError("an answer must be a text that is not empty", got=repr(value), where=where)
    return value
