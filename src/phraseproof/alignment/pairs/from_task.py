"""Paraphrase sets from a task's examples, rendered with the wordings of collections."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from phraseproof.alignment.pairs.paraphrase_set import SEPARATOR, ParaphraseSet, TextOrigin
from phraseproof.core import Example, Instruction, Task
from phraseproof.errors import InstructionError, TaskError, UsageError
from phraseproof.instructions.fingerprint import asked_by
from phraseproof.instructions.render import format_prompt, render_prompt
from phraseproof.instructions.template import CompiledInstruction, check_against, compile_instruction

Wordings = Mapping[str, Sequence[Instruction]] | Sequence[Instruction]
"""A mapping from a reference (`collection/id`, or the id alone) to its wordings, or one list for all references."""


def _be_silent(_: str) -> None:
    """Ignore a warning."""


def pairs_from_task(
    task: Task,
    references: Sequence[Instruction],
    paraphrases: Wordings,
    *,
    limit: int | None = None,
    seed: int = 0,
    negations: Wordings = (),
    warn: Callable[[str], None] = _be_silent,
) -> list[ParaphraseSet]:
    """Render every example of a task under every reference wording and its paraphrases.

    Examples are the task's demonstrations if it has any, so that the examples it is scored on stay unseen; otherwise
    its examples.

    A set has one target, so all its wordings must write the answer in the same way (letter or text, and target
    delimiter). In a mapping, a wording that does not is an error; in a list for all references, it is skipped. A
    wording that renders to the same text and system prompt as another one of the set is skipped. Where a reference has
    no paraphrase left on an example, or none at all, the set is left out, and counted.

    If all wordings of a set have the same layout, their asks and the input are kept apart. Otherwise each wording is a
    whole prompt; in the format `alpaca` that differs from an evaluation's prompt, which has a section for the input.

    Args:
        task: the source of the examples.
        references: at least one; each must serve the task.
        paraphrases: at least one per reference. The reference itself is skipped if it is among them.
        limit: the maximum number of sets, drawn from all examples and references.
        seed: the seed of that draw. It ranks by a hash, so it is the same on every machine, and a smaller draw is a
            subset of a larger one.
        negations: wordings with the opposite meaning, for the methods that need them.
        warn: called with one line that counts the sets that were left out, by reference.

    Raises:
        InstructionError: a wording cannot be rendered or writes another answer than its reference, or no reference has
            a paraphrase left.
        UsageError: wordings for an unknown reference; no examples or no references.
        TaskError: an example without an answer.
    """
    examples = task.demonstrations or task.examples
    if not examples or not references:
        missing = "examples" if references else "reference wordings"
        raise UsageError(f"no pairs can be made from task {task.name!r}: there are no {missing}")
    if limit is not None and limit < 1:
        raise UsageError("the number of pairs is too small", expected="at least 1", got=str(limit), where="--limit")
    for wordings in (paraphrases, negations):
        _check_keys(wordings, references)
    families = [_family(reference, paraphrases, negations, task) for reference in references]
    positions = [_Position(example, family) for example in range(len(examples)) for family in range(len(families))]
    positions.sort(key=lambda position: _rank(seed, task, examples[position.example], families[position.family]))
    drawn: dict[_Position, ParaphraseSet] = {}
    left_out: Counter[int] = Counter()
    for position in positions:
        if limit is not None and len(drawn) == limit:
            break
        pair = _pair(task, examples[position.example], families[position.family])
        if pair is None:
            left_out[position.family] += 1
        else:
            drawn[position] = pair
    if not drawn:
        raise _no_paraphrase(families)
    if left_out:
        total = left_out.total()
        counts = {families[place].reference.instruction.name: left_out[place] for place in sorted(left_out)}
        named = ", ".join(f"{name} {count}" for name, count in counts.items())
        warn(
            f"{task.name}: {total} of {len(drawn) + total} pairs were left out, because no paraphrase with another "
            f"text writes the answer as the reference does (by reference: {named})"
        )
    return [drawn[position] for position in sorted(drawn)]


class _Position(NamedTuple):
    """The index of an example and the index of a family."""

    example: int
    family: int


# ------------------------------------------------------------------------------- a reference and its other wordings


class _Partner(NamedTuple):
    """A wording that is paired with a reference. With `is_required`, a user named the pair, so it must fit."""

    wording: CompiledInstruction
    is_required: bool


class _Family(NamedTuple):
    """A reference with its paraphrases and negations."""

    reference: CompiledInstruction
    paraphrases: list[_Partner]
    negations: list[_Partner]


def _family(reference: Instruction, paraphrases: Wordings, negations: Wordings, task: Task) -> _Family:
    partners = [_partners(reference, wordings, task) for wordings in (paraphrases, negations)]
    check_against(reference, task)
    return _Family(compile_instruction(reference), *partners)


def _no_paraphrase(families: Sequence[_Family]) -> InstructionError:
    """No set could be made: the first reference says why."""
    first, count = families[0].reference.instruction, len(families)
    others = f", nor has any of the {count - 1} other references" if count > 1 else ""
    if not any(family.paraphrases for family in families):
        return InstructionError(
            f"the wording {first.name!r} has no paraphrase{others}",
            where=first.origin,
            hint="Give at least one paraphrase of a reference",
        )
    return InstructionError(
        f"no paraphrase of the wording {first.name!r} writes the answer in the same way{others}",
        where=first.origin,
        hint="Give paraphrases with another text, but with the same answer and target_delimiter",
    )


def _partners(reference: Instruction, wordings: Wordings, task: Task) -> list[_Partner]:
    if isinstance(wordings, Mapping):
        found = [*wordings.get(reference.name, ()), *wordings.get(reference.id, ())]
    else:
        found = [wording for wording in wordings if wording.name != reference.name]
    for wording in found:
        check_against(wording, task)
    return [_Partner(compile_instruction(wording), isinstance(wordings, Mapping)) for wording in found]


def _check_keys(wordings: Wordings, references: Sequence[Instruction]) -> None:
    if isinstance(wordings, Mapping):
        known = {name for reference in references for name in (reference.name, reference.id)}
        if unknown := sorted(wordings.keys() - known):
            raise UsageError(
                f"wordings are given for {unknown[0]!r}, which is not a reference wording",
                expected=f"one of: {', '.join(reference.name for reference in references)}",
            )


def _rank(seed: int, task: Task, example: Example, family: _Family) -> bytes:
    key = f"{seed}\0{task.name}\0{example.id}\0{family.reference.instruction.name}"
    return hashlib.blake2b(key.encode(), digest_size=16).digest()


# ---------------------------------------------------------------------------------------------------------- one example


_WHOLE_PROMPT: tuple[object, ...] = ("whole",)


class _Rendered(NamedTuple):
    """A wording rendered for one example.

    Attributes:
        wording: the wording.
        ask, layout: its two parts, if the wording has them apart; otherwise `None`.
        whole: the whole prompt, without its system prompt.
        system: the system prompt, or `None`.
        target: the answer as this wording writes it.
        options: all options as it writes them; empty for free text.
    """

    wording: Instruction
    ask: str | None
    layout: str | None
    whole: str
    system: str | None
    target: str
    options: tuple[str, ...] = ()


def _pair(task: Task, example: Example, family: _Family) -> ParaphraseSet | None:
    """The example under the family's wordings; `None` if no paraphrase is left."""
    reference = _render(task, example, family.reference)
    groups: list[list[_Rendered]] = []
    seen = {(reference.system, reference.whole)}
    for partners in (family.paraphrases, family.negations):
        fitting: list[_Rendered] = []
        for partner in partners:
            rendered = _render(task, example, partner.wording)
            if _same_answer(reference, rendered):
                if (rendered.system, rendered.whole) not in seen:
                    fitting.append(rendered)
                    seen.add((rendered.system, rendered.whole))
            elif partner.is_required:
                raise _other_answer(reference, rendered, example)
        groups.append(fitting)
    if not groups[0]:
        return None
    everything = [reference, *groups[0], *groups[1]]
    apart = {_shape(rendered) for rendered in everything} == {_shape(reference)} != {_WHOLE_PROMPT}

    def text_of(rendered: _Rendered) -> str:
        return rendered.ask if apart and rendered.ask is not None else rendered.whole

    wording = reference.wording
    systems = tuple(each.system for each in everything)
    return ParaphraseSet(
        instruction=text_of(reference),
        paraphrases=tuple(map(text_of, groups[0])),
        input=(reference.layout or "") if apart else "",
        target=reference.target,
        negations=tuple(map(text_of, groups[1])),
        target_delimiter=wording.target_delimiter,
        separator=wording.separator if apart else SEPARATOR,
        ask_last=wording.ask_last and apart,
        systems=systems if any(system is not None for system in systems) else (),
        origins=tuple(TextOrigin(text_of(each), each.wording.name, asked_by(each.wording)) for each in everything),
        source=f"{task.name}, example {example.id}, {wording.name}",
        options=reference.options,
        task=task.name,
        example=example.id,
    )


