"""Values of the options that several trainings have."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.cli.training_options import read_epochs, read_validation
from phraseproof.errors import UsageError


def test_epochs() -> None:
    assert read_epochs(None) == ()
    assert read_epochs("all") == "all"
    assert read_epochs("1,25") == (1, 25)
    with pytest.raises(UsageError, match="--keep-epochs: these are no epochs"):
        read_epochs("first")


def test_validation_files() -> None:
    assert read_validation(None) == {}
    assert read_validation(["a=b.json", "c=d=e.json"]) == {"a": Path("b.json"), "c": Path("d=e.json")}
    for wrong in (["b.json"], ["=b.json"], ["a="], ["a=b", "a=c"]):
        with pytest.raises(UsageError, match="--validation"):
            read_validation(wrong)
