"""The last results are kept."""

from __future__ import annotations

from phraseproof.viewer.recent import Recent


def test_the_one_that_was_not_used_for_longest_is_made_again() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        return recent.get(key, lambda: made.append(key) or key.upper())

    recent: Recent[str, str] = Recent(2)
    assert [make(key) for key in ("a", "b", "a", "c", "a", "b")] == ["A", "B", "A", "C", "A", "B"]
    assert made == ["a", "b", "c", "b"]
