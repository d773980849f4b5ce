"""One example under all wordings: prompts, answers and log-probabilities next to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from phraseproof.errors import PhraseproofError
from phraseproof.reports.html.flips import shares
from phraseproof.viewer.grid import best_and_worst, matching_examples, right_answer, shown_lines
from phraseproof.viewer.index import UNREAD, RunIndex
from phraseproof.viewer.paging import Page, page_of
from phraseproof.viewer.prompts import has_prompt_per_option, rebuilt_prompts
from phraseproof.viewer.rows import StoredRow, read_rows
from phraseproof.viewer.state import PageState
from phraseproof.viewer.wordings import WordingLine

WORDINGS_PER_PAGE = 12
DRAWS_SHOWN = 8
"""Of a wording's draws of demonstrations, repeats and orders, how many are shown in full."""

_BEGINNING = 40
"""Characters of a generated text that name it."""

_ONE_OF_SEVERAL = "Each option has a prompt, and this is the longest; the same text is scored after all of them."


class OptionLine(NamedTuple):
    """An option of an answer.

    Attributes:
        logprob, share: its natural log-probability, and its share of the options' probability; `None` where answers
            were read from texts.
    """

    text: str
    logprob: float | None
    share: float | None
    is_chosen: bool
    is_right: bool


class ShownAnswer(NamedTuple):
    """One outcome, in full.

    Attributes:
        draw: which demonstrations, repeat and order of options, as text; empty where the wording has one outcome.
        options: of tasks with options.
        is_unread: none of the options was found in the text.
        text: what was generated; `None` where options were scored.
        prompt: as the model read it; `None` where it is neither stored nor rendered.
        prompt_note: where the prompt comes from, or why it lacks.
    """

    draw: str
    score: float
    is_best: bool
    options: tuple[OptionLine, ...]
    is_unread: bool
    text: str | None
    is_cut: bool
    prompt: str | None
    prompt_note: str
    prompt_tokens: int
    truncated_tokens: int


class WordingCard(NamedTuple):
    """A wording on the example.

    Attributes:
        line: the wording on the whole task.
        mean: its score on the example, over draws.
        answers: of its draws, the first ones.
        num_answers: the number of draws.
    """

    line: WordingLine
    mean: float
    is_best: bool
    answers: tuple[ShownAnswer, ...]
    num_answers: int


class AnswerCount(NamedTuple):
    """How many wordings give an answer to an example; one with several draws counts for each of its answers.

    Attributes:
        answer: as in the index, as text.
        name: the option; that none was read, or no text stored; or how the text begins, where this page shows it, else
            `text 1` and so on.
    """

    answer: str
    name: str
    num_wordings: int


class ExampleView(NamedTuple):
    """An example.

    Attributes:
        references: the expected texts, or the right option.
        counts: of answers, the most frequent first.
        cards: of this page.
        earlier, later: ids of the neighbours in the filtered list; empty where there are none.
        place, total: in that list; 0 where the example is not in it.
    """

    id: str
    references: tuple[str, ...]
    counts: tuple[AnswerCount, ...]
    cards: Page[WordingCard]
    earlier: str
    later: str
    place: int
    total: int


def example_of(index: RunIndex, state: PageState) -> ExampleView | None:
    """The example that a state names; the state is `settled`. `None` if the run has none of this name.

    Raises:
        RunError: a file is damaged or gone.
    """
    number = index.number_of(state.task, state.example)
    if number is None:
        return None
    lines = {line.column.number: line for line in shown_lines(index, state)}
    rows = index.rows(
        "SELECT col, cell, row, score, answer FROM outcomes WHERE example = ? AND col IN (SELECT unnest(?::INTEGER[])) "
        "ORDER BY cell",
        [number, list(lines)],
    )
    places: dict[int, list[StoredRow]] = {}
    scores: dict[int, list[float]] = {}
    answers: dict[int, set[int]] = {}
    answer_at: dict[StoredRow, int] = {}
    for column, cell, row, score, answer in rows:
        place = StoredRow(cell, row, number)
        answer_at[place] = answer
        places.setdefault(column, []).append(place)
        scores.setdefault(column, []).append(score)
        answers.setdefault(answer, set()).add(column)
    kept = sorted(
        (column for column in lines if column in places),
        key=lambda column: lines[column].column.instruction not in (state.base, state.wording),  # named ones first
    )
    if state.answer:
        with_answer = next((members for answer, members in answers.items() if str(answer) == state.answer), set())
        kept = [column for column in kept if column in with_answer]
    page = page_of(kept, state.page, WORDINGS_PER_PAGE)
    wanted = {column: places[column][:DRAWS_SHOWN] for column in page.rows}
    first = next(iter(places.values()), [])[:1]
    stored = read_rows(index, [*first, *(place for of_column in wanted.values() for place in of_column)])
    texts = {answer: stored[place]["text"] for place, answer in answer_at.items() if place in stored}
    best, _ = best_and_worst(index)
    cards = [
        WordingCard(
            lines[column],
            sum(scores[column]) / len(scores[column]),
            all(score == best for score in scores[column]),
            tuple(read_answer(index, place, stored[place]) for place in of_column),
            len(places[column]),
        )
        for column, of_column in wanted.items()
    ]
    row = stored[first[0]] if first else {}
    order = list(matching_examples(index, state))
    at = order.index(number) if number in order else None
    return ExampleView(
        state.example,
        references_of(row) if row else (),
        _counts(answers, row, texts),
        Page(cards, page.number, page.size, page.total),
        index.examples[order[at - 1]][1] if at else "",
        index.examples[order[at + 1]][1] if at is not None and at + 1 < len(order) else "",
        0 if at is None else at + 1,
        len(order),
    )


