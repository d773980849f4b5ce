"""The options of `harden --methods`, and their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from phraseproof.cli import options
from phraseproof.cli.options import DATA, INSTRUCTIONS, OUTPUT, STATISTICS, TRAINING
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.alignment.settings import AlignmentSettings
    from phraseproof.hardening import SearchSettings

Methods = Annotated[
    str | None,
    typer.Option(
        metavar="METHOD,...",
        help="Compare these methods at equal budget on validation, refit the best, and report it once on a test set, "
        "next to what costs no training. auto: lora+paft+choice at 1e-3. Each may have a teacher and settings of its "
        "own: pt@ensemble, lora+kl:rank=16 (docs/align.md).",
        rich_help_panel=TRAINING,
    ),
]
Rates = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[METHOD=]RATE,...",
        help="With --methods: the learning rates to compare, of all methods, of one, or of all that train the same "
        "(prompt, lora, dora, weights): prompt=1e-3,3e-3. Repeatable. Default: three for what is trained.",
        show_default=False,
        rich_help_panel=TRAINING,
    ),
]
Seeds = Annotated[
    str | None,
    typer.Option(
        metavar="SEED,...",
        help="With --methods: the seeds of the reported trainings. Default: 0.",
        show_default=False,
        rich_help_panel=TRAINING,
    ),
]
SearchSeeds = Annotated[
    int | None,
    typer.Option(
        help="With --methods: how many of the seeds the search uses. Default: 1.",
        show_default=False,
        rich_help_panel=TRAINING,
    ),
]
Refit = Annotated[
    bool | None,
    typer.Option(
        "--refit/--no-refit",
        help="With --methods: train what is reported again, on training and validation together, or report the "
        "trainings that were compared, in half the time or less. Default: refit.",
        show_default=False,
        rich_help_panel=TRAINING,
    ),
]
Reported = Annotated[
    Literal["best", "all"] | None,
    typer.Option(
        "--report",
        help="With --methods: report the method that is best on validation, or all at their best rates. Default: best.",
        show_default=False,
        rich_help_panel=TRAINING,
    ),
]
UnseenTasks = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TASK,...",
        help="With --methods: tasks that no training sees, to measure on. Repeatable.",
        rich_help_panel=DATA,
        autocompletion=options.complete_tasks,
    ),
]
CheckTasks = Annotated[
    list[str] | None,
    typer.Option(
        "--check",
        metavar="TASK,...",
        help="With --methods: tasks on which forgetting would show, as mmlu/astronomy. Repeatable.",
        rich_help_panel=DATA,
        autocompletion=options.complete_tasks,
    ),
]
FurtherInstructions = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WORDINGS",
        help="With --methods: more collections, which only --unseen-tasks and --check use. Repeatable.",
        rich_help_panel=INSTRUCTIONS,
        autocompletion=options.complete_instructions,
    ),
]
SplitWordings = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE,SHARE,SHARE",
        help="With --methods: the shares of wordings to train on, choose by and measure on. Default: 0.4,0.2,0.4.",
        show_default=False,
        rich_help_panel=INSTRUCTIONS,
    ),
]
SplitExamples = Annotated[
    str | None,
    typer.Option(
        metavar="SHARE,SHARE,SHARE",
        help="With --methods: the shares of examples to train on, choose by and measure on. Default: 0.4,0.2,0.4.",
        show_default=False,
        rich_help_panel=DATA,
    ),
]
ValidationLimit = Annotated[
    int | None,
    typer.Option(
        help="With --methods: the maximum number of validation examples per task. Default: 100.",
        show_default=False,
        rich_help_panel=DATA,
    ),
]
Calibration = Annotated[
    str | None,
    typer.Option(
        help="With --methods: how the calibrated rows calibrate (docs/calibration.md). Default: prior-matching.",
        show_default=False,
        rich_help_panel=STATISTICS,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="With --methods: print the numbers of trainings, prompts and tokens, and the time; write nothing.",
        rich_help_panel=OUTPUT,
    ),
]
Timing = Annotated[
    bool | None,
    typer.Option(
        "--timing/--no-timing",
        help="In a dry run, do a few steps of every method and score a few prompts to estimate the time. Default: for "
        "weights up to 2 GiB.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]


def read_rates(given: Sequence[str] | None) -> dict[str, tuple[float, ...]]:
    """The learning rates by method or what is trained; under the empty name those of all methods.

    Raises:
        UsageError: not numbers.
    """
    found: dict[str, tuple[float, ...]] = {}
    for text in given or ():
        name, equals, numbers = text.rpartition("=")
        if name in found:
            whose = f"of {name!r}" if equals else "of all methods"
            raise UsageError(f"the rates {whose} are given twice", got=text, where="--rates")
        found[name] = _numbers(numbers, "--rates", "learning rates above 0, as in lora=1e-4,3e-4")
    return found


def read_shares(text: str, option: str) -> tuple[float, float, float]:
    """Three shares.

    Raises:
        UsageError: not three numbers.
    """
    expected = "three shares that sum to 1, as in 0.4,0.2,0.4"
    found = _numbers(text, option, expected)
    if len(found) != 3:
        raise UsageError("not three shares", expected=expected, got=text, where=option)
    return found[0], found[1], found[2]


def _numbers(text: str, option: str, expected: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError("not numbers", expected=expected, got=text, where=option) from None
    if not all(0 < number < float("inf") for number in found):
        raise UsageError("not positive numbers", expected=expected, got=text, where=option)
    return found


class SearchOptions(NamedTuple):
    """What was given of a search's options, as texts; `None` for what was not given."""

    rates: Sequence[str] | None = None
    seeds: str | None = None
    search_seeds: int | None = None
    refit: bool | None = None
    report: Literal["best", "all"] | None = None
    split_wordings: str | None = None
    split_examples: str | None = None
    validation_limit: int | None = None
    calibration: str | None = None

    @property
    def given(self) -> dict[str, object]:
        """By option what was given of it."""
        return {f"--{name.replace('_', '-')}": value for name, value in self._asdict().items()}

    def settings(
        self, methods: str, alignment: AlignmentSettings, *, max_pairs: int, limit: int | None, seed: int
    ) -> SearchSettings:
        """The settings of the search, with the defaults for what was not given.

        Raises:
            UsageError: a value that is not valid.
        """
        from phraseproof.cli.option_values import read_numbers
        from phraseproof.hardening.named import split_names
        from phraseproof.hardening.search_settings import SearchSettings
        from phraseproof.hardening.splits import Shares

        if self.refit is False and self.search_seeds is not None:
            raise UsageError("all seeds are compared with --no-refit", got="a number", where="--search-seeds")
        given: dict[str, object] = {
            "search_seeds": self.search_seeds,
            "refit": self.refit,
            "reported": self.report,
            "validation_limit": self.validation_limit,
            "calibration": self.calibration,
        }
        if self.seeds is not None:
            given["seeds"] = read_numbers(self.seeds, "--seeds")
        for name, text, option in (
            ("wording_shares", self.split_wordings, "--split-wordings"),
            ("example_shares", self.split_examples, "--split-examples"),
        ):
            if text is not None:
                given[name] = Shares(*read_shares(text, option))
        return SearchSettings(
            methods=tuple(split_names(methods)),
            rates=read_rates(self.rates),
            alignment=alignment,
            max_pairs=max_pairs,
            limit=limit,
            seed=seed,
            **{name: value for name, value in given.items() if value is not None},  # pyright: ignore[reportArgumentType]
        )
