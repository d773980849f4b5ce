"""The wordings that a command left out, grouped by reason, as lines to print."""

from __future__ import annotations

from collections.abc import Iterable

_NAMED = 3


def by_reason(left_out: Iterable[tuple[str, str]]) -> list[str]:
    """Lines that name each reason once, with up to three of its wordings.

    Args:
        left_out: name and reason of every wording.
    """
    names_of: dict[str, list[str]] = {}
    for name, reason in left_out:
        names_of.setdefault(reason, []).append(name)
    lines: list[str] = []
    for reason, names in sorted(names_of.items(), key=lambda item: -len(item[1])):
        if len(names) <= _NAMED:
            lines += [f"  {name}: {reason}" for name in names]
        else:
            lines += [f"  {len(names):,} wordings: {reason}", f"    {', '.join(names[:_NAMED])}, ..."]
    return lines
