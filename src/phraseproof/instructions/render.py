"""From a compiled wording and an example to a prompt, in a model family's format."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from phraseproof.core import ChatMessage, ChecksAnswerPosition, Example, FormatsChat, Model, Prompt, Task
from phraseproof.errors import ModelError, TaskError, UsageError
from phraseproof.instructions.reasoning import with_reasoning
from phraseproof.instructions.template import CompiledInstruction

BETWEEN_EXAMPLES = "\n\n"
"""The text between two examples of a few-shot prompt, where a wording has no other."""

BEFORE_EXAMPLES = "\n\n"
"""The text between a system prompt and the rest of a prompt, in formats without roles."""

_OPENED_THOUGHT = re.compile(r"<(think|thinking|thought|reasoning)>(?!.*</\1>)|\[THINK\](?!.*\[/THINK\])", re.DOTALL)
"""A block of thoughts that is opened and not closed, in the marks of published chat templates."""

_TARGET_DELIMITER = " "
_CHAT_TARGET_DELIMITER = ""

# The two published forms of Stanford Alpaca's prompts. The models were tuned on these exact characters.
_ALPACA_WITH_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:"
)
_ALPACA_WITHOUT_INPUT = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:"
)


def resolve_format(name: str, model: Model, *, may_think: bool = False) -> str:
    """The format that `name` means: `auto` is `chat` with a model that declares a template, else `plain`.

    Args:
        name: `auto`, or the name of a format.
        model: what reads the prompts.
        may_think: answers are read from texts, in which thoughts may come first.

    Raises:
        UsageError: no such format, or `chat` for a model without a chat template.
        ModelError: the chat template lets the model think before it answers.
    """
    if name != "auto" and name not in _FORMATS:
        close = difflib.get_close_matches(name, ["auto", *_FORMATS], n=1)
        raise UsageError(
            f"no prompt format is called {name!r}",
            expected=f"one of auto, {', '.join(_FORMATS)}",
            where="--prompt-format",
            hint=f"Did you mean {close[0]!r}?" if close else None,
        )
    has_template = isinstance(model, FormatsChat) and model.has_chat_template
    if name == "auto":
        name = "chat" if has_template else "plain"
    if name == "chat" and not has_template:
        raise UsageError(
            f"the model {model.identity.name!r} declares no chat template",
            where="--prompt-format",
            hint="Use --prompt-format plain, or auto",
        )
    if name == "chat" and not may_think and isinstance(model, ChecksAnswerPosition):
        model.require_answer_position()
    return name


def build_prompt(
    compiled: CompiledInstruction,
    example: Example,
    *,
    demonstrations: Sequence[Example],
    prompt_format: str,
    chat_model: FormatsChat | None = None,
    reasoning: str | None = None,
) -> Prompt:
    """Render one example with one wording.

    The ask appears once, however many demonstrations there are. A wording whose ask cannot be separated from the
    example (a `template`, or an `ask` without a `layout`) is repeated whole for every demonstration.

    Args:
        compiled: the wording.
        example: the example that is scored.
        demonstrations: solved examples, in the order they are shown.
        prompt_format: `plain`, `alpaca` or `chat` (`resolve_format` turns `auto` into one of them).
        chat_model: the model whose chat template writes a `chat` prompt.
        reasoning: the sentence that asks for a reasoning before the answer (`reasoning.py`); `None` asks for none.

    Raises:
        InstructionError: the wording cannot be rendered for one of the examples.
        UsageError: `chat` without a `chat_model`.
    """
    rendered = render_prompt(compiled, example, demonstrations)._replace(reasoning=reasoning)
    return format_prompt(rendered, prompt_format=prompt_format, chat_model=chat_model)


class RenderedPrompt(NamedTuple):
    """The texts of one prompt, already rendered, before a model family's format arranges them.

    Attributes:
        ask: the ask; `None` if it is not separate from the example.
        tested: the example that is scored, up to its answer; the whole wording if there is no `ask`.
        options: the answers that are scored, as they are written.
        solved: the demonstrations, each with its answer.
        separator: the text between ask and example.
        ask_last: the ask follows the example.
        system: the system prompt; `None` without one.
        target_delimiter: the text between a prompt and its answer; `None` leaves it to the format.
        fewshot_delimiter: the text between two examples, in formats without turns.
        contexts: where the options are in the prompt, the tested example with each of them; `tested` is not used then.
        continuation: what is scored after each of the contexts.
        reasoning: the sentence that asks for a reasoning, at the end of the prompt; `None` without one.
    """

    ask: str | None
    tested: str
    options: tuple[str, ...]
    solved: tuple[tuple[str, str], ...] = ()
    separator: str = "\n\n"
    ask_last: bool = False
    system: str | None = None
    target_delimiter: str | None = None
    fewshot_delimiter: str = BETWEEN_EXAMPLES
    contexts: tuple[str, ...] = ()
    continuation: str = ""
    reasoning: str | None = None

    def with_ask(self, text: str) -> str:
        """`text` with the ask before it (or after it, with `ask_last`)."""
        if self.ask is None:
            return text
        return f"{text}{self.separator}{self.ask}" if self.ask_last else f"{self.ask}{self.separator}{text}"

    def with_system(self, text: str) -> str:
        """`text` with the system prompt before it, for formats without roles."""
        return text if self.system is None else f"{self.system}{BEFORE_EXAMPLES}{text}"

    def delimiter(self, default: str) -> str:
        """The text between prompt and answer, in a format whose own is `default`."""
        return default if self.target_delimiter is None else self.target_delimiter


def format_prompt(rendered: RenderedPrompt, *, prompt_format: str, chat_model: FormatsChat | None = None) -> Prompt:
    """Arrange rendered texts in a format. `build_prompt` ends here; so do callers that hold text and no template.

    Args:
        rendered: the texts.
        prompt_format: `plain`, `alpaca` or `chat`.
        chat_model: the model whose chat template writes a `chat` prompt.

    Raises:
        UsageError: `chat` without a `chat_model`.
    """
    arrange = _FORMATS[prompt_format]
    if not rendered.contexts:
        return arrange(rendered, chat_model)
    alternatives = tuple(
        arrange(rendered._replace(tested=context, options=(rendered.continuation,)), chat_model)
        for context in rendered.contexts
    )
    longest = max(alternatives, key=lambda prompt: len(prompt.text))
    return replace(longest, options=rendered.options, alternatives=alternatives)


def opened_thought(prompt: Prompt) -> str:
    """The mark of a block of thoughts that a chat prompt opens and does not close; empty without one."""
    if not prompt.messages:
        return ""
    found = _OPENED_THOUGHT.search(prompt.text, _end_of(prompt.messages[-1].content.strip(), prompt.text))
    return found.group() if found else ""


def draw_demonstrations(task: Task, example: Example, num_fewshot: int, seed: int) -> tuple[Example, ...]:
    """The demonstrations shown before `example`, from the task's own (or from its examples, where it has none).

    A task and a seed give one order of the pool, the same for every example, so that prompts share their beginnings and
    the demonstrations for k shots begin those for k + 1. The tested example, and any whose fields equal its own, are
    passed over. The order sorts by a hash of seed, task and example: the same on every machine, whatever order the file
    has. A task may have another rule (`Task.draws`).

    Raises:
        TaskError: the pool holds fewer than `num_fewshot` other examples.
    """
    if num_fewshot <= 0:
        return ()
    if task.draws is not None and task.draws.serves(task):
        return task.draws.draw(task, example, num_fewshot, seed)
    drawn: list[Example] = []
    for candidate in _order(_Same(task), seed):
        if candidate.id != example.id and candidate.fields != example.fields:
            drawn.append(candidate)
            if len(drawn) == num_fewshot:
                return tuple(drawn)
    raise TaskError(
        f"task {task.name!r} has too few examples for {num_fewshot} demonstrations",
        expected=f"at least {num_fewshot} that differ from the tested one",
        got=f"{len(drawn)} for example {example.id!r}",
        hint="Ask for fewer with --num-fewshot",
    )


class _Same:
    """A task as a key of a cache: the same object, without hashing its examples."""

    __slots__ = ("task",)

    def __init__(self, task: Task) -> None:
        self.task = task

    def __hash__(self) -> int:
        return id(self.task)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.task is self.task


@lru_cache(maxsize=32)
def _order(key: _Same, seed: int) -> tuple[Example, ...]:
    task = key.task

    def rank(example: Example) -> bytes:
        return hashlib.blake2b(f"{seed}\0{task.name}\0{example.id}".encode(), digest_size=16).digest()

    return tuple(sorted(task.demonstrations or task.examples, key=rank))


# -------------------------------------------------------------------------------------------------------- the formats


def render_prompt(compiled: CompiledInstruction, example: Example, demonstrations: Sequence[Example]) -> RenderedPrompt:
    """The texts of a wording for one example, before a format arranges them. Raises as `build_prompt` does."""
    wording = compiled.instruction
    ask = compiled.render_ask(example) if wording.layout is not None else None
    is_in_prompt = wording.continuation is not None

    def render(each: Example) -> str:
        if wording.layout is not None:
            return compiled.render_layout(each)
        return compiled.render_template(each) if wording.ask is None else compiled.render_ask(each)

    def solved(each: Example) -> tuple[str, str]:
        if is_in_prompt:
            return compiled.render_contexts(each)[each.target], compiled.render_continuation(each)
        return render(each), _answer_of(compiled, each)

    return RenderedPrompt(
        ask=ask,
        solved=tuple(map(solved, demonstrations)),
        tested="" if is_in_prompt else render(example),
        contexts=compiled.render_contexts(example) if is_in_prompt else (),
        continuation=compiled.render_continuation(example) if is_in_prompt else "",
        options=compiled.render_answers(example),
        separator=wording.separator,
        ask_last=wording.ask_last,
        system=compiled.render_system(example),
        target_delimiter=wording.target_delimiter,
        fewshot_delimiter=BETWEEN_EXAMPLES if wording.fewshot_delimiter is None else wording.fewshot_delimiter,
    )


def _answer_of(compiled: CompiledInstruction, demonstration: Example) -> str:
    answers = compiled.render_answers(demonstration)
    return answers[demonstration.target] if answers else demonstration.reference or ""


def _plain(rendered: RenderedPrompt, _chat_model: FormatsChat | None) -> Prompt:
    delimiter = rendered.delimiter(_TARGET_DELIMITER)
    texts = [*(text + delimiter + answer for text, answer in rendered.solved), rendered.tested]
    place = -1 if rendered.ask_last else 0
    texts[place] = rendered.with_ask(texts[place])
    texts[-1] = with_reasoning(texts[-1], rendered.reasoning)
    return Prompt(rendered.with_system(rendered.fewshot_delimiter.join(texts)), rendered.options, delimiter)


def _alpaca(rendered: RenderedPrompt, _chat_model: FormatsChat | None) -> Prompt:
    delimiter = rendered.delimiter(_TARGET_DELIMITER)
    tested = with_reasoning(rendered.tested, rendered.reasoning)
    texts = rendered.fewshot_delimiter.join([*(text + delimiter + answer for text, answer in rendered.solved), tested])
    if rendered.ask is None:
        text = _ALPACA_WITHOUT_INPUT.format(instruction=texts)
    else:
        text = _ALPACA_WITH_INPUT.format(instruction=rendered.ask, input=texts)
    return Prompt(rendered.with_system(text), rendered.options, delimiter)


def _chat(rendered: RenderedPrompt, chat_model: FormatsChat | None) -> Prompt:
    if chat_model is None:
        raise UsageError("the format chat needs a model with a chat template", where="--prompt-format")
    turns = [*(text for text, _ in rendered.solved), rendered.tested]
    place = -1 if rendered.ask_last else 0
    turns[place] = rendered.with_ask(turns[place])
    turns[-1] = with_reasoning(turns[-1], rendered.reasoning)
    messages = [] if rendered.system is None else [ChatMessage("system", rendered.system)]
    for turn, (_, answer) in zip(turns[:-1], rendered.solved, strict=True):
        messages += (ChatMessage("user", turn), ChatMessage("assistant", answer))
    messages.append(ChatMessage("user", turns[-1]))
    text = chat_model.format_chat(messages)
    delimiter = rendered.delimiter(_CHAT_TARGET_DELIMITER)
    prompt = Prompt(text, rendered.options, delimiter, has_special_tokens=True, messages=tuple(messages))
    if rendered.options and rendered.reasoning is None and opened_thought(prompt):
        raise ModelError(
            "the chat template opens a block of thoughts before the answer, so options would be scored inside it",
            got=f"a prompt that ends in {text[-40:]!r}",
            hint="--scoring generate --reasoning lets the model close it, and reads the answer from what follows. "
            "Or close it with a template of your own (--chat-template FILE), or use --prompt-format plain",
        )
    return prompt


def _end_of(turn: str, text: str) -> int:
    """Where the last turn ends in a chat prompt; 0 if it is not there."""
    start = text.rfind(turn)
    return 0 if start < 0 else start + len(turn)


_FORMATS: Mapping[str, Callable[[RenderedPrompt, FormatsChat | None], Prompt]] = {
    "plain": _plain,
    "alpaca": _alpaca,
    "chat": _chat,
}
