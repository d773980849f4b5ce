"""What is scored: MMLU-like questions as letters and as texts, with and without demonstrations, under many wordings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import overload

from benchmarks.shapes import DATA, LETTERS, prompt_text, questions
from phraseproof.core import Prompt

INSTRUCTION = "The following is a multiple choice question.\n\n"

WORDINGS = (
    "The following is a multiple choice question.",
    "Choose the right answer.",
    "Which of the options answers the question?",
    "Read the question and pick one of the four options.",
    "Answer with the letter of the right option.",
    "You are taking an exam. Mark the correct option.",
    "Here is a question with four possible answers; one is right.",
    "Pick the best answer to the question below.",
    "Decide which option is correct.",
    "Please answer this question.",
    "What is the correct answer?",
    "Select the option that answers the question.",
    "As an expert, choose the most suitable answer.",
    "One of the four options is correct. Which one?",
    "Think about the question and give the right option.",
    "Consider the options carefully, then answer.",
    "Solve the following problem.",
    "Give the letter of the correct answer.",
    "Your task is to answer a multiple choice question.",
    "Find the right option.",
)


def prompts(kind: str, count: int, *, shots: int = 0, instruction: str = INSTRUCTION, first: int = 0) -> list[Prompt]:
    """Questions after the same demonstrations, which are never among them.

    Args:
        kind: `letters` or `texts`: how options are written.
        first: how many questions are left out.
    """
    drawn = questions(first + count + shots)[first:]
    answers = [LETTERS[0] if kind == "letters" else options[0] for _, options in drawn]
    shown = [_body(*question) for question in drawn]
    demonstrations = "".join(f"{shown[index]} {answers[index]}\n\n" for index in range(shots))
    return [
        Prompt(instruction + demonstrations + shown[index], tuple(LETTERS if kind == "letters" else drawn[index][1]))
        for index in range(shots, shots + count)
    ]


def many_wordings(wordings: int, count: int, *, shots: int, first: int = 0) -> list[Prompt]:
    """The same questions under each of the wordings, one wording after the other; `first` are left out."""
    return [
        prompt
        for wording in WORDINGS[:wordings]
        for prompt in prompts("letters", count, shots=shots, instruction=wording + "\n\n", first=first)
    ]


BIG_BENCH = ("hindu_knowledge", "known_unknowns", "novel_concepts")


def big_bench(wordings: int, per_task: int) -> list[Prompt]:
    """The first questions of three BIG-bench tasks under each of the wordings, with texts as options.

    Raises:
        SystemExit: the published files are not in `BENCHMARK_DATA`.
    """
    asked: list[tuple[str, list[str]]] = []
    for task in BIG_BENCH:
        file = DATA / "bbl" / task / "task.json"
        if not file.is_file():
            raise SystemExit(f"BIG-bench's published files are needed: no file {file} (set BENCHMARK_DATA)")
        examples = json.loads(file.read_text(encoding="utf-8"))["examples"][:per_task]
        asked += [(example["input"], list(example["target_scores"])) for example in examples]
    return [
        Prompt(f"{wording}\n\n{question.strip()}\nAnswer:", tuple(options))
        for wording in WORDINGS[:wordings]
        for question, options in asked
    ]


def _body(question: str, options: list[str]) -> str:
    return prompt_text(question, options).removeprefix(INSTRUCTION)


class NumberedPrompts(Sequence[Prompt]):
    """Any number of different short prompts, made when they are asked for, so that they take no memory themselves."""

    def __init__(self, count: int, first: int = 0) -> None:
        self._count, self._first = count, first

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Prompt: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Prompt]: ...

    def __getitem__(self, index: int | slice) -> Prompt | Sequence[Prompt]:
        if isinstance(index, slice):
            start, stop, _ = index.indices(self._count)
            return NumberedPrompts(stop - start, self._first + start)
        if not 0 <= index < self._count:
            raise IndexError(index)
        number = self._first + index
        return Prompt(f"{number * 7919 % 1000003} or {number}: which is it?\nAnswer:", tuple(LETTERS))
