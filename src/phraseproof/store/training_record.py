"""`phraseproof.json`: the record of how an adapter or a tuned model was trained.

It is stored with the weights, so that an evaluation can recognise wordings that the training used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from phraseproof.core import Example
from phraseproof.errors import FileError, InstructionError, RunError
from phraseproof.files import read_json, write_json
from phraseproof.instructions.fingerprint import asked_by, fingerprint
from phraseproof.instructions.template import CompiledInstruction

RECORD_FILE = "phraseproof.json"
RECORD_VERSION = 1

_EXAMPLES_LOOKED_AT = 20


class SeenWording(NamedTuple):
    """A wording under test that the training of the model or adapter has seen.

    Attributes:
        name: the wording's name in the run, `collection/id`.
        text: as training saw it.
        held_out: it was not trained on, but training was stopped by it.
    """

    name: str
    text: str
    held_out: bool


def write_record(folder: Path, record: Mapping[str, object]) -> None:
    """Replace the folder's record in one step.

    Raises:
        RunError: it cannot be written.
    """
    write_json(folder / RECORD_FILE, {"version": RECORD_VERSION, **record}, error=RunError)


def read_record(folder: Path) -> dict[str, Any] | None:
    """The folder's record, or `None` where it has none: then it was not trained by phraseproof.

    Raises:
        FileError: a record that cannot be read, or of another version.
    """
    path = folder / RECORD_FILE
    if not path.exists():
        return None
    try:
        record = read_json(path)
    except (OSError, ValueError) as error:
        raise FileError("the record of the training cannot be read", got=str(error), where=str(path)) from None
    known = cast(dict[str, Any], record) if isinstance(record, dict) else {}
    if (version := known.get("version")) != RECORD_VERSION:
        raise FileError(
            "the record of the training was written by another version of phraseproof",
            expected=f"version {RECORD_VERSION}",
            got=str(version),
            where=str(path),
        )
    return known


def seen_wordings(
    folder: Path, wordings: Iterable[CompiledInstruction], examples: Sequence[Example]
) -> list[SeenWording]:
    """The wordings under test that are among those the training of `folder` has seen.

    A wording is seen when its ask (or its whole template), as it is written or as it reads for any of the first
    examples, is one of the recorded texts.

    Args:
        folder: an adapter or a model folder; one without a record has seen nothing that is known.
        wordings: the wordings under test.
        examples: of the task under test.

    Raises:
        FileError: the record cannot be read.
    """
    record = read_record(folder)
    if record is None:
        return []
    sources = [(False, record.get("wordings", {})), (True, record.get("held_out_wordings", {}))]
    found: list[SeenWording] = []
    for wording in wordings:
        keys = {fingerprint(text) for text in _texts(wording, examples[:_EXAMPLES_LOOKED_AT])}
        for held_out, known in sources:
            if hit := next((key for key in sorted(keys) if key in known), None):
                found.append(SeenWording(wording.instruction.name, known[hit], held_out))
                break
    return found


def _texts(wording: CompiledInstruction, examples: Sequence[Example]) -> Iterable[str]:
    yield asked_by(wording.instruction)
    render = wording.render_template if wording.instruction.ask is None else wording.render_ask
    for example in examples:
        try:
            yield render(example)
        except InstructionError:  # the evaluation reports this error itself, with its place
            return
