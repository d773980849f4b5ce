"""The lines about how answers were read, from stored outcomes."""

from __future__ import annotations

import math
from pathlib import Path

from phraseproof.analysis.readings import unread_texts
from phraseproof.core import Outcome
from phraseproof.reports.build.readings import labelled_reading_lines, reading_lines
from phraseproof.scoring.first_token import SCORER
from phraseproof.scoring.registry import metric, scorer
from phraseproof.store.queries import Run, load_run
from phraseproof.store.usage import Usage
from phraseproof.store.writer import RunStore
from support.stored_cells import make_cell
from support.text_runs import write_text_run


def run_of(folder: Path, *probabilities: tuple[float, float]) -> Run:
    """A run with an outcome for each pair of the probabilities of two options, up to 0.1 of each not listed."""
    cell = make_cell(scoring="first_token", num_examples=len(probabilities))
    store = RunStore(folder, {"scoring": "first_token"})
    store.register([cell], {})
    outcomes = [
        SCORER.predict(
            Outcome(
                f"e{number}",
                0.0,
                ("A", "B"),
                tuple(math.log(value) if value else -math.inf for value in pair),
                option_credits=(1.0, 0.0),
                option_upper_logprobs=tuple(math.log(value + 0.1) for value in pair),
                target=0,
                text="A",
            )
        )
        for number, pair in enumerate(probabilities)
    ]
    store.write(cell, outcomes, Usage())
    return load_run(folder)


def test_open_and_unread_answers_and_little_probability_are_named(tmp_path: Path) -> None:
    run = run_of(tmp_path, (0.8, 0.1), (0.3, 0.25), (0.0, 0.0), (0.9, 0.0))
    assert reading_lines(run) == (
        (
            "read from the first token; options have 58.8% of the probability on average, and less than half of it in "
            "1 of 4 (25.0%) answers"
        ),
        (
            "1 of 4 (25.0%) choices are open: within the bounds of what the server does not list, another option could "
            "be the most probable one"
        ),
        "1 of 4 (25.0%) answers are unread: no option was found in them. They are in all means, and count as wrong",
    )
    assert labelled_reading_lines([run])[0].startswith(f"{tmp_path}: read from the first token")


def test_a_run_without_any_says_so(tmp_path: Path) -> None:
    assert reading_lines(run_of(tmp_path, (0.8, 0.1), (0.1, 0.7)))[1:] == ("all 2 answers were read",)


def test_a_corpus_metric_says_so_with_its_signature(tmp_path: Path) -> None:
    run = write_text_run(tmp_path / "run", "chrf", tasks=("news",), wordings=2, examples=4)
    lines = reading_lines(run)
    signature = metric("chrf").signature
    assert signature is not None
    assert (
        lines[1] == f"chrf ({signature}) is computed from all examples of a task together, and is no mean over examples"
    )
    rouge = write_text_run(tmp_path / "rouge", "rouge2", tasks=("news",), wordings=2, examples=4)
    assert reading_lines(rouge)[1] == f"the metric is rouge2 ({metric('rouge2').signature})"


def text_run(folder: Path, texts: list[str], scoring: str = "generate") -> Run:
    """A run with an outcome for each text, of which only `A` is an option; those that end in `-` were cut."""
    cell = make_cell(scoring=scoring, num_examples=len(texts))
    store = RunStore(folder, {"scoring": scoring})
    store.register([cell], {})
    outcomes = [
        scorer(scoring).predict(
            Outcome(f"e{n}", 0.0, ("A", "B"), option_credits=(1.0, 0.0), target=0, text=text, is_cut=text.endswith("-"))
        )
        for n, text in enumerate(texts)
    ]
    store.write(cell, outcomes, Usage())
    return load_run(folder)


def test_where_many_answers_are_unread_their_beginnings_are_shown(tmp_path: Path) -> None:
    texts = ["A"] * 2 + ["I'm sorry,\n but as a chatbot"] * 3 + ["\x1b[31mred<b>[/]"] * 2 + ["", "one more-", "last"]
    assert reading_lines(text_run(tmp_path / "run", texts))[1:] == (
        "8 of 10 (80.0%) answers are unread: no option was found in them. They are in all means, and count as wrong",
        (
            "unread texts begin most often with \"I'm sorry, but as a\" (3), '\\x1b[31mred<b>[/]' (2), nothing (1); "
            "--extract reads stored texts in another way, without the model"
        ),
        "1 of 8 (12.5%) unread texts ended at the maximum number of tokens (--max-new-tokens)",
    )
    assert len(reading_lines(text_run(tmp_path / "few", ["A"] * 30 + ["no"]))) == 2


def test_where_last_lines_are_read_those_are_shown(tmp_path: Path) -> None:
    run = text_run(
        tmp_path, ["Well\nI hope this helps you!\n", "A", "Hm,\r\nI hope this helps you a lot"], "generate:last_line"
    )
    found = unread_texts(run)
    assert found == ((("I hope this helps you", 1), ("I hope this helps you!", 1)), True, 0)
    assert "the last lines of unread texts begin most often with 'I hope this helps you' (1)" in reading_lines(run)[2]


def test_imported_outcomes_say_so_and_cannot_be_read_in_another_way(tmp_path: Path) -> None:
    unread = Outcome("e0", 0.0, ("x", "y"), option_credits=(1.0, 0.0), target=0, text="Neither.")
    found: list[tuple[str, ...]] = []
    for name, outcome in (("scores", Outcome("e0", 1.0)), ("texts", unread)):
        cell = make_cell(scoring="imported", num_examples=1)
        store = RunStore(tmp_path / name, {"scoring": "imported", "imported": "inspect"})
        store.register([cell], {})
        store.write(cell, [outcome], Usage())
        found.append(reading_lines(load_run(tmp_path / name)))
    said = "imported: another program read and scored the answers (import-results --from inspect)"
    assert found[0] == (said,)  # a missing text is not an empty one
    assert found[1][0] == said
    assert found[1][1].startswith("1 of 1 (100.0%) answers are unread")
    assert found[1][1].endswith("in all means, with the other program's scores")
    assert found[1][2] == "unread texts begin most often with 'Neither.' (1)"
