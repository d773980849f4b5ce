from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.cli.new_collection import check_names
from phraseproof.errors import UsageError


def test_names_of_a_new_collection() -> None:
    check_names(Path("new.yaml"), "new")
    check_names(Path("folder/NEW.YML"), "two words")


@pytest.mark.parametrize(
    ("out", "name", "message"),
    [
        ("new.json", "new", r"--out: not the name of a YAML file .*got new\.json"),
        ("new.yaml", "", "--name: not a collection's name"),
        ("new.yaml", " new", "--name: not a collection's name"),
        ("new.yaml", "a/b", "--name: not a collection's name .*got a/b"),
    ],
)
def test_what_cannot_be_a_name(out: str, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_names(Path(out), name)
