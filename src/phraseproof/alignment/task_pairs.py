"""Pairs from a task's examples, dressed in the wordings of collections."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from phraseproof.alignment.pair import SEPARATOR, Origin, Pair
from phraseproof.core import Example, Instruction, Task
from phraseproof.errors import InstructionError, TaskError, UsageError
from phraseproof.instructions.fingerprint import asked_by
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import CompiledInstruction, check_against, compile_instruction

Wordings = Mapping[str, Sequence[Instruction]] | Sequence[Instruction]
"""For each reference (by `collection/id`, or by its id) its own wordings, or wordings that serve every reference."""


def pairs_from_task(
    task: Task,
    references: Sequence[Instruction],
    paraphrases: Wordings,
    *,
    limit: int | None = None,
    seed: int = 0,
    negations: Wordings = (),
) -> list[Pair]:
    """Every example of a task under every reference wording, with the reference's paraphrases.

    Examples come from the task's demonstrations where it has any, so that those it is scored on stay unseen; else from
    its examples.

    A pair has one target, so its wordings must write the answer alike (letter or text, and what stands before it):
    wordings named for one reference must, of wordings that serve every reference those that do not are passed over. A
    wording that renders the very text of another of the pair is left out.

    Where all wordings of a pair lay the example out alike, its asks and its input are kept apart; else each wording is
    a whole prompt (in the format `alpaca` that is not what an evaluation shows: it knows no input then).

    Args:
        task: where examples come from.
        references: at least one; they must serve the task.
        paraphrases: at least one for each reference. A reference's own self among them is passed over.
        limit: at most so many pairs, drawn from all examples and references.
        seed: of that draw, which ranks by a hash: the same on every machine, and a smaller one is part of a larger.
        negations: for methods that push negated wordings away.

    Raises:
        InstructionError: a wording that cannot be rendered, or answers otherwise than its reference; a reference that
            is left without any paraphrase.
        UsageError: wordings for a reference that is not there; nothing to make pairs of.
        TaskError: an example without an answer.
    """
    examples = task.demonstrations or task.examples
    if not examples or not references:
        missing = "examples" if references else "reference wordings"
        raise UsageError(f"no pairs can be made of task {task.name!r}: there are no {missing}")
    if limit is not None and limit < 1:
        raise UsageError("cannot make so few pairs", expected="at least 1", got=str(limit), where="--limit")
    for wordings in (paraphrases, negations):
        _check_keys(wordings, references)
    families = [_family(reference, paraphrases, negations, task) for reference in references]
    places = [_Place(example, family) for example in range(len(examples)) for family in range(len(families))]
    places.sort(key=lambda place: _rank(seed, task, examples[place.example], families[place.family]))
    drawn: dict[_Place, Pair] = {}
    fruitless: set[int] = set()
    for place in places:
        if limit is not None and len(drawn) == limit:
            break
        pair = _pair(task, examples[place.example], families[place.family])
        if pair is None:
            fruitless.add(place.family)
        else:
            drawn[place] = pair
    for family in sorted(fruitless - {place.family for place in drawn}):
        reference = families[family].reference.instruction
        raise InstructionError(
            f"no paraphrase of the wording {reference.name!r} writes the answer as it does",
            where=reference.origin,
            hint="Give paraphrases with the same answer and answer_prefix, which say something else",
        )
    return [drawn[place] for place in sorted(drawn)]


class _Place(NamedTuple):
    """An example and a family, by their indices."""

    example: int
    family: int


# ------------------------------------------------------------------------------------------------- a reference's family


class _Partner(NamedTuple):
    """A wording beside a reference; `named` for that reference alone, so that it must fit."""

    wording: CompiledInstruction
    named: bool


class _Family(NamedTuple):
    """A reference with its paraphrases and negations."""

    reference: CompiledInstruction
    paraphrases: list[_Partner]
    negations: list[_Partner]


def _family(reference: Instruction, paraphrases: Wordings, negations: Wordings, task: Task) -> _Family:
    partners = [_partners(reference, wordings, task) for wordings in (paraphrases, negations)]
    if not partners[0]:
        raise InstructionError(
            f"the wording {reference.name!r} has no paraphrase",
            where=reference.origin,
            hint="Give at least one for each reference",
        )
    check_against(reference, task)
    return _Family(compile_instruction(reference), *partners)


def _partners(reference: Instruction, wordings: Wordings, task: Task) -> list[_Partner]:
    named = isinstance(wordings, Mapping)
    if isinstance(wordings, Mapping):
        found = [*wordings.get(reference.name, ()), *wordings.get(reference.id, ())]
    else:
        found = [wording for wording in wordings if wording.name != reference.name]
    for wording in found:
        check_against(wording, task)
    return [_Partner(compile_instruction(wording), named) for wording in found]


def _check_keys(wordings: Wordings, references: Sequence[Instruction]) -> None:
    if isinstance(wordings, Mapping):
        known = {name for reference in references for name in (reference.name, reference.id)}
        if unknown := sorted(wordings.keys() - known):
            raise UsageError(
                f"there is no reference wording {unknown[0]!r} to go with these wordings",
                expected=f"one of: {', '.join(reference.name for reference in references)}",
            )


def _rank(seed: int, task: Task, example: Example, family: _Family) -> bytes:
    key = f"{seed}\0{task.name}\0{example.id}\0{family.reference.instruction.name}"
    return hashlib.blake2b(key.encode(), digest_size=16).digest()


# ---------------------------------------------------------------------------------------------------------- one example


_WHOLE: tuple[object, ...] = ("whole",)


class _Dressed(NamedTuple):
    """A wording rendered for one example.

    Attributes:
        ask, layout: apart, where the wording has them apart; else None.
        whole: the whole prompt.
        target: the answer as this wording writes it.
    """

    wording: Instruction
    ask: str | None
    layout: str | None
    whole: str
    target: str


def _pair(task: Task, example: Example, family: _Family) -> Pair | None:
    """The example under the family's wordings; None where no paraphrase is left."""
    reference = _dress(task, example, family.reference)
    groups: list[list[_Dressed]] = []
    seen = {reference.whole}
    for partners in (family.paraphrases, family.negations):
        fitting: list[_Dressed] = []
        for partner in partners:
            dressed = _dress(task, example, partner.wording)
            if _answers_alike(reference, dressed):
                if dressed.whole not in seen:
                    fitting.append(dressed)
                    seen.add(dressed.whole)
            elif partner.named:
                _complain(reference, dressed, example)
        groups.append(fitting)
    if not groups[0]:
        return None
    everything = [reference, *groups[0], *groups[1]]
    apart = {_shape(dressed) for dressed in everything} == {_shape(reference)} != {_WHOLE}

    def text_of(dressed: _Dressed) -> str:
        return dressed.ask if apart and dressed.ask is not None else dressed.whole

    wording = reference.wording
    return Pair(
        instruction=text_of(reference),
        paraphrases=tuple(map(text_of, groups[0])),
        input=(reference.layout or "") if apart else "",
        target=reference.target,
        negations=tuple(map(text_of, groups[1])),
        joint=wording.target_delimiter,
        separator=wording.separator if apart else SEPARATOR,
        ask_last=wording.ask_last and apart,
        origins=tuple(Origin(text_of(each), each.wording.name, asked_by(each.wording)) for each in everything),
        source=f"{task.name}, example {example.id}, {wording.name}",
    )


