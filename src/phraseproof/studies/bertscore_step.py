"""The step that adds BERTScore to a run of texts (Table 14): stored texts are judged, and none is written again."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.identity import hub_commit
from phraseproof.scoring.texts.bertscore import DEFAULT_ENCODER
from phraseproof.scoring.texts.bertscore import METRIC as BERTSCORE
from phraseproof.studies.steps import EvaluationStep
from phraseproof.studies.study import StepForecast

if TYPE_CHECKING:
    from phraseproof.evaluation.observer import Observer


@dataclass(frozen=True)
class BertScoreStep:
    """BERTScore of the texts of a run, where its encoder is on this machine; nothing is downloaded for it."""

    spec: EvaluationSpec
    folder: Path

    @property
    def title(self) -> str:
        """As of every step."""
        return f"judge the texts of {self.spec.model} on {', '.join(self.spec.tasks)} by {BERTSCORE.name}"

    def forecast(self, *, timed: bool) -> StepForecast:
        """As of every step: the model reads nothing."""
        del timed
        return StepForecast(0, 0, remark=bertscore_lack())

    def carry_out(self, observer: Observer) -> int:
        """As of every step; nothing where something lacks."""
        if bertscore_lack():
            return 0
        return EvaluationStep(self.spec.with_changes(metric=BERTSCORE.name), self.folder).carry_out(observer)


def bertscore_lack() -> str:
    """Why BERTScore cannot be computed on this machine, and what to do; empty where it can."""
    if find_spec("bert_score") is None or find_spec("huggingface_hub") is None:
        return "the package bert-score is not installed (pip install 'phraseproof[bertscore]')"
    if hub_commit(DEFAULT_ENCODER) is None:
        return (
            f"its encoder {DEFAULT_ENCODER} is not in this machine's cache of the hub (hf download {DEFAULT_ENCODER})"
        )
    return ""
