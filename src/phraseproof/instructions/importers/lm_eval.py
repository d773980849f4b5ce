"""Import task files (YAML) of lm-evaluation-harness whose prompts do not depend on Python functions.

A task gives one wording: its `description` is the ask if it is a text, its `doc_to_text` the layout. Included files are
read as in the harness. Settings with `!function` are refused, because no function is called. `process_docs` is ignored,
because it changes the data and not the wording.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, cast

from phraseproof.core import Instruction
from phraseproof.errors import FileError
from phraseproof.instructions.importers.parsing import jinja_segments as jinja
from phraseproof.instructions.importers.parsing.ask_and_layout import AskAndLayout, split_ask
from phraseproof.instructions.importers.parsing.field_names import renamed_fields
from phraseproof.instructions.importers.parsing.import_request import ImportRequest
from phraseproof.instructions.importers.parsing.parse_result import (
    ParseResult,
    Refused,
    UnrepresentableError,
    listed,
    one_line,
    stem_of,
    unreadable,
)
from phraseproof.instructions.importers.parsing.source_files import each_read, files_of, mapping_in
from phraseproof.instructions.render import BETWEEN_EXAMPLES
from phraseproof.instructions.template import literal
from phraseproof.yaml_document import load

COLLECTION = "lm_eval"
LICENCE = "MIT (lm-evaluation-harness)"

_FUNCTION = "!function"
_TAGS = frozenset((_FUNCTION,))
_MAX_INCLUDES = 20
_NAME = re.compile(r"[^\W\d]\w*")
_BY_FUNCTION = "a Python function decides it"
_SEPARATOR = re.compile(r"\s*\Z")


def find(path: Path, request: ImportRequest) -> ParseResult:
    """Read the tasks of a file, or of a folder and its subfolders."""
    result = ParseResult()
    files = files_of(path, ["*.yaml", "*.yml"], what="task files")
    read = _Reader({})
    top = path if path.is_dir() else path.parent
    for file, settings in each_read(path, files, read.settings, result):
        name = settings.get("task")
        if not isinstance(name, str):
            if file == path:
                raise FileError("not a task", expected="a file with task: NAME", where=str(path))
            result.files_read -= 1
            if name is not None and not _names_tasks(name):
                result.refused.append(Refused(file.name, str(file), "a group of tasks with its own settings"))
            continue
        if not request.wants(name):
            continue
        try:
            wording = _wording(settings, name, request)
            where = file.relative_to(top).as_posix()
            wording = request.finished(wording, source=f"lm-evaluation-harness, {where}")
        except UnrepresentableError as error:
            result.refuse(name, str(file), error)
            continue
        folder = file.relative_to(top).parts[0] if file.parent != top else "tasks"
        result.add(stem_of(folder.removesuffix(file.suffix)), wording)
    return result


def _names_tasks(value: object) -> bool:
    """Whether a group only lists names of tasks, which have their own files."""
    members = cast(list[object], value) if isinstance(value, list) else []
    return bool(members) and all(isinstance(each, str) for each in members)


class _Reader(NamedTuple):
    """Reads task files and the files that they include, each file once."""

    known: dict[Path, dict[str, object]]

    def settings(self, file: Path) -> dict[str, object]:
        """The settings of a file; they replace those of the files that it includes."""
        return self._with_included(file, ())

    def _with_included(self, file: Path, chain: tuple[Path, ...]) -> dict[str, object]:
        place = file.resolve()
        if place in chain:
            raise FileError("files include each other in a circle", where=str(file))
        if len(chain) >= _MAX_INCLUDES:
            raise FileError(f"more than {_MAX_INCLUDES} files include each other", where=str(file))
        if place in self.known:
            return self.known[place]
        own = mapping_in(load(file, tags=_TAGS).data, "the file", str(file))
        included = own.get("include")
        settings: dict[str, object] = {}
        for name in (
            cast(list[object], included) if isinstance(included, list) else [] if included is None else [included]
        ):
            if not isinstance(name, str):
                raise FileError("include does not name a file", got=repr(name)[:60], where=str(file))
            settings |= self._with_included(file.parent / name, (*chain, place))
        settings |= own
        self.known[place] = settings
        return settings


# ---------------------------------------------------------------------------------------------------------- one wording


def _wording(settings: Mapping[str, object], name: str, request: ImportRequest) -> Instruction:
    for field in ("doc_to_text", "doc_to_choice", "description", "gen_prefix"):
        _require_text(settings, field)
    if str(settings.get("output_type")).startswith("loglikelihood"):
        unreadable("it scores whole texts, so there is nothing to ask", f"output_type {settings['output_type']}")
    if "doc_to_image" in settings or "doc_to_audio" in settings:
        unreadable("it shows images or sounds")
    if settings.get("gen_prefix"):
        unreadable("it begins the answer itself (gen_prefix)")
    layout = _template(settings.get("doc_to_text"), request)
    if not layout.strip():
        unreadable("it has no prompt: its options are whole texts")
    _require_scored_after(settings)
    return Instruction(
        id=one_line(name),
        collection=COLLECTION,
        answer=_answer(settings.get("doc_to_choice"), request),
        target_delimiter=_delimiter(settings, "target_delimiter", " "),
        fewshot_delimiter=_delimiter(settings, "fewshot_delimiter", BETWEEN_EXAMPLES),
        serves=(name, f"lm_eval/{name}"),
        licence=LICENCE,
        **_parts(str(settings.get("description") or ""), layout, request)._asdict(),
    )


def _delimiter(settings: Mapping[str, object], field: str, usual: str) -> str | None:
    """A delimiter; `None` where it is the usual one."""
    value = settings.get(field)
    if value is not None and not isinstance(value, str):
        unreadable(f"its {field} is not text", repr(value))
    return None if value in (None, usual) else value


def _require_text(settings: Mapping[str, object], field: str) -> None:
    value = settings.get(field)
    if isinstance(value, dict) and _FUNCTION in value:
        unreadable(_BY_FUNCTION, f"{field}: {_FUNCTION} {cast(dict[str, object], value)[_FUNCTION]}")
    if field == "doc_to_choice" and isinstance(value, list | dict):
        return
    if value is not None and not isinstance(value, str):
        unreadable("it is not text", f"{field}: {value!r}")


def _require_scored_after(settings: Mapping[str, object]) -> None:
    """Refuse a task whose options come before the scored text, as in "which beginning fits this ending"."""
    text, target = settings.get("doc_to_text"), settings.get("doc_to_target")
    is_choice = settings.get("output_type") == "multiple_choice"
    if is_choice and settings.get("doc_to_choice") is None:
        unreadable("its options come from the data, not from doc_to_choice")
    if is_choice and text in {"label", "answer", "gold"} and isinstance(target, str):
        unreadable("its options come before the text that is scored")


def _template(text: object, request: ImportRequest) -> str:
    """Convert a template of the harness, or the name of a column, to a template."""
    if text is None:
        unreadable("it has no doc_to_text")
    assert isinstance(text, str), "checked by _require_text"
    if _NAME.fullmatch(text):
        text = f"{{{{{text}}}}}"
    segments = jinja.read(text)
    jinja.rewrite(segments, lambda tokens: renamed_fields(tokens, request.fields))
    return jinja.write(segments)


def _parts(description: str, layout: str, request: ImportRequest) -> AskAndLayout:
    """The description is the ask. Without a description, it is the prompt's own ask if it can be separated."""
    if not description:
        return split_ask(layout)
    head = _template(description, request) if "{" in description else description
    separator = (_SEPARATOR.search(head) or [""])[0]
    ask = head[: len(head) - len(separator)]
    if not ask or not separator:
        return AskAndLayout(template=head + layout)
    return AskAndLayout(ask=ask if "{" in description else literal(ask), layout=layout, separator=separator)


