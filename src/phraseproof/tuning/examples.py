"""Examples of an instruction and its answer, from files: Alpaca's form, prompts and answers, or paraphrase sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from phraseproof.alignment.pairs import ParaphraseSet, load_pairs
from phraseproof.alignment.pairs.pair_file import read_json_rows, text_of
from phraseproof.errors import FileError
from phraseproof.instructions.render import RenderedPrompt
from phraseproof.tasks.data_table import DataTable

SEPARATOR = "\n\n"

PROMPT_COLUMNS = (("prompt", "answer"), ("inputs", "targets"), ("inputs_pretokenized", "targets_pretokenized"))
"""Columns of a whole prompt and its answer: our own, and those of published mixtures of FLAN and promptsource (P3)."""


@dataclass(frozen=True, slots=True)
class TuningExample:
    """One instruction, as text, and its answer.

    Attributes:
        instruction: the instruction, or the whole prompt if there is no `input`.
        input: what the instruction is about; empty if the instruction is the whole prompt.
        output: the answer.
        system: the system prompt, or `None`.
        separator: the text between instruction and input.
        ask_last: the instruction follows the input.
        target_delimiter: the text between prompt and answer; `None` leaves it to the prompt format.
        wording: the wording that the instruction counts as, in the record of wordings; its own text without a template.
        source: where the example came from, for messages; not part of its identity.
    """

    instruction: str
    input: str
    output: str
    system: str | None = None
    separator: str = SEPARATOR
    ask_last: bool = False
    target_delimiter: str | None = None
    wording: str = ""
    source: str = field(default="", compare=False)

    def identity(self) -> list[object]:
        """What the example's tokens depend on."""
        texts: list[object] = [self.instruction, self.input, self.output, self.system]
        return [*texts, self.separator, self.ask_last, self.target_delimiter]

    def rendered(self) -> RenderedPrompt:
        """The example before a prompt format arranges it."""
        has_input = bool(self.input.strip())
        return RenderedPrompt(
            ask=self.instruction if has_input else None,
            tested=self.input if has_input else self.instruction,
            options=(self.output,),
            separator=self.separator,
            ask_last=self.ask_last,
            system=self.system,
            target_delimiter=self.target_delimiter,
        )


class ExamplesOfFile(NamedTuple):
    """The examples of a file, and the number of its rows without an answer, which are left out."""

    examples: list[TuningExample]
    without_answer: int


def load_examples(path: Path) -> ExamplesOfFile:
    """Read examples from a JSON list or JSON Lines.

    * Alpaca's form: `instruction`, `input` (optional) and `output`.
    * Whole prompts: `prompt` and `answer`, or another of `PROMPT_COLUMNS`.
    * Paraphrase sets (`instruction`, `paraphrases`, `input`, `target`): every wording is an example. Sets without a
      label are left out.

    Other fields are ignored, except in paraphrase sets. Rows with an empty answer, which Stanford's file contains, are
    left out.

    Raises:
        FileError: a file or row that cannot be used, or no example with an answer; names file, line and field.
    """
    table = read_json_rows(path)
    if "paraphrases" in table.columns:
        pairs = load_pairs(path)
        found = [example for pair in pairs if pair.labelled for example in examples_of_set(pair)]
        without = sum(not pair.labelled for pair in pairs)
    else:
        prompt, given, answer = _columns(table, path)
        read = [_example(table, row, prompt, given, answer) for row in range(len(table.rows))]
        found = [example for example in read if example.output]
        without = len(read) - len(found)
    if not found:
        raise FileError("the file holds no example with an answer", where=str(path))
    return ExamplesOfFile(found, without)


def _columns(table: DataTable, path: Path) -> tuple[str, str | None, str]:
    """The columns of the instruction, of its input if they are apart, and of the answer."""
    if {"instruction", "output"} <= set(table.columns):
        return "instruction", "input", "output"
    for prompt, answer in PROMPT_COLUMNS:
        if {prompt, answer} <= set(table.columns):
            return prompt, None, answer
    raise FileError(
        "the rows have no instruction and answer",
        expected="instruction and output (and input), prompt and answer, inputs and targets, or paraphrase sets",
        got=", ".join(table.columns),
        where=str(path),
    )


def _example(table: DataTable, row: int, prompt: str, given: str | None, answer: str) -> TuningExample:
    instruction = text_of(table, row, prompt).strip()
    if not instruction:
        raise FileError("the text is empty", where=f"{table.where(row)}, {prompt}")
    return TuningExample(
        instruction=instruction,
        input="" if given is None else text_of(table, row, given, default="").strip(),
        output=text_of(table, row, answer).strip(),
        source=table.where(row),
    )


def examples_of_set(pair: ParaphraseSet) -> Sequence[TuningExample]:
    """The wordings of a paraphrase set, the reference first, without negations: the target is not their answer."""
    templates = {origin.text: origin.template for origin in pair.origins}
    return [
        TuningExample(
            instruction=text,
            input=pair.input,
            output=pair.target,
            system=pair.system_of(index),
            separator=pair.separator,
            ask_last=pair.ask_last,
            target_delimiter=pair.target_delimiter,
            wording=templates.get(text, ""),
            source=pair.source,
        )
        for index, text in enumerate((pair.instruction, *pair.paraphrases))
    ]