def _render(task: Task, example: Example, compiled: CompiledInstruction) -> _Rendered:
    wording = compiled.instruction
    if wording.continuation is not None:
        raise TaskError(
            "a wording that has the options in its prompt (continuation) has no answer to train on",
            where=wording.origin or wording.name,
        )
    texts = render_prompt(compiled, example, ())
    # The system prompt is kept apart: each prompt format puts it in another place.
    prompt = format_prompt(texts._replace(system=None), prompt_format="plain")
    target = prompt.options[example.target] if prompt.options else example.reference or ""
    if not target.strip():
        raise TaskError(f"the example {example.id!r} of task {task.name!r} has no answer to train on")
    if wording.layout is None:
        return _Rendered(wording, None, None, prompt.text, texts.system, target, prompt.options)
    return _Rendered(wording, texts.ask, texts.tested, prompt.text, texts.system, target, prompt.options)


def _same_answer(one: _Rendered, other: _Rendered) -> bool:
    """Whether both write every option in the same way: a teacher's answer may be any of them."""
    answers = (one.target, one.options), (other.target, other.options)
    return answers[0] == answers[1] and one.wording.target_delimiter == other.wording.target_delimiter


def _shape(rendered: _Rendered) -> tuple[object, ...]:
    """What wordings must have in common so that one input can follow (or precede) all their asks."""
    wording = rendered.wording
    if rendered.layout is None or not rendered.layout.strip() or not (rendered.ask or "").strip():
        return _WHOLE_PROMPT
    return (rendered.layout, wording.separator, wording.ask_last)


def _other_answer(reference: _Rendered, other: _Rendered, example: Example) -> InstructionError:
    differing = [pair for pair in zip(reference.options, other.options, strict=False) if pair[0] != pair[1]]
    targets = (reference.target, other.target)
    expected, got = differing[0] if differing and targets[0] == targets[1] else targets

    def answer(rendered: _Rendered, text: str) -> str:
        return repr((" " if rendered.wording.target_delimiter is None else rendered.wording.target_delimiter) + text)

    return InstructionError(
        f"the wording {other.wording.name!r} writes the answer of example {example.id!r} in another way than its "
        f"reference {reference.wording.name!r}",
        expected=answer(reference, expected),
        got=answer(other, got),
        where=other.wording.origin,
        hint="Give both the same answer and target_delimiter",
    )
