"""The settings of a search among methods."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.analysis.reductions.run import CALIBRATION
from phraseproof.errors import UsageError
from phraseproof.hardening.splits import Shares

Reported = Literal["best", "all"]

DEFAULT_SHARES = Shares(0.4, 0.2, 0.4)


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How methods are compared.

    Attributes:
        methods: what is compared (`candidates.candidates_of`).
        rates: the learning rates by method, or by what it trains; the empty name is for all.
        alignment: the settings that all trainings share. Its seed is not used.
        seeds: of the trainings whose result is reported.
        search_seeds: how many of them are used in the search, the first ones.
        refit: train what is reported again, on training and validation together. Otherwise the trainings of the
            search are reported, which has all seeds then: half the time or less, with fewer examples and wordings.
        wording_shares, example_shares: of training, validation and test.
        max_pairs: the maximum number of training pairs per task.
        limit, validation_limit: the maximum number of test and of validation examples per task.
        reported: `best` tests the method that is best on validation, `all` every method at its best rate.
        calibration: the method of the calibrated rows (docs/calibration.md).
        seed: of the splits, of the samples of examples, and of what is judged on them.
    """

    methods: tuple[str, ...]
    rates: Mapping[str, tuple[float, ...]] = field(default_factory=dict[str, tuple[float, ...]])
    alignment: AlignmentSettings = AlignmentSettings(held_out_fraction=0.0)
    seeds: tuple[int, ...] = (0,)
    search_seeds: int = 1
    refit: bool = True
    wording_shares: Shares = DEFAULT_SHARES
    example_shares: Shares = DEFAULT_SHARES
    max_pairs: int | None = 1000
    limit: int | None = None
    validation_limit: int | None = 100
    reported: Reported = "best"
    calibration: str = CALIBRATION
    seed: int = 0

    def __post_init__(self) -> None:
        for shares, option in ((self.wording_shares, "--split-wordings"), (self.example_shares, "--split-examples")):
            if min(shares) <= 0 or not math.isclose(sum(shares), 1, abs_tol=1e-6):
                raise UsageError(
                    "the shares are not valid",
                    expected="three numbers above 0 that sum to 1, of training, validation and test",
                    got=", ".join(f"{share:g}" for share in shares),
                    where=option,
                )
        if len(set(self.seeds)) < len(self.seeds) or not self.seeds:
            raise UsageError("the seeds are not different", got=",".join(map(str, self.seeds)), where="--seeds")
        if not 1 <= self.search_seeds <= len(self.seeds):
            raise UsageError(
                "the number of seeds in the search is not valid",
                expected=f"from 1 to {len(self.seeds)}, the number of --seeds",
                got=str(self.search_seeds),
                where="--search-seeds",
            )

    @property
    def seeds_compared(self) -> tuple[int, ...]:
        """The seeds of the trainings that are compared on validation."""
        return self.seeds[: self.search_seeds] if self.refit else self.seeds
