from __future__ import annotations

import pytest

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.cli.search_options import SearchOptions, read_rates, read_shares
from phraseproof.errors import UsageError
from phraseproof.hardening.search_settings import SearchSettings

COMMON = AlignmentSettings(max_steps=3)


def test_rates_of_all_and_of_some() -> None:
    given = ["1e-3,2e-3", "lora=1e-4", "pt+kl:lambda=0.5=3e-3"]
    assert read_rates(given) == {"": (1e-3, 2e-3), "lora": (1e-4,), "pt+kl:lambda=0.5": (3e-3,)}
    assert read_rates(None) == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["x"], "not numbers .*got x"),
        (["lora=0"], "not positive numbers .*got 0"),
        (["1e-3", "2e-3"], "the rates of all methods are given twice"),
    ],
)
def test_rates_that_are_none(given: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=f"^--rates: {message}"):
        read_rates(given)


def test_shares() -> None:
    assert read_shares("0.5,0.2,0.3", "--split-wordings") == (0.5, 0.2, 0.3)
    with pytest.raises(UsageError, match=r"^--split-wordings: not three shares .*got 0.5,0.5"):
        read_shares("0.5,0.5", "--split-wordings")


def test_what_is_not_given_has_the_default_of_the_settings() -> None:
    found = SearchOptions().settings("pt, pt+kl", COMMON, max_pairs=1000, limit=None, seed=0)
    assert found == SearchSettings(("pt", "pt+kl"), alignment=COMMON)
    changed = SearchOptions(["1e-3"], "0,1,2", 2, True, "all", "0.5,0.2,0.3", "0.4,0.3,0.3", 50, "batch")
    found = changed.settings("pt", COMMON, max_pairs=9, limit=8, seed=7)
    assert (found.rates, found.seeds, found.search_seeds, found.reported) == ({"": (1e-3,)}, (0, 1, 2), 2, "all")
    assert (found.wording_shares.training, found.example_shares.validation) == (0.5, 0.3)
    assert (found.validation_limit, found.calibration) == (50, "batch")
    assert (found.max_pairs, found.limit, found.seed) == (9, 8, 7)


def test_without_a_refit_all_seeds_are_compared() -> None:
    found = SearchOptions(seeds="0,1,2", refit=False).settings("pt", COMMON, max_pairs=9, limit=None, seed=0)
    assert found.seeds_compared == (0, 1, 2)
    with pytest.raises(UsageError, match="--search-seeds: all seeds are compared with --no-refit"):
        SearchOptions(search_seeds=1, refit=False).settings("pt", COMMON, max_pairs=9, limit=None, seed=0)
