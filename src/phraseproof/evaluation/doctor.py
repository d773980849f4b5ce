"""The checks of `phraseproof doctor`: the installation, and a model's self-test."""

from __future__ import annotations

import platform
from importlib import metadata

from phraseproof.core import Check, Example, Kind, ScoresOptions, Task
from phraseproof.evaluation.request import EvaluationRequest
from phraseproof.evaluation.resolve import resolve
from phraseproof.version import __version__

_QUESTIONS = (
    ("How many legs does a spider have?", ("six", "eight", "ten", "twelve")),
    ("Which of these is a fruit?", ("granite", "a pear", "a hammer", "the moon")),
    ("What is frozen water called, in everyday words that any child would know?", ("ice", "steam", "mist", "sand")),
    ("Two plus two is", ("four", "five", "one", "nine")),
)


def check_installation() -> list[Check]:
    """Check the version, Python, the packages that scoring needs, and the accelerator, if any."""
    checks = [
        Check("phraseproof", passed=True, detail=__version__),
        Check("python", passed=True, detail=f"{platform.python_version()} on {platform.platform()}"),
    ]
    missing: list[str] = []
    versions: list[str] = []
    for package in ("torch", "transformers", "accelerate", "peft", "datasets", "safetensors"):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            missing.append(package)
    detail = ", ".join(versions)
    if missing:
        detail = f"missing: {', '.join(missing)}; pip install 'phraseproof[hf]'"
    checks.append(Check("hugging face packages", passed=not missing, detail=detail))
    if "torch" not in missing:
        import torch

        cuda = torch.cuda.is_available()
        name = torch.cuda.get_device_name() if cuda else f"none; CPU threads: {torch.get_num_threads()}"
        checks.append(Check("accelerator", passed=True, detail=name))
        checks.append(Check("half precision on the CPU", passed=True, detail=_half_precision()))
    return checks


def _half_precision() -> str:
    """Whether this CPU multiplies bfloat16 fast, and what follows for `--dtype`."""
    from phraseproof.engine.cpu.half_products import bfloat16_units, emulated, half_products_pay

    units = bfloat16_units()
    if half_products_pay():
        return f"bfloat16 by {units}: evaluate --dtype bfloat16 --rescore-ties is faster than float32"
    if emulated("bfloat16"):
        return "bfloat16 is emulated (no AVX512-BF16, no AMX): --dtype bfloat16 is slower than float32"
    return "bfloat16 is not used for speed on this CPU"


def check_model(model: str, tasks: str, instructions: str, **options: object) -> list[Check]:
    """Run the model's self-test on prompts of `tasks` under `instructions`.

    Args:
        model: the model's name.
        tasks: names separated by commas; empty for four plain questions.
        instructions: collections separated by commas.
        **options: other fields of `EvaluationSpec`.
    """
    request = EvaluationRequest.of(model, tasks or _plain_questions(), {"doctor": instructions}, **options)
    evaluation = resolve(request)
    if not isinstance(evaluation.model, ScoresOptions):
        detail = "the model writes texts and gives no log-probabilities, so options cannot be scored"
        return [Check("scoring", passed=False, detail=detail)]
    checks = evaluation.check()
    if not evaluation.notes:
        return checks
    return [
        Check("scoring", passed=True, detail=f"{evaluation.settings.scoring} ({'; '.join(evaluation.notes)})"),
        *checks,
    ]


def _plain_questions() -> Task:
    examples = tuple(
        Example(str(n), {"question": question}, choices, tuple(float(n == choices.index(c)) for c in choices))
        for n, (question, choices) in enumerate(_QUESTIONS)
    )
    return Task("doctor", Kind.MULTIPLE_CHOICE, "doctor", examples)
