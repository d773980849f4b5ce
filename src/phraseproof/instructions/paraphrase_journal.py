"""A paraphraser's requests and answers, one per line of a file, so that a stopped run repeats no request."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import cast

from phraseproof.core import CutText
from phraseproof.errors import FileError
from phraseproof.files import parse_json, read_bytes
from phraseproof.identity import content_hash


def journal_path(out: Path) -> Path:
    """The path of the journal, next to the collection that is written."""
    return out.with_suffix(".asked.jsonl")


class Journal:
    """Answers by prompt, attempt and the paraphraser's settings.

    Args:
        path: a JSON Lines file, created with the first answer; `None` keeps answers in memory only.
        settings: everything else that determines an answer (model, sampling), as plain data.

    Raises:
        FileError: the file exists and is not a journal, or cannot be read.
    """

    def __init__(self, path: Path | None, settings: object) -> None:
        self._path = path
        self._settings = settings
        self._answers: dict[str, str] = {}
        if path is not None and path.exists():
            self._read(path)

    def answer(self, prompt: str, attempt: int) -> str | None:
        """The stored answer, or None."""
        return self._answers.get(self._key(prompt, attempt))

    def keep(self, prompt: str, attempt: int, answer: str) -> None:
        """Store an answer; it is on the disk when this returns.

        Raises:
            FileError: the file cannot be written.
        """
        key = self._key(prompt, attempt)
        self._answers[key] = answer
        if self._path is None:
            return
        entry: dict[str, object] = {"key": key, "prompt": prompt, "attempt": attempt, "answer": answer}
        if isinstance(answer, CutText):
            entry["is_cut"] = True
        line = json.dumps(entry, ensure_ascii=True)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8", newline="\n") as stream:
                stream.write(line + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise FileError(f"cannot be written: {error.strerror or error}", where=str(self._path)) from None

    def _read(self, path: Path) -> None:
        try:
            text = read_bytes(path).decode()
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"cannot be read: {error}", where=str(path)) from None
        lines = text.split("\n")
        for number, line in enumerate(lines, start=1):
            if not line:
                continue
            try:
                entry = cast("dict[str, object]", parse_json(line))
                key, answer, is_cut = str(entry["key"]), str(entry["answer"]), bool(entry.get("is_cut"))
            except (ValueError, TypeError, KeyError, AttributeError):
                if number == len(lines):  # cut off by a kill: the line is removed, and its request repeated
                    self._cut(path, text[: len(text) - len(line)])
                    return
                raise FileError(
                    "not a line of a paraphraser's journal",
                    where=f"{path}:{number}",
                    hint="Move the file away, or give --out another name",
                ) from None
            self._answers[key] = CutText(answer) if is_cut else answer

    def _cut(self, path: Path, text: str) -> None:
        try:
            os.truncate(path, len(text.encode()))
        except OSError as error:
            raise FileError(f"cannot be written: {error.strerror or error}", where=str(path)) from None

    def _key(self, prompt: str, attempt: int) -> str:
        return content_hash({"prompt": prompt, "attempt": attempt, "of": self._settings})
