"""Paraphrase a collection with a model, in one call: `phraseproof.paraphrase`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from phraseproof.core import Model, Sampling
from phraseproof.errors import UsageError
from phraseproof.evaluation.rewriter import Rewriter
from phraseproof.instructions.collections import Collection, load_collection
from phraseproof.instructions.paraphrase import Paraphrases, ParaphraseSettings
from phraseproof.instructions.paraphrase import paraphrase as paraphrase_with
from phraseproof.instructions.paraphrase_journal import Journal, journal_path
from phraseproof.instructions.paraphrase_prompts import read_prompts
from phraseproof.instructions.writing import write_collection
from phraseproof.models import ModelOptions, load_model


def paraphrase(  # noqa: PLR0913 (every setting is a parameter, so that help() lists it)
    instructions: str | Path | Collection,
    model: str | Model,
    out: str | Path | None = None,
    *,
    prompts: str | Path = "alpaca",
    name: str | None = None,
    task: str | None = None,
    temperature: float = 0.0,
    top_p: float = 1.0,
    seed: int = 0,
    max_new_tokens: int = 256,
    attempts: int = 3,
    near_copy: float = 90.0,
    model_options: ModelOptions | None = None,
    on_answer: Callable[[int], None] | None = None,
) -> Paraphrases:
    """Paraphrase every ask of a collection with a model, and check each paraphrase (docs/paraphrasing.md).

    Args:
        instructions: the collection: its name, its YAML file or folder, or a loaded one.
        model: the paraphraser: a name as in `load_model`, or a loaded model that generates text.
        out: the YAML file to write if a paraphrase was kept. Answers are stored in `OUT.asked.jsonl` next to it, and a
            repeated call continues a stopped one. `None` writes nothing.
        prompts: the paper's prompts, `alpaca` or `flan`, or a YAML file with your own.
        name: the new collection's name in `out`; by default the file's stem.
        task: paraphrase only the wordings for this task, category or kind.
        temperature: 0 decodes greedily; above 0, tokens are drawn.
        top_p: draw only from the most likely tokens with this total probability, above 0 and at most 1.
        seed: the seed of the draws; a further attempt uses the next seed.
        max_new_tokens: the maximum number of tokens per answer.
        attempts: attempts per paraphrase before it is dropped.
        near_copy: drop a paraphrase whose ROUGE-2 with its seed wording or a sibling is this or more, in percent.
        model_options: how to load `model` if it is a name (device, precision, ...).
        on_answer: called with the number of answers received since the last call.

    Returns:
        The paraphrases that passed, those that were dropped, and the wordings that were skipped, with reasons.

    Raises:
        UsageError: an unknown collection, no wording for `task`, or a setting out of range.
        FileError: a file that cannot be read or written.
        ModelError: the model cannot be loaded, or cannot generate text.
    """
    collection = instructions if isinstance(instructions, Collection) else load_collection(str(instructions))
    seeds = wordings_to_paraphrase(collection, task)
    rewriter = Rewriter(
        load_model(model, model_options or ModelOptions()) if isinstance(model, str) else model,
        max_new_tokens=max_new_tokens,
        sampling=Sampling(temperature, top_p, seed),
    )
    settings = ParaphraseSettings(
        prompts=read_prompts(str(prompts)),
        attempts=attempts,
        near_copy=near_copy / 100,
        author=rewriter.author,
        sampling=rewriter.sampling,
    )
    path = None if out is None else Path(out)
    journal = Journal(None if path is None else journal_path(path), rewriter.settings)
    result = paraphrase_with(seeds, rewriter, settings, journal=journal, on_answer=on_answer)
    if path is not None and result.kept:
        remark = f"Paraphrases of {seeds.name} by {rewriter.author} ({rewriter.sampling}), made by phraseproof."
        write_collection(path, name or path.stem, result.instructions, remark=remark)
    return result


def wordings_to_paraphrase(collection: Collection, task: str | None) -> Collection:
    """The collection with only the wordings for `task` (a task, category or kind); with all of them for `None`.

    Raises:
        UsageError: there is none.
    """
    wordings = collection.instructions
    if task is not None:
        wordings = tuple(each for each in wordings if not each.serves or task in each.serves)
    if not wordings:
        served = sorted({name for each in collection.instructions for name in each.serves})
        raise UsageError(
            f"no wording of {collection.name!r} is for {task!r}" if task else f"{collection.name!r} holds no wordings",
            where="--task" if task else None,
            hint=f"Its wordings are for: {', '.join(served)}" if served else None,
        )
    return Collection(collection.name, wordings, collection.path)
