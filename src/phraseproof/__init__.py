"""phraseproof: how much a language model's answers depend on the wording of an instruction, and how to reduce it.

    import phraseproof

    run = phraseproof.evaluate(
        "google/flan-t5-base",
        tasks="mmlu/anatomy",
        instructions={"mine": "prompt.yaml", "others": "composed"},
        out="runs/first",
    )
    for row in run.wording_scores():
        print(row.instruction, row.mean_score)

Names are loaded when they are first used, so that importing the package is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from phraseproof.version import __version__ as __version__

if TYPE_CHECKING:
    from phraseproof.alignment.trainer import align
    from phraseproof.analysis.results import ResultRow, ResultTable
    from phraseproof.calibration.calibrator import Calibrator
    from phraseproof.core import Example, Instruction, Kind, Relation, Task
    from phraseproof.errors import PhraseproofError
    from phraseproof.evaluation.evaluate import evaluate, forecast
    from phraseproof.evaluation.paraphrasing import paraphrase
    from phraseproof.evaluation.run import Forecast
    from phraseproof.evaluation.spec import EvaluationSpec
    from phraseproof.hardening import harden
    from phraseproof.instructions.collections import load_collection
    from phraseproof.models import ModelOptions, load_model
    from phraseproof.reduction.calibrate import calibrate
    from phraseproof.reduction.choose import choose, choose_live
    from phraseproof.reduction.compare_methods import compare_methods
    from phraseproof.reduction.reduce import reduce
    from phraseproof.reports.api import analyze, compare, ensemble, gate, report, table
    from phraseproof.reports.gate.result import GateResult
    from phraseproof.store.queries import Run, load_run
    from phraseproof.studies.carry_out import study
    from phraseproof.tasks import load_tasks
    from phraseproof.tuning.trainer import tune
    from phraseproof.viewer.view import view

_HOMES = {
    "Calibrator": "phraseproof.calibration.calibrator",
    "EvaluationSpec": "phraseproof.evaluation.spec",
    "Example": "phraseproof.core",
    "Forecast": "phraseproof.evaluation.run",
    "GateResult": "phraseproof.reports.gate.result",
    "Instruction": "phraseproof.core",
    "Kind": "phraseproof.core",
    "ModelOptions": "phraseproof.models",
    "PhraseproofError": "phraseproof.errors",
    "Relation": "phraseproof.core",
    "ResultRow": "phraseproof.analysis.results",
    "ResultTable": "phraseproof.analysis.results",
    "Run": "phraseproof.store.queries",
    "Task": "phraseproof.core",
    "align": "phraseproof.alignment.trainer",
    "analyze": "phraseproof.reports.api",
    "calibrate": "phraseproof.reduction.calibrate",
    "choose": "phraseproof.reduction.choose",
    "choose_live": "phraseproof.reduction.choose",
    "compare": "phraseproof.reports.api",
    "compare_methods": "phraseproof.reduction.compare_methods",
    "ensemble": "phraseproof.reports.api",
    "evaluate": "phraseproof.evaluation.evaluate",
    "forecast": "phraseproof.evaluation.evaluate",
    "gate": "phraseproof.reports.api",
    "harden": "phraseproof.hardening",
    "load_collection": "phraseproof.instructions.collections",
    "load_model": "phraseproof.models",
    "load_run": "phraseproof.store.queries",
    "load_tasks": "phraseproof.tasks",
    "paraphrase": "phraseproof.evaluation.paraphrasing",
    "reduce": "phraseproof.reduction.reduce",
    "report": "phraseproof.reports.api",
    "study": "phraseproof.studies.carry_out",
    "table": "phraseproof.reports.api",
    "tune": "phraseproof.tuning.trainer",
    "view": "phraseproof.viewer.view",
}

__all__ = [
    "Calibrator",
    "EvaluationSpec",
    "Example",
    "Forecast",
    "GateResult",
    "Instruction",
    "Kind",
    "ModelOptions",
    "PhraseproofError",
    "Relation",
    "ResultRow",
    "ResultTable",
    "Run",
    "Task",
    "align",
    "analyze",
    "calibrate",
    "choose",
    "choose_live",
    "compare",
    "compare_methods",
    "ensemble",
    "evaluate",
    "forecast",
    "gate",
    "harden",
    "load_collection",
    "load_model",
    "load_run",
    "load_tasks",
    "paraphrase",
    "reduce",
    "report",
    "study",
    "table",
    "tune",
    "view",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'phraseproof' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
