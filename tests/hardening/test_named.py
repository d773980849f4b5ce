from __future__ import annotations

from phraseproof.hardening.named import named_collections, named_tasks, search_input, split_names
from phraseproof.instructions.collections import Collection
from support.harden_data import make_task, make_wordings


def _ignore(_: str) -> None:
    """Ignore a warning."""


def test_names_and_objects_keep_their_order() -> None:
    task, collection = make_task(), Collection("mine", make_wordings(2))
    assert split_names(" a, b,,") == ["a", "b"]
    tasks = named_tasks([task, "pocket/label-maker"], None, _ignore)
    assert [each.name for each in tasks] == ["parity", "pocket/label-maker"]
    found = named_collections([collection, "pocket-test"])
    assert [each.name for each in found] == ["mine", "pocket-test"]


def test_the_input_of_a_search() -> None:
    found = search_input("pocket/label-maker", "pocket-test", [make_task()], "pocket/has-price", warn=_ignore)
    assert [task.name for task in (*found.tasks, *found.unseen, *found.check)] == [
        "pocket/label-maker",
        "parity",
        "pocket/has-price",
    ]
    assert [each.name for each in found.collections] == ["pocket-test"]
