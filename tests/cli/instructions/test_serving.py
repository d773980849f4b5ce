from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.cli.instructions.serving import load_task, names_served, wordings_for
from phraseproof.core import Instruction
from phraseproof.errors import UsageError
from phraseproof.instructions.collections import Collection

COLLECTION = Collection(
    "mine",
    (
        Instruction("a", "mine", template="{{ note }}", serves=("pocket/has-maker", "binary")),
        Instruction("b", "mine", template="{{ note }}", serves=("tickets",)),
    ),
)


def test_a_task_and_the_wordings_that_serve_it() -> None:
    (task,) = load_task("pocket/has-maker", None)
    assert [each.id for each in wordings_for(COLLECTION, task)] == ["a"]
    assert names_served(COLLECTION) == ["binary", "pocket/has-maker", "tickets"]
    assert load_task(None, Path("data")) == []


def test_no_wording_serves_the_task() -> None:
    (task,) = load_task("pocket/label-maker", None)
    with pytest.raises(UsageError, match=r"no wording of 'mine' serves .* wordings are for: binary, pocket/has-maker"):
        wordings_for(COLLECTION, task)
