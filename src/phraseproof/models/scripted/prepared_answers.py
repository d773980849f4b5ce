"""Prepared answers from a file, for the scripted model to write:

answers:
  - to: [Pick the team, longer sentence]   # texts that the prompt contains, all of them
    say: Look at the message and pick the team that should answer it.
  - to: Pick the team
    say: [Choose the team., Name the team.]   # chosen by the sampling's seed, in turn
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field

from phraseproof.core import Prompt, Sampling
from phraseproof.typed_yaml import StrictModel, parse
from phraseproof.yaml_document import load, read_text


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Texts = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1), BeforeValidator(_listed)]


class _Answer(StrictModel):
    to: _Texts
    say: _Texts


class _File(StrictModel):
    answers: list[_Answer]


class PreparedAnswers(NamedTuple):
    """The answers of a file.

    Attributes:
        write: the answer to a prompt; empty if none was prepared.
        digest: a hash of the file, which identifies the answers.
    """

    write: Callable[[Prompt, Sampling], str]
    digest: str


def read_answers(path: Path) -> PreparedAnswers:
    """Read a file of answers. A prompt gets the first answer whose texts it contains.

    Raises:
        FileError: the file cannot be read, or is not of this form.
    """
    answers = parse(load(path), path, _File).answers

    def write(prompt: Prompt, sampling: Sampling) -> str:
        for answer in answers:
            if all(text in prompt.text for text in answer.to):
                return answer.say[sampling.seed % len(answer.say)]
        return ""

    digest = hashlib.blake2b(read_text(path).encode(), digest_size=8).hexdigest()
    return PreparedAnswers(write, digest)