def references_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The expected texts of an outcome, or its right option."""
    first = right_answer(row)
    others = () if row["options"] else tuple(row["other_references"] or ())
    return tuple(text for text in (first, *others) if text)


def read_answer(index: RunIndex, place: StoredRow, row: Mapping[str, Any]) -> ShownAnswer:
    """An outcome for people; its prompt is rendered again where the run does not store it."""
    best, _ = best_and_worst(index)
    prompt, note = _prompt(index, place, row)
    return ShownAnswer(
        _draw(index, place.cell),
        row["score"],
        row["score"] == best,
        _options(row),
        bool(row["options"]) and row["predicted"] is None,
        row["text"],
        bool(row["is_cut"]),
        prompt,
        note,
        row["prompt_tokens"] or 0,
        row["truncated_tokens"] or 0,
    )


def _draw(index: RunIndex, number: int) -> str:
    """What distinguishes a cell from the others of its wording; nothing where there are no others."""
    cell = index.cells[number]
    column = next(each for each in index.columns if number in each.cells)
    others = [index.cells[other] for other in column.cells]
    parts = {
        "demonstrations": [each.fewshot_seed for each in (cell, *others)],
        "repeat": [each.repeat for each in (cell, *others)],
        "order": [each.option_order for each in (cell, *others)],
    }
    return ", ".join(f"{name} {values[0]}" for name, values in parts.items() if len(set(values)) > 1)


def _options(row: Mapping[str, Any]) -> tuple[OptionLine, ...]:
    options: Sequence[str] = row["options"] or ()
    logprobs: Sequence[float | None] = row["option_logprobs"] or ()
    known = [value for value in logprobs if value is not None]
    is_known = len(known) == len(options)
    of_total = shares(known) if is_known else ()
    of_options: Sequence[float] = row["option_credits"] or ()
    return tuple(
        OptionLine(
            text,
            logprobs[number] if number < len(logprobs) else None,
            of_total[number] if is_known else None,
            number == row["predicted"],
            of_options[number] == max(of_options) if len(of_options) == len(options) else number == row["target"],
        )
        for number, text in enumerate(options)
    )


def _prompt(index: RunIndex, place: StoredRow, row: Mapping[str, Any]) -> tuple[str | None, str]:
    cell = index.cells[place.cell]
    one_of = _ONE_OF_SEVERAL if has_prompt_per_option(index.run, cell) else ""
    if row["prompt"] is not None:
        return row["prompt"], one_of
    try:
        (prompt,) = rebuilt_prompts(index.run, cell, [row["example_id"]])
    except PhraseproofError as error:
        return None, f"The run does not store prompts, and this one cannot be rendered again: {error.problem}."
    if row["options"] and prompt.options and tuple(row["options"]) != prompt.options:
        return None, "The run does not store prompts, and its options are not those that rendering gives today."
    said = "Rendered again from the task's data."
    if prompt.messages:
        said = "Rendered again: the turns of the chat, without the marks of the model's chat template."
    return prompt.text, f"{said} {one_of}".rstrip()


def _counts(
    answers: Mapping[int, set[int]], row: Mapping[str, Any], texts: Mapping[int, str | None]
) -> tuple[AnswerCount, ...]:
    options: Sequence[str] = row.get("options") or ()
    ordered = sorted(answers.items(), key=lambda each: (-len(each[1]), each[0]))
    found: list[AnswerCount] = []
    for number, (answer, members) in enumerate(ordered, 1):
        if answer == UNREAD:
            name = "no answer read" if options else "no text stored"
        elif answer < len(options):
            name = options[answer] if options[answer] == letter(answer) else f"{letter(answer)}: {options[answer]}"
        else:
            name = _beginning(texts.get(answer)) or f"text {number}"
        found.append(AnswerCount(str(answer), name, len(members)))
    return tuple(found)


def _beginning(text: str | None) -> str:
    """The first words of a text, on one line."""
    line = " ".join((text or "").split())
    return line if len(line) <= _BEGINNING else f"{line[: _BEGINNING - 1]}…"


def letter(number: int | None) -> str:
    """The letter of an option, as `A`; its number from the 27th on; nothing for none."""
    if number is None or number < 0:
        return ""
    return chr(ord("A") + number) if number < 26 else str(number + 1)
