"""Import promptsource's `templates.yaml` (P3, which T0 was tuned on): Jinja, with `|||` between prompt and answer.

The prompt becomes the wording. `answer_choices` gives the verbalizer: texts that are the same for every example become
a list in the order of the task's choices; texts that come from the example are the task's choices.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, cast

from phraseproof.core import Instruction, Relation
from phraseproof.instructions.importers.parsing import jinja_segments as jinja
from phraseproof.instructions.importers.parsing.ask_and_layout import split_ask
from phraseproof.instructions.importers.parsing.field_names import renamed_fields
from phraseproof.instructions.importers.parsing.import_request import ImportRequest
from phraseproof.instructions.importers.parsing.jinja_trimming import is_empty, strip
from phraseproof.instructions.importers.parsing.parse_result import (
    ParseResult,
    UnrepresentableError,
    listed,
    one_line,
    stem_of,
    unreadable,
)
from phraseproof.instructions.importers.parsing.separators import SEPARATOR, split_at_separator, without_guards
from phraseproof.instructions.importers.parsing.source_files import each_read, files_of, mapping_in
from phraseproof.instructions.template import quoted
from phraseproof.yaml_document import Document, line_of, load

COLLECTION = "p3"
LICENCE = "Apache-2.0 (promptsource)"

_TAGS = frozenset(("!Template", "!TemplateMetadata"))
_OTHER_ANSWER = "its answer is not one of answer_choices by position"
_STEPS = frozenset(("int", "round", "string", "(", ")", "|", "-", "1"))


def find(path: Path, request: ImportRequest) -> ParseResult:
    """Read all templates of a file, of a folder of files, or of a checkout."""
    result = ParseResult()
    files = files_of(path, ["templates.yaml"], what="promptsource templates")
    for file, document in each_read(path, files, lambda file: load(file, tags=_TAGS), result):
        _read_file(file, document, request, result)
    return result


def _read_file(path: Path, document: Document, request: ImportRequest, result: ParseResult) -> None:
    file = mapping_in(document.data, "the file", str(path))
    dataset = str(file.get("dataset") or path.parent.name)
    if file.get("subset") is not None:
        dataset += f"/{file['subset']}"
    templates = mapping_in(file.get("templates"), "`templates`", f"{path}:{line_of(document, ('templates',))}")
    taken: set[str] = set()
    for key, value in templates.items():
        line = line_of(document, ("templates", key))
        entry = cast(dict[str, object], value) if isinstance(value, dict) else {}
        name = one_line(str(entry.get("name") or key))
        name = f"{dataset}/{name}" if f"{dataset}/{name}" not in taken else f"{dataset}/{name} ({key})"
        taken.add(name)
        if not request.wants(name):
            continue
        where = f"{path}:{line}"
        try:
            wording = _wording(entry, name, dataset, request)
            result.add(stem_of(dataset), request.finished(wording, source=f"promptsource, {dataset}, template {key}"))
        except UnrepresentableError as error:
            result.refuse(name, where, error)


def _wording(entry: Mapping[str, object], name: str, dataset: str, request: ImportRequest) -> Instruction:
    source = entry.get("jinja")
    if not isinstance(source, str):
        unreadable("it has no jinja text")
    metadata = entry.get("metadata")
    if isinstance(metadata, dict) and cast(dict[str, object], metadata).get("original_task") is False:
        unreadable("it has another task than its data set (original_task: false)")
    halves = split_at_separator(jinja.read(source))
    prompt = strip(jinja.without_idle_sets(without_guards(halves.prompt)))
    answer = strip(without_guards(halves.answer))
    if is_empty(prompt):
        unreadable("its prompt is empty")
    choices = _answer_choices(entry.get("answer_choices"))
    _require_repeatable(prompt)
    _require_unseen(prompt, answer)
    written = "{{ choice }}" if choices is None else _answer(answer, choices)
    new: dict[str, str] = {}
    if choices is not None:
        new["answer_choices"] = "choices" if choices.fixed is None else f"[{', '.join(map(quoted, choices.fixed))}]"
    jinja.rewrite(prompt, lambda tokens: renamed_fields(jinja.rename(tokens, new), request.fields))
    parts = split_ask(jinja.write(prompt))
    return Instruction(
        id=name,
        collection=COLLECTION,
        answer=written,
        serves=(dataset,),
        relation=Relation.OBSERVED,
        licence=LICENCE,
        **parts._asdict(),
    )


class _Choices(NamedTuple):
    """The content of `answer_choices`: fixed texts, or pieces of template that give one text each."""

    fixed: tuple[str, ...] | None
    each: tuple[str, ...]


def _answer_choices(value: object) -> _Choices | None:
    if value is None:
        return None
    if not isinstance(value, str):
        unreadable("its answer_choices are not text", repr(value))
    segments = jinja.read(value)
    if all(isinstance(segment, jinja.TextSegment) for segment in segments):
        return _Choices(tuple(each.strip() for each in value.split(SEPARATOR)), ())
    parts: list[list[jinja.JinjaSegment]] = [[]]
    for segment in segments:
        if isinstance(segment, jinja.TextSegment):
            first, *others = segment.text.split(SEPARATOR)
            parts[-1].append(jinja.TextSegment(first))
            parts += [list[jinja.JinjaSegment]([jinja.TextSegment(other)]) for other in others]
        else:
            parts[-1].append(segment)
    return _Choices(None, tuple(jinja.write(strip(part)) for part in parts))


def _require_repeatable(prompt: list[jinja.JinjaSegment]) -> None:
    for code in jinja.codes(prompt):
        texts = [token.text for token in jinja.plain(code.tokens)]
        if any(pair == ("|", "choice") for pair in pairwise(texts)):
            unreadable("it draws a part of its prompt at random (the filter choice)")


def _require_unseen(prompt: list[jinja.JinjaSegment], answer: list[jinja.JinjaSegment]) -> None:
    """Refuse a prompt that shows the answer, because it asks for something other than the answer."""
    shown = {name for code in jinja.codes(prompt) for name in jinja.names(code.tokens)}
    outputs = [code for code in jinja.codes(answer) if code.is_output]
    if len(outputs) != 1:
        return
    inner = _position(outputs[0])
    tokens = jinja.plain(outputs[0].tokens) if inner is None else inner
    seen = {token.text for token in tokens[:1] if jinja.names([token])}
    if seen & shown and all(token.kind != "operator" or token.text in {"|", "-", "(", ")"} for token in tokens):
        unreadable("its prompt holds the answer", ", ".join(sorted(seen)))


def _position(code: jinja.CodeSegment) -> list[jinja.Token] | None:
    """The tokens between the brackets of `answer_choices[...]`, if the code holds nothing else."""
    tokens = jinja.plain(code.tokens)
    if len(tokens) > 3 and [token.text for token in tokens[:2]] == ["answer_choices", "["] and tokens[-1].text == "]":
        return tokens[2:-1]
    return None


# ------------------------------------------------------------------------------------------------------ the verbalizer


def _answer(answer: list[jinja.JinjaSegment], choices: _Choices) -> str:
    """The verbalizer; refuses an answer that is not one of `answer_choices` by position."""
    branches = answer[0].branches if len(answer) == 1 and isinstance(answer[0], jinja.BlockSegment) else []
    if branches and len({jinja.write(branch.body) for branch in branches}) == 1:
        answer = branches[0].body  # whatever the condition, the answer is the same
    around = _around(answer)
    if around is None:
        if not _is_ladder(answer, choices):
            unreadable(_OTHER_ANSWER, jinja.write(answer)[:120])
        around = ("", "")
    if choices.fixed is not None:
        return listed([f"{around[0]}{choice}{around[1]}" for choice in choices.fixed])
    return f"{around[0]}{{{{ choice }}}}{around[1]}"


def _around(answer: list[jinja.JinjaSegment]) -> tuple[str, str] | None:
    """The texts before and after the chosen answer, if it is chosen by position or is a separate field."""
    segments = [segment for segment in answer if not (isinstance(segment, jinja.CodeSegment) and not segment.is_output)]
    outputs = [segment for segment in segments if not isinstance(segment, jinja.TextSegment)]
    if len(outputs) != 1 or not isinstance(outputs[0], jinja.CodeSegment):
        return None
    place = segments.index(outputs[0])
    texts = [
        "".join(segment.text for segment in part if isinstance(segment, jinja.TextSegment))
        for part in (segments[:place], segments[place + 1 :])
    ]
    if any(letter in text for text in texts for letter in "{}"):
        return None
    position = _position(outputs[0])
    tokens = jinja.plain(outputs[0].tokens)
    if position is not None:
        is_always_same = (
            len(position) == 1 and position[0].kind == "integer"
        )  # the order of the choices gives the answer
        return (texts[0], texts[1]) if _is_plain_position(position) or is_always_same else None
    is_name = len(tokens) == 1 and tokens[0].kind == "name" and tokens[0].text != "answer_choices"
    return (texts[0], texts[1]) if is_name else None


def _is_plain_position(tokens: list[jinja.Token]) -> bool:
    """Whether an index means the label: `label`, `label - 1`, `labels.index(answer)` or `{"A": 0, ...}[answer]`."""
    texts = [token.text for token in tokens]
    if texts and tokens[0].kind == "name" and all(each in _STEPS for each in texts[1:]):
        return True
    if len(texts) >= 5 and "index" in texts and texts[-1] == ")" and texts[texts.index("index") + 1] == "(":
        start = texts[: texts.index("index") - 1]
        return "if" not in texts and (len(start) == 1 or start[0] == "choices")
    if texts and texts[0] == "{" and "}" in texts:
        inside = [each for each in texts[1 : texts.index("}")] if each != ","]
        keys, values = inside[::3], inside[2::3]
        rest = texts[texts.index("}") + 1 :]
        return (
            values == [str(index) for index in range(len(values))]
            and keys == sorted(keys)
            and rest[:1] == ["["]
            and len(rest) == 3
        )
    return False


def _is_ladder(answer: list[jinja.JinjaSegment], choices: _Choices) -> bool:
    """`{% if answer == "1" %}{{ first }}{% else %}{{ second }}{% endif %}`, in the order of the choices."""
    blocks = [segment for segment in answer if isinstance(segment, jinja.BlockSegment)]
    if len(blocks) != 1 or len(answer) != 1 or blocks[0].keyword != "if":
        return False
    branches = blocks[0].branches
    if any("==" not in {token.text for token in branch.tag.tokens} for branch in branches[:-1]):
        return False
    written = [_squeezed(jinja.write(branch.body)) for branch in branches]
    expected = [_squeezed(each) for each in choices.each] if choices.fixed is None else []
    by_position = [f"{{{{answer_choices[{index}]}}}}" for index in range(len(branches))]
    has_else = jinja.plain(branches[-1].tag.tokens)[0].text == "else"
    as_many = choices.fixed is None or len(choices.fixed) == len(branches)
    return has_else and as_many and (written in (expected, by_position))


def _squeezed(text: str) -> str:
    return "".join(text.split())