def _answer(choices: object, request: ImportRequest) -> str:
    """The verbalizer: answers from a list, or the example's own texts or letters."""
    if choices is None:
        return "{{ choice }}"
    if isinstance(choices, dict):
        choices = list(cast(dict[object, object], choices).values())
    if isinstance(choices, list):
        return listed([str(each) for each in cast(list[object], choices)])
    assert isinstance(choices, str), "checked by _require_text"
    if "{" not in choices:
        return "{{ choice }}"
    segments = jinja.read(choices)
    if len(segments) != 1 or not isinstance(segments[0], jinja.CodeSegment) or not segments[0].is_output:
        unreadable("its options are computed", choices)
    tokens = jinja.plain(renamed_fields(segments[0].tokens, request.fields))
    if len(tokens) == 1:
        return "{{ letter }}" if tokens[0].text == "letters" else "{{ choice }}"
    if _is_list_of(tokens, "string"):
        return listed([token.text[1:-1] for token in tokens if token.kind == "string"])
    if _is_list_of(tokens, "name") or _is_path(tokens):
        return "{{ choice }}"
    return unreadable("its options are computed", choices)


def _is_list_of(tokens: list[jinja.Token], kind: str) -> bool:
    inner = [token for token in tokens[1:-1] if token.text != ","]
    return tokens[0].text == "[" and tokens[-1].text == "]" and bool(inner) and all(each.kind == kind for each in inner)


def _is_path(tokens: list[jinja.Token]) -> bool:
    """`field.part`, `field["part"]`: options that a column of the example holds."""
    return tokens[0].kind == "name" and all(
        token.kind in {"name", "string"} or token.text in {".", "[", "]"} for token in tokens
    )
