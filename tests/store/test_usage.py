from __future__ import annotations

from phraseproof.store.usage import Usage, total


def test_usage_adds_up() -> None:
    assert total([Usage(1.0, 2.0, 3, 4), Usage(1.0, 1.0, 1, 1)]) == Usage(2.0, 3.0, 4, 5)
    assert total([]) == Usage()
    assert Usage(1.0, 2.0, 30, 4).part(0.5) == Usage(0.5, 1.0, 15, 2)
