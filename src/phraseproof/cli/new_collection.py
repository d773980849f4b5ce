"""Checks for commands that write a new collection: `paraphrase` and `instructions perturb`."""

from __future__ import annotations

from pathlib import Path

from phraseproof.errors import UsageError


def check_names(out: Path, name: str) -> None:
    """Check the file and the name of a new collection.

    Raises:
        UsageError: `out` is not the name of a YAML file, or `name` is not a valid name.
    """
    if out.suffix.lower() not in {".yaml", ".yml"}:
        raise UsageError(
            "not the name of a YAML file", expected="a name that ends in .yaml", got=str(out), where="--out"
        )
    if "/" in name or name != name.strip() or not name:
        raise UsageError("not a collection's name", expected="a name without a slash", got=name, where="--name")
