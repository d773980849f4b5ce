"""The shipped models are found by name."""

from __future__ import annotations

import pytest

from phraseproof.errors import ModelError
from phraseproof.models.pocket import DEFAULT_SIZE, folder


def test_the_plain_name_is_the_default_size() -> None:
    assert folder("pocket") == folder(f"pocket/{DEFAULT_SIZE}")
    assert (folder("pocket") / "config.json").is_file()


def test_an_unknown_size_names_the_known_ones() -> None:
    with pytest.raises(ModelError, match="pocket/huge") as caught:
        folder("pocket/huge")
    assert f"pocket/{DEFAULT_SIZE}" in str(caught.value)
