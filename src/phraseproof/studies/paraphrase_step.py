"""The step of studies that has a model paraphrase wordings, as `phraseproof paraphrase` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.evaluation.resolve import load_wordings
from phraseproof.files import load_json, write_json
from phraseproof.identity import content_hash
from phraseproof.models.options import ModelOptions
from phraseproof.reports.build.text import short_model_name
from phraseproof.studies.material import OBSERVED, material_of
from phraseproof.studies.steps import identifying_options, slug
from phraseproof.studies.study import StepForecast, StudyRequest

if TYPE_CHECKING:
    from phraseproof.evaluation.observer import Observer
    from phraseproof.instructions.collections import Collection

RESULT_FILE = "paraphrases.json"
PROMPTS = "alpaca"
TEMPERATURE = 0.5
"""The paper's prompts, and its temperature with them (appendix B.3)."""


@dataclass(frozen=True)
class ParaphraseStep:
    """A model paraphrases the wordings of some collections. Its answers are stored as they come.

    Attributes:
        paraphraser: a name as for `phraseproof paraphrase --with`.
        seeds: collections of the wordings that are paraphrased.
        model: the model under study, whose collections `auto` means; `None` where there is none.
        seed: of the draws.
        folder: of the collections. Its name has a hash of everything that changes them.
        model_options: how the paraphraser is loaded.
    """

    paraphraser: str
    seeds: tuple[str, ...]
    model: str | None
    seed: int
    folder: Path
    model_options: ModelOptions = ModelOptions()

    @property
    def title(self) -> str:
        """As of every step."""
        return f"paraphrase {', '.join(self.seeds)} with {self.paraphraser}"

    @property
    def source(self) -> str:
        """The paraphraser's name in tables."""
        return short_model_name(self.paraphraser)

    @property
    def is_finished(self) -> bool:
        """Whether every wording was paraphrased, or dropped after its last attempt."""
        return (self.folder / RESULT_FILE).exists()

    @property
    def collections(self) -> tuple[str, ...]:
        """The files of a finished step: one per collection of which a paraphrase passed."""
        return tuple(str(self.folder / name) for name in self._result["files"]) if self.is_finished else ()

    @property
    def note(self) -> str:
        """How many paraphrases of a finished step passed."""
        found = self._result
        wordings = f"{found['skipped']} wording{'s' * (found['skipped'] != 1)}"
        left_out = f"; {wordings} cannot be paraphrased" if found["skipped"] else ""
        asked = found["kept"] + found["dropped"]
        return f"{self.source}: {found['kept']} of {asked} paraphrases passed the checks{left_out}"

    @property
    def identity(self) -> str:
        """A hash of the paraphrases."""
        return content_hash([Path(path).read_text(encoding="utf-8") for path in self.collections])

    def forecast(self, *, timed: bool) -> StepForecast:
        """As of every step: the requests of the first attempt. Neither tokens nor time are known."""
        del timed
        from phraseproof.instructions.paraphrase import ParaphraseSettings, requests
        from phraseproof.instructions.paraphrase_prompts import read_prompts

        settings = ParaphraseSettings(prompts=read_prompts(PROMPTS))
        number = sum(len(requests(each, settings)) for each in self._wordings())
        if self.is_finished:
            return StepForecast(number, 0)
        remark = "trainings on these paraphrases are planned when they are there" if self.model else ""
        return StepForecast(number, number, remark=remark)

    def carry_out(self, observer: Observer) -> int:
        """As of every step. A stopped one repeats no request that was answered.

        Raises:
            NotEnoughDataError: no paraphrase passed.
        """
        if self.is_finished:
            return 0
        from phraseproof.evaluation.paraphrasing import paraphrase
        from phraseproof.models import load_model

        observer.started(total=self.forecast(timed=False).prompts, done=0)
        model = load_model(self.paraphraser, self.model_options)
        counts = {"kept": 0, "dropped": 0, "skipped": 0}
        files: list[str] = []
        for each in self._wordings():
            out = self.folder / f"{slug(each.name)}-by-{slug(self.source)}.yaml"
            made = paraphrase(
                each,
                model,
                out,
                prompts=PROMPTS,
                temperature=TEMPERATURE,
                seed=self.seed,
                on_answer=observer.advanced,
            )
            counts = {name: count + len(getattr(made, name)) for name, count in counts.items()}
            files += [out.name] if made.kept else []
        if not files:
            raise NotEnoughDataError(
                f"none of {counts['dropped']} paraphrases by {self.paraphraser} passed the checks",
                where=str(self.folder),
                hint="The answers are in its journals; `phraseproof paraphrase` has other prompts and settings",
            )
        write_json(self.folder / RESULT_FILE, {"paraphraser": self.paraphraser, "files": files, **counts})
        return 0

    @property
    def _result(self) -> dict[str, Any]:
        return cast("dict[str, Any]", load_json(self.folder / RESULT_FILE))

    def _wordings(self) -> list[Collection]:
        return load_wordings(self.seeds, model=self.model)


def paraphrased(request: StudyRequest) -> tuple[str, ...]:
    """The collections of the wordings that are paraphrased: those that are observed.

    Raises:
        UsageError: neither they nor a model are named.
    """
    seeds = request.instructions.get(OBSERVED) or (material_of(request.models[0]).observed if request.models else ())
    if not seeds:
        raise UsageError(
            "the wordings that are paraphrased are not named",
            expected="--observed with their collections, or --model",
            where="--observed",
        )
    return tuple(seeds)


def paraphrase_steps(request: StudyRequest) -> list[ParaphraseStep]:
    """A step for each paraphraser of the request.

    Raises:
        UsageError: as `paraphrased`, or a collection does not exist.
    """
    if not request.paraphrasers:
        return []
    model, seeds = request.models[0] if request.models else None, paraphrased(request)
    given = request.model_options
    options = ModelOptions(device=given.device, dtype=given.dtype, args=dict(request.paraphraser_args))
    return [_step(request, name, seeds, model, options) for name in request.paraphrasers]


def _step(
    request: StudyRequest, paraphraser: str, seeds: Sequence[str], model: str | None, options: ModelOptions
) -> ParaphraseStep:
    wordings = [
        replace(wording, origin=None) for each in load_wordings(seeds, model=model) for wording in each.instructions
    ]
    identity = [paraphraser, identifying_options(options), PROMPTS, TEMPERATURE, request.seed, wordings]
    folder = request.out / "paraphrases" / f"{slug(paraphraser)}-{content_hash(identity)[:8]}"
    return ParaphraseStep(paraphraser, tuple(seeds), model, request.seed, folder, options)
