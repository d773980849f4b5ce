"""Write collections as YAML files; `load_collection` reads equal wordings from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import yaml

from phraseproof.core import Instruction
from phraseproof.files import write_text

_SHARED = ("for", "system", "relation", "author", "source", "licence")
_ANSWERS = {"{{ letter }}": "letter", "{{ choice }}": "text"}
_VERBALISED = re.compile(r"\{\{ choice \| verbalise\((.*)\) \}\}", re.DOTALL)
_LINE_ENDS = re.compile("[\r\x85\u2028\u2029\ufeff]")
"""Characters that YAML reads as the end of a line, or drops, unless the text is quoted."""
# Equal to Instruction.separator's default: written only if it differs.
_DEFAULT_SEPARATOR = "\n\n"


def write_collection(path: Path, name: str, instructions: Sequence[Instruction], *, remark: str = "") -> None:
    """Write a collection's file atomically.

    A value of `for`, `relation`, `author`, `source` or `licence` that all wordings share is written once, at the top.

    Args:
        path: the file; an existing one is replaced.
        name: the collection's name.
        instructions: its wordings, at least one.
        remark: comment lines at the top of the file.

    Raises:
        FileError: the file cannot be written.
    """
    entries = [_entry(each) for each in instructions]
    head: dict[str, object] = {"name": name}
    for field in _SHARED:
        values = [entry.get(field) for entry in entries]
        if values[0] is not None and all(value == values[0] for value in values):
            head[field] = values[0]
            for entry in entries:
                del entry[field]
    remarks = ("".join(each if each.isprintable() else " " for each in line) for line in remark.splitlines())
    text = "".join(f"# {line}".rstrip() + "\n" for line in remarks)
    text += yaml.dump({**head, "instructions": entries}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    write_text(path, text)


def _entry(wording: Instruction) -> dict[str, object]:
    entry: dict[str, object] = {
        "id": wording.id,
        "for": wording.serves[0] if len(wording.serves) == 1 else list(wording.serves) or None,
        "fallback": True if wording.fallback else None,
        "relation": wording.relation.value if wording.relation else None,
        "author": wording.author,
        "source": wording.source,
        "licence": wording.licence,
        "system": wording.system,
        "ask": wording.ask,
        "layout": wording.layout,
        "template": wording.template,
    }
    if wording.layout is not None and wording.ask_last:
        entry["order"] = "ask-last"
    if wording.layout is not None and wording.separator != _DEFAULT_SEPARATOR:
        entry["separator"] = wording.separator
    entry["answer"] = _answer(wording.answer)
    entry["continuation"] = wording.continuation
    entry["target_delimiter"] = wording.target_delimiter
    entry["fewshot_delimiter"] = wording.fewshot_delimiter
    return {field: value for field, value in entry.items() if value is not None}


def _answer(template: str) -> object:
    """The shortest form of the verbalizer in the file: `letter`, `text`, answers, or the template."""
    if template in _ANSWERS:
        return _ANSWERS[template]
    verbalised = _VERBALISED.fullmatch(template)
    if verbalised:
        try:
            answers: object = json.loads(verbalised.group(1))
        except ValueError:
            return template
        members = cast("dict[str, object]", answers).values() if isinstance(answers, dict) else answers
        listed = cast("Iterable[object]", members)
        if all(isinstance(each, str) and each.strip() for each in listed):
            return cast("object", answers)
    return template


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that they are readable."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # PyYAML itself quotes a block whose white space or special characters would be lost.
    style = '"' if _LINE_ENDS.search(text) else "|" if "\n" in text.strip("\n") else None
    plain: Any = dumper  # its types are incomplete
    return plain.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent)
