"""Prompts for a paraphraser: the paper's two sets (appendix B.3), or a user's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from phraseproof.errors import FileError, UsageError
from phraseproof.typed_yaml import StrictModel, parse
from phraseproof.yaml_document import line_of, load

PLACE = "{instruction}"
"""The place of the ask in a prompt."""
PROMPT_SETS: Mapping[str, tuple[str, ...]] = {
    "alpaca": (
        "Paraphrase this sentence:\n\n{instruction}Paraphrased sentence:\n\n",
        "Paraphrase this instruction into a longer sentence\n\n\n{instruction}New sentence:\n",
        (
            "You are given an instruction:\n\n{instruction}Now, paraphrase it into a new instruction with equivalent "
            "meaning:\n\n"
        ),
    ),
    "flan": (
        (
            "Here's an input utterance:\n\n{instruction}\n \n Now, your task is to paraphrase the input by only"
            " changing the instruction but leaving everything else the same.\n Here's the new utterance:\n\n"
        ),
        (
            "You are given an utterance which is a combination of task instruction and the actual input. Your job is to"
            " paraphrase the task instruction and leave the input unchanged. Here's the utterance to be paraphrased:"
            "\n\n\n{instruction}\n\n Now, generate the new utterance:\n\n\n"
        ),
        (
            "You are provided with the utterance of a specific task and I need you to paraphrase it. The actual input,"
            " question, and examples in the task should not be changed. You should only paraphrase the instructions."
            " Task:\n\n {instruction}\n\nThe paraphrased utterance:\n\n\n"
        ),
    ),
}
"""The paper's two sets of three prompts (appendix B.3), by the collection whose wordings they were used for."""


@dataclass(frozen=True, slots=True)
class ParaphrasePrompts:
    """A set of prompts for a paraphraser; each prompt gives one paraphrase of every wording.

    Attributes:
        name: recorded in the provenance of the paraphrases.
        texts: each with `{instruction}` once.
    """

    name: str
    texts: tuple[str, ...]


def read_prompts(name_or_path: str) -> ParaphrasePrompts:
    """The paper's prompts by name (`alpaca`, `flan`), or the user's own from a YAML file with a list `prompts`.

    Raises:
        UsageError: no set has this name.
        FileError: the file cannot be read, or a prompt does not hold `{instruction}` once.
    """
    if name_or_path in PROMPT_SETS:
        return ParaphrasePrompts(name_or_path, PROMPT_SETS[name_or_path])
    path = Path(name_or_path)
    if path.suffix.lower() not in {".yaml", ".yml"} and not path.exists():
        raise UsageError(
            f"no set of prompts is called {name_or_path!r}",
            expected=f"{', '.join(PROMPT_SETS)}, or a YAML file with a list `prompts`",
            where="--prompts",
        )
    document = load(path)
    texts = parse(document, path, _PromptsFile).prompts
    if not texts:
        raise FileError("the list of prompts is empty", where=f"{path}:{line_of(document, ('prompts',))}")
    return ParaphrasePrompts(path.stem, tuple(texts))


def _with_place(text: str) -> str:
    if text.count(PLACE) != 1:
        raise ValueError(f"a prompt holds {PLACE} once, where the ask is put")
    return text


class _PromptsFile(StrictModel):
    prompts: list[Annotated[str, AfterValidator(_with_place)]]
