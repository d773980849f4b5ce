"""When answers are classes: one definition for samples, which draw by class, and for confusion matrices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def shared_options(options: Iterable[Sequence[str]]) -> tuple[str, ...] | None:
    """The texts that every example chooses among, in the order of the first example.

    Where they are the same texts in every example, in any order, each text is a class. Where every example has texts of
    its own, as in a quiz, no text recurs and the place of the right one is no class.

    Args:
        options: the options of each example.

    Returns:
        The classes; `None` if the texts differ between examples, are given twice in one, or are fewer than two.
    """
    first: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    for each in options:
        if not names:
            first, names = tuple(each), frozenset(each)
            if len(names) < max(2, len(first)):
                return None
        # Most examples have the order of the first, and a comparison of tuples is fast.
        elif tuple(each) != first and (len(each) != len(first) or frozenset(each) != names):
            return None
    return first or None
