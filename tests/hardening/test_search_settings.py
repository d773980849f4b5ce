from __future__ import annotations

from typing import Any

import pytest

from phraseproof.errors import UsageError
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.hardening.splits import Shares


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"wording_shares": Shares(0.5, 0.5, 0.5)}, "--split-wordings: the shares are not valid .*got 0.5, 0.5, 0.5"),
        ({"example_shares": Shares(1.0, 0.0, 0.0)}, "--split-examples: the shares are not valid"),
        ({"seeds": (1, 1)}, "--seeds: the seeds are not different .*got 1,1"),
        ({"seeds": ()}, "--seeds: the seeds"),
        ({"search_seeds": 2}, "--search-seeds: the number .*expected from 1 to 1"),
        ({"search_seeds": 0}, "--search-seeds: the number"),
    ],
)
def test_what_is_not_valid_names_its_option(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=f"^{message}"):
        SearchSettings(("pt",), **values)
