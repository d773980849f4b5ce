"""The unit of training data: one example under several wordings, and the record of the wordings that training used."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from phraseproof.errors import UsageError
from phraseproof.instructions.fingerprint import fingerprint

SEPARATOR = "\n\n"
"""The default text between an instruction and its input, as in `core.Instruction`."""

_ROUNDING = 1e-4
"""Probabilities in a file are rounded."""


class TextOrigin(NamedTuple):
    """The wording of a collection that a text of a paraphrase set was rendered from.

    Attributes:
        text: the rendered text, as the set holds it.
        name: the wording's name, `collection/id`.
        template: what the wording asks, with its placeholders as written.
    """

    text: str
    name: str
    template: str


class TeacherRecord(NamedTuple):
    """Where a target comes from that is not a given label.

    Attributes:
        name: how the answer was made: `reference`, `best`, `majority`, `ensemble`, or what the user calls it.
        model: the model that was asked.
        wordings: the names of the wordings whose answers went into it.
        calibration: how their probabilities were corrected; empty for not at all.
        run: a hash of the cells of the run that holds the answers; empty if they were not read from a run.
    """

    name: str
    model: str = ""
    wordings: tuple[str, ...] = ()
    calibration: str = ""
    run: str = ""


@dataclass(frozen=True, slots=True)
class ParaphraseSet:
    """One example under a reference wording and its paraphrases. All texts are rendered; none is a template.

    Attributes:
        instruction: the reference wording.
        paraphrases: other wordings with the same meaning; at least one.
        input: the example. Empty if the instruction cannot be separated from the example: then `instruction`,
            `paraphrases` and `negations` hold whole prompts.
        target: the answer; empty if it is not known, which needs `labelled=False`.
        negations: wordings with the opposite meaning.
        target_delimiter: the text between a prompt and the target; `None` leaves it to the prompt format.
        separator: the text between an instruction and the input.
        ask_last: the instruction follows the input.
        origins: the collection's wordings that texts were rendered from, if any.
        source: where the set came from, for messages; not part of its identity.
        systems: the system prompt of each of `wordings`, `None` where it has none; empty if none has one.
        options: the answers to choose from, as the wordings write them, in the order of the task's choices; empty if
            they are not known.
        option_probabilities: how probable a teacher finds each option, parallel to `options`: training then uses all
            of them as targets, with these weights. Empty: `target` is the only one.
        labelled: whether the target is used as a label, by the cross-entropy. Without a label, a set is used by terms
            that compare wordings.
        teacher: where the target comes from; `None` for a given label. Not part of its identity.
        task, example: the names of the task and of its example, if the set was made from one.
    """

    instruction: str
    paraphrases: tuple[str, ...]
    input: str
    target: str
    negations: tuple[str, ...] = ()
    target_delimiter: str | None = None
    separator: str = SEPARATOR
    ask_last: bool = False
    origins: tuple[TextOrigin, ...] = ()
    source: str = field(default="", compare=False)
    systems: tuple[str | None, ...] = ()
    options: tuple[str, ...] = ()
    option_probabilities: tuple[float, ...] = ()
    labelled: bool = True
    teacher: TeacherRecord | None = None
    task: str = ""
    example: str = ""

    def __post_init__(self) -> None:
        if not self.paraphrases:
            raise UsageError("an example has no paraphrase of its instruction", where=self.source or None)
        if self.systems and len(self.systems) != len(self.wordings):
            raise UsageError(
                "system prompts do not fit the wordings",
                expected=f"{len(self.wordings)}, one for each wording",
                got=str(len(self.systems)),
                where=self.source or None,
            )
        if self.labelled and not self.target.strip():
            raise UsageError(
                "an example that counts as labelled has no target",
                where=self.source or None,
                hint="Give a target, or labelled: false",
            )
        if self.option_probabilities:
            self._check_probabilities()

    def _check_probabilities(self) -> None:
        given, total = self.option_probabilities, math.fsum(self.option_probabilities)
        if len(given) != len(self.options):
            raise UsageError(
                "the probabilities do not fit the options",
                expected=f"{len(self.options)}, one for each option",
                got=str(len(given)),
                where=self.source or None,
            )
        if not all(0 <= value <= 1 for value in given) or not math.isclose(total, 1, abs_tol=_ROUNDING):
            raise UsageError(
                "the options' probabilities are not a distribution",
                expected="numbers from 0 to 1 that add up to 1",
                got=f"a sum of {total:g}" if all(0 <= value <= 1 for value in given) else str(list(given))[:80],
                where=self.source or None,
            )

    @property
    def wordings(self) -> tuple[str, ...]:
        """All texts: the instruction, the paraphrases, the negations."""
        return (self.instruction, *self.paraphrases, *self.negations)

    def system_of(self, index: int) -> str | None:
        """The system prompt of one of `wordings`."""
        return self.systems[index] if self.systems else None

    def only_paraphrases(self, keep: Callable[[str], bool]) -> ParaphraseSet | None:
        """This set with the paraphrases whose keys are accepted; `None` if that is none."""
        kept = [index for index, text in enumerate(self.paraphrases) if keep(self.wording_key(text))]
        if not kept:
            return None
        systems: tuple[str | None, ...] = ()
        if self.systems:
            first_negation = 1 + len(self.paraphrases)
            systems = (self.systems[0], *(self.systems[1 + index] for index in kept), *self.systems[first_negation:])
        return replace(self, paraphrases=tuple(self.paraphrases[index] for index in kept), systems=systems)

    def wording_key(self, text: str) -> str:
        """The identity of one of the texts: the fingerprint of its template if that is known, else of the text.

        Two texts of different examples that were rendered from one template have the same key.
        """
        return fingerprint(next((origin.template for origin in self.origins if origin.text == text), text))

    def identity(self, *, with_options: bool = False) -> dict[str, object]:
        """The data that a content hash is taken of. Fields that a set does not use are left out, as in earlier
        releases.

        Args:
            with_options: the options count, because the loss compares them.

        The keys are part of the hash. `joint` is the former name of `target_delimiter`: it stays, so that trainings
        started under the old name can be resumed.
        """
        identity: dict[str, object] = {
            "instruction": self.instruction,
            "paraphrases": self.paraphrases,
            "input": self.input,
            "target": self.target,
            "negations": self.negations,
            "joint": self.target_delimiter,
            "separator": self.separator,
            "ask_last": self.ask_last,
            "origins": self.origins,
        }
        later: dict[str, object] = {
            "systems": self.systems,
            "labelled": () if self.labelled else False,
            "soft_targets": tuple(zip(self.options, self.option_probabilities, strict=True))
            if self.option_probabilities
            else (),
            "options": self.options if with_options else (),
        }
        return identity | {name: value for name, value in later.items() if value != ()}


def wording_hashes(pairs: Iterable[ParaphraseSet]) -> dict[str, str]:
    """Every wording that training on `pairs` uses: fingerprint -> text, in order of first use.

    A text that was rendered from a collection's wording counts as that wording (its ask, or its template); any other
    text counts as itself. An evaluation looks up `fingerprint(asked_by(instruction))`.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        templates = {origin.text: origin.template for origin in pair.origins}
        for text in pair.wordings:
            wording = templates.get(text, text)
            found.setdefault(fingerprint(wording), wording)
    return found


def wording_names(pairs: Iterable[ParaphraseSet]) -> list[str]:
    """The names (`collection/id`) of the collections' wordings that training on `pairs` uses, sorted."""
    return sorted({origin.name for pair in pairs for origin in pair.origins if origin.text in pair.wordings})
