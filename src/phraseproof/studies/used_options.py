"""Which fields of a request a study uses, by what the study is made of: models, run folders, or neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from phraseproof.models.options import ModelOptions
from phraseproof.studies.material import OBSERVED, UNOBSERVED

LOADING: Final = frozenset(each.name for each in fields(ModelOptions))
"""How models are loaded."""

SEED: Final = frozenset({"seed"})
"""Of intervals: what most studies of runs that are given use."""

EVALUATION: Final = LOADING | SEED | {"tasks", "instructions", "data_dir", "limit", "prompt_format"}
"""What every study uses that evaluates models."""

TUNING: Final = EVALUATION | {"data", "max_steps"}
"""What studies use that tune models on instructions and answers."""

ALIGNMENT: Final = EVALUATION | {"pairs", "max_steps", "gradient_accumulation"}
"""What studies use that align models."""

TWO_GROUPS: Final = frozenset({OBSERVED, UNOBSERVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedOptions:
    """The fields of `StudyRequest` and `ModelOptions` that a study uses, or refuses itself and says why.

    Attributes:
        of_models: where models are named; `None` for a study that uses no model.
        of_runs: where run folders are named; `None` for a study that reads none.
        of_neither: where neither is.
        of_paraphrasers: further ones where neither is, but a paraphraser.
        groups: the groups of wordings that the study has; `None` for any.
        of_others: whether a group that another study has is also one of this study, where both get the same request.
    """

    of_models: frozenset[str] | None = None
    of_runs: frozenset[str] | None = SEED
    of_neither: frozenset[str] = frozenset()
    of_paraphrasers: frozenset[str] = frozenset()
    groups: frozenset[str] | None = TWO_GROUPS
    of_others: bool = True

    def of(self, made_of: Mapping[str, object]) -> frozenset[str]:
        """The fields that have an effect, with those that say what the study is made of and where it is stored.

        Args:
            made_of: the `models`, `runs` and `paraphrasers` of the request.
        """
        if made_of["models"] and self.of_models is not None:
            used = self.of_models
        elif made_of["runs"] and self.of_runs is not None:
            used = self.of_runs
        else:
            used = self.of_neither
            if made_of["paraphrasers"]:
                used |= self.of_paraphrasers
        return used | self._sources | {"out"}

    def anywhere(self) -> frozenset[str]:
        """All fields that have an effect with some other ones."""
        of_others = [used for used in (self.of_models, self.of_runs) if used is not None]
        return self.of_neither.union(self._sources, *of_others)

    @property
    def _sources(self) -> frozenset[str]:
        possible = {"models": self.of_models, "runs": self.of_runs}
        return frozenset(name for name, used in possible.items() if used is not None)
