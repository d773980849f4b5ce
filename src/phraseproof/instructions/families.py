"""The collections that families of models were tuned on, for `--observed auto`.

`KNOWN` lists the families of the paper (section 3 and table 2). A user's own families, in `families.yaml` in the folder
of their collections (`own_folder()`), take precedence:

    families:
      - models: ["my-org/support-*", "runs/tuned-*"]
        observed: [our-prompts]
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, Field

from phraseproof.errors import UsageError
from phraseproof.instructions.collections import (
    FAMILIES_FILE,
    Collection,
    load_collection,
    own_collections,
    own_folder,
    shipped_collections,
)
from phraseproof.typed_yaml import StrictModel, parse
from phraseproof.yaml_document import load

AUTO = "auto"
"""The name that means the collections a model was tuned on."""


class Family(NamedTuple):
    """Models that were tuned on the same wordings.

    Attributes:
        name: the family's usual name.
        models: patterns (`*`, `?`) in lower case; one with a slash matches whole names of models (`org/name`, a
            path), one without a slash for the part after the last slash.
        observed: the names of the collections they were tuned on.
        how: the command that imports these collections, for hints.
    """

    name: str
    models: tuple[str, ...]
    observed: tuple[str, ...]
    how: str = ""


_FROM_FLAN = "phraseproof instructions import flan PATH-OF-A-FLAN-CHECKOUT"
_FROM_ALPACA = "phraseproof instructions import alpaca alpaca_data.json"
_FROM_P3 = "phraseproof instructions import promptsource PATH-OF-A-PROMPTSOURCE-CHECKOUT"

KNOWN: tuple[Family, ...] = (
    Family("Flan-T5", ("*flan-t5*", "*flan_t5*", "*flan-ul2*", "*flan_ul2*"), ("flan",), _FROM_FLAN),
    Family("T0", ("t0", "t0p", "t0pp", "t0_*"), ("p3",), _FROM_P3),
    Family("Alpaca", ("*alpaca*",), ("alpaca",), _FROM_ALPACA),
    Family("pocket", ("pocket", "pocket/*"), ("pocket-observed",)),
)
"""The families that are known without a file, with the collections of their instruction tuning."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Names = Annotated[list[str], Field(min_length=1), BeforeValidator(_listed)]


class _Entry(StrictModel):
    models: _Names
    observed: _Names
    name: str | None = None


class _FamiliesFile(StrictModel):
    families: list[_Entry]


def family_of(model: str) -> Family | None:
    """The family that a model's name matches, the user's own before the built-in ones; None if it matches none.

    Args:
        model: the model's name, hub id or path, as given.

    Raises:
        FileError: the user's file of families cannot be read.
    """
    # A folder's name is usually the hub id's last part, so patterns without a slash match local copies, too.
    whole = model.casefold().replace("\\", "/").rstrip("/")
    last = whole.rsplit("/", 1)[-1]
    for family in (*own_families(), *KNOWN):
        if any(fnmatchcase(whole if "/" in pattern else last, pattern) for pattern in family.models):
            return family
    return None


def own_families() -> tuple[Family, ...]:
    """The families that the user declares, in their order; none without a file."""
    path = own_folder() / FAMILIES_FILE
    if not path.exists():
        return ()
    file = parse(load(path), path, _FamiliesFile)
    return tuple(
        Family(
            entry.name or f"families[{number}] of {path}",
            tuple(pattern.casefold().replace("\\", "/") for pattern in entry.models),
            tuple(entry.observed),
        )
        for number, entry in enumerate(file.families)
    )


def observed_by(model: str) -> list[Collection]:
    """The collections that a model was tuned on.

    Raises:
        UsageError: the model's family is unknown, or one of its collections is missing.
    """
    family = family_of(model)
    if family is None:
        raise UsageError(
            f"the wordings that {model!r} was tuned on are unknown",
            expected=f"a model of a known family: {', '.join(each.name for each in KNOWN)}",
            where="--observed auto",
            hint=f"Name its collections, or declare its family in {own_folder() / FAMILIES_FILE} (docs/importing.md)",
        )
    return [_observed(name, family) for name in family.observed]


def _observed(name: str, family: Family) -> Collection:
    is_path = len(Path(name).parts) > 1 or name in own_collections() or name in shipped_collections()
    if not is_path:
        raise UsageError(
            f"the collection {name!r}, which models of the family {family.name} were tuned on, is not there",
            expected=f"{own_folder() / name}.yaml, or a folder {own_folder() / name}",
            where="--observed auto",
            hint=f"Import it: {family.how}" if family.how else None,
        )
    return load_collection(name)
