"""What a paraphraser was asked and answered, line by line in a file: a stopped run asks nothing twice."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from phraseproof.errors import FileError
from phraseproof.identity import content_hash


class Journal:
    """Answers by what was asked, of whom, and at which attempt.

    Args:
        path: a JSON Lines file, made when the first answer comes; `None` keeps answers in memory only.
        asked_of: what else an answer hangs on (model, sampling), as plain data.

    Raises:
        FileError: the file is there and is no journal, or cannot be read.
    """

    def __init__(self, path: Path | None, asked_of: Any) -> None:
        self._path = path
        self._asked_of = asked_of
        self._answers: dict[str, str] = {}
        if path is not None and path.exists():
            self._read(path)

    def answer(self, prompt: str, attempt: int) -> str | None:
        """The answer that is known, or None."""
        return self._answers.get(self._key(prompt, attempt))

    def keep(self, prompt: str, attempt: int, answer: str) -> None:
        """Remember an answer; it is on the disk when this returns.

        Raises:
            FileError: the file cannot be written.
        """
        key = self._key(prompt, attempt)
        self._answers[key] = answer
        if self._path is None:
            return
        line = json.dumps({"key": key, "prompt": prompt, "attempt": attempt, "answer": answer}, ensure_ascii=True)
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
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"cannot be read: {error}", where=str(path)) from None
        lines = text.split("\n")
        for number, line in enumerate(lines, start=1):
            if not line:
                continue
            try:
                entry = json.loads(line)
                key, answer = entry["key"], entry["answer"]
            except (ValueError, TypeError, KeyError):
                if number == len(lines):  # cut off by a kill: asked again, and the rest of the file begins anew
                    self._cut(path, text[: len(text) - len(line)])
                    return
                raise FileError(
                    "not a line of a paraphraser's journal",
                    where=f"{path}:{number}",
                    hint="Move the file away, or give --out another name",
                ) from None
            self._answers[str(key)] = str(answer)

    def _cut(self, path: Path, text: str) -> None:
        try:
            os.truncate(path, len(text.encode()))
        except OSError as error:
            raise FileError(f"cannot be written: {error.strerror or error}", where=str(path)) from None

    def _key(self, prompt: str, attempt: int) -> str:
        return content_hash({"prompt": prompt, "attempt": attempt, "of": self._asked_of})
