"""Rubrics: YAML files that say how a model grades texts. Errors name the file and the line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from jinja2.exceptions import TemplateSyntaxError
from pydantic import Field

from phraseproof.core import Outcome
from phraseproof.errors import FileError, UsageError
from phraseproof.identity import content_hash
from phraseproof.scoring.patterns import pattern
from phraseproof.templates.compiled_template import COMPILE_ERRORS, RENDER_ERRORS, Compiled, compile_source
from phraseproof.templates.sandbox import bounded_range
from phraseproof.typed_yaml import StrictModel, parse
from phraseproof.yaml_document import load

SHIPPED = Path(__file__).parent / "rubrics"
_OWN = ("1", "2")
"""What an answer names where the text, and not the other one, is better: in the first order, and in the second."""
_SUFFIXES = (".yaml", ".yml")


class RubricForm(StrEnum):
    """What the judge is asked."""

    GRADE = "grade"
    PAIRS = "pairs"


class JudgeModel(StrictModel):
    """The model that grades.

    Attributes:
        model: its name, as for `--model`.
        args: its provider's options, as for `--model-arg`.
    """

    model: str
    args: dict[str, str] = Field(default={})


class OtherRun(StrictModel):
    """The stored texts that a run's texts are compared with.

    Attributes:
        run: the folder of a run with the same tasks, relative to the current folder.
        instruction: a wording of that run, `collection/id`, with which every text is compared; `None` for the wording
            that the text itself was written under.
    """

    run: str
    instruction: str | None = None


class Rubric(StrictModel):
    """How a model grades texts.

    Attributes:
        name: of the rubric.
        form: `grade` asks for a grade of one text; `pairs` asks which of two texts is better, in both orders.
        scale: the lowest and the highest grade, of `form: grade`.
        criteria: what the grades mean, inserted into the prompt.
        prompt: a template, in the language of those of wordings. It sees `criteria`, `low`, `high`, `reference`,
            `references` and `prompt` (what the evaluated model read, where samples are logged); and `text`, or for
            pairs `first` and `second`.
        grade: a regular expression, whose first group in its last match is the grade; for pairs `1`, `2`, or anything
            else for a tie.
        max_new_tokens: of the judge's answer.
        against: of pairs, the run whose texts are the other ones; the first reference without it.
        judge: the model, unless `--metric judge:RUBRIC@MODEL` names it.
    """

    name: str
    form: RubricForm = Field(default=RubricForm.GRADE, strict=False)
    scale: tuple[int, int] = Field(default=(1, 5), strict=False)
    criteria: str = ""
    prompt: str
    grade: str
    max_new_tokens: int = Field(default=256, ge=1)
    against: OtherRun | None = None
    judge: JudgeModel | None = None

    @property
    def is_pairs(self) -> bool:
        """Whether texts are compared in pairs."""
        return self.form is RubricForm.PAIRS

    @property
    def content(self) -> str:
        """A hash of what the judge is asked and how its answers are read; not of the model, nor of a run's path."""
        return content_hash(self.model_dump(mode="json", exclude={"judge", "against"}))

    def prompts(self, outcome: Outcome, other: str | None = None) -> list[str]:
        """What the judge is asked about a text: one prompt, or for pairs one for each order.

        Args:
            outcome: with the text.
            other: of pairs, the text that it is compared with; the first reference by default.

        Raises:
            UsageError: the template names something that is not there, fails, or needs too much work.
        """
        reference = outcome.reference or ""
        text = outcome.text or ""
        values: dict[str, object] = {
            "criteria": self.criteria,
            "low": self.scale[0],
            "high": self.scale[1],
            "reference": reference,
            "references": list(outcome.references),
            **({} if outcome.prompt is None else {"prompt": outcome.prompt}),
        }
        if not self.is_pairs:
            return [self._rendered({**values, "text": text})]
        other = reference if other is None else other
        orders = ((text, other), (other, text))
        return [self._rendered({**values, "first": first, "second": second}) for first, second in orders]

    def results(self, answers: Sequence[str]) -> tuple[float, ...] | None:
        """The grade from 0 to 1, or for pairs the result of each order; `None` where an answer has none.

        A grade is its distance from the lowest one, in units of the scale. A result is 1 where the text is better, 0
        where the other one is, and 0.5 of a tie.

        Raises:
            SlowPatternError: the pattern of the grade takes too long on an answer.
        """
        read = [self._read(answer) for answer in answers]
        if any(each is None for each in read):
            return None
        if self.is_pairs:
            return tuple(float(each == own) if each in _OWN else 0.5 for each, own in zip(read, _OWN, strict=True))
        low, high = self.scale
        grade = float(read[0]) if read[0] is not None and _is_number(read[0]) else None
        return None if grade is None or not low <= grade <= high else ((grade - low) / (high - low),)

    def _read(self, answer: str) -> str | None:
        found = pattern(self.grade, f"{self.name}, grade").last(answer)
        return (found.group(1) or "").strip() if found else None

    def _rendered(self, values: dict[str, object]) -> str:
        try:
            return _compiled(self.prompt).text({"range": bounded_range, **values})
        except RENDER_ERRORS as error:
            hint = "Evaluate with --log-samples" if "'prompt'" in str(error) else None
            raise UsageError(f"the prompt of the rubric {self.name!r} fails: {error}", hint=hint) from None


def _compiled(prompt: str) -> Compiled:
    """The template; a line break at its end, which every block of YAML has, is no part of the prompt."""
    return compile_source(prompt.removesuffix("\n"))


def read_rubric(name: str) -> Rubric:
    """A rubric by the path of its file, or the name of a shipped one.

    Raises:
        UsageError: no such file.
        FileError: a field that is missing, unknown or does not fit; the file and the line are named.
    """
    path = Path(name) if name.endswith(_SUFFIXES) else SHIPPED / f"{name}.yaml"
    if not path.is_file():
        shipped = ", ".join(sorted(each.stem for each in SHIPPED.glob("*.yaml")))
        raise UsageError(
            f"no rubric '{name}'", expected=f"a YAML file, or a shipped one: {shipped}", where="--metric judge:RUBRIC"
        )
    document = load(path)
    rubric = parse(document, path, Rubric)
    for field, problem in _problems(rubric):
        line = document.lines.get((field,))
        raise FileError(problem, where=f"{path}:{line}, {field}" if line else f"{path}, {field}")
    return rubric


def _problems(rubric: Rubric) -> list[tuple[str, str]]:
    """What does not fit together, by field."""
    found: list[tuple[str, str]] = []
    if not rubric.scale[0] < rubric.scale[1]:
        found.append(("scale", "the lowest grade is not below the highest one"))
    try:
        if pattern(rubric.grade, f"{rubric.name}, grade").groups < 1:
            found.append(("grade", "the regular expression has no group that holds the grade"))
    except UsageError as error:
        found.append(("grade", error.problem))
    if rubric.against is not None and not rubric.is_pairs:
        found.append(("against", "only texts of pairs are compared with those of a run; add form: pairs"))
    shown = ("first", "second") if rubric.is_pairs else ("text",)
    hidden = [name for name in shown if not re.search(r"\{\{[^}]*\b" + name + r"\b", rubric.prompt)]
    found += [("prompt", f"the prompt does not show {{{{ {name} }}}}") for name in hidden]
    try:
        _compiled(rubric.prompt)
    except TemplateSyntaxError as error:
        found.append(("prompt", f"no template: {error.message} (line {error.lineno} of the template)"))
    except COMPILE_ERRORS as error:
        found.append(("prompt", f"no template: {error or 'nested too deeply'}"))
    return found


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(?:\.\d+)?", text) is not None