def _dress(task: Task, example: Example, compiled: CompiledInstruction) -> _Dressed:
    wording = compiled.instruction
    prompt = build_prompt(compiled, example, demonstrations=(), prompt_format="plain")
    target = prompt.options[example.target] if prompt.options else example.reference or ""
    if not target.strip():
        raise TaskError(f"the example {example.id!r} of task {task.name!r} has no answer to train on")
    if wording.layout is None:
        return _Dressed(wording, None, None, prompt.text, target)
    return _Dressed(wording, compiled.render_ask(example), compiled.render_layout(example), prompt.text, target)


def _answers_alike(one: _Dressed, other: _Dressed) -> bool:
    return one.target == other.target and one.wording.target_delimiter == other.wording.target_delimiter


def _shape(dressed: _Dressed) -> tuple[object, ...]:
    """What asks must have in common to stand before (or after) one and the same input."""
    wording = dressed.wording
    if dressed.layout is None or not dressed.layout.strip() or not (dressed.ask or "").strip():
        return _WHOLE
    return (dressed.layout, wording.separator, wording.ask_last)


def _complain(reference: _Dressed, other: _Dressed, example: Example) -> None:
    def written(dressed: _Dressed) -> str:
        return repr(
            (" " if dressed.wording.target_delimiter is None else dressed.wording.target_delimiter) + dressed.target
        )

    raise InstructionError(
        f"the wording {other.wording.name!r} writes the answer of example {example.id!r} otherwise than its reference "
        f"{reference.wording.name!r}",
        expected=written(reference),
        got=written(other),
        where=other.wording.origin,
        hint="Give both the same answer and answer_prefix",
    )
