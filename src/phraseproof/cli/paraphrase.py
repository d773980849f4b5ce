"""`phraseproof paraphrase`: make new wordings of a collection with a language model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import option_values, options, terminal
from phraseproof.cli.inputs import refuse_to_overwrite
from phraseproof.cli.left_out import by_reason
from phraseproof.cli.new_collection import check_names

if TYPE_CHECKING:
    from phraseproof.core import Model
    from phraseproof.evaluation.rewriter import Rewriter
    from phraseproof.instructions.collections import Collection
    from phraseproof.instructions.paraphrase import Paraphrases, ParaphraseSettings
    from phraseproof.instructions.paraphrase_journal import Journal

NOTHING_KEPT = 4
_SHOWN = 12
_SAMPLING = "Paraphrases"


def paraphrase(
    collection: options.CollectionName,
    model: Annotated[
        str,
        typer.Option(
            "--with",
            "-w",
            help="The paraphraser: a hub id, a folder, or openai/NAME (a server with OpenAI's protocol).",
            rich_help_panel=options.MODEL,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="The YAML file to write. The model's answers are stored next to it.",
            rich_help_panel=options.OUTPUT,
        ),
    ],
    prompts: Annotated[
        str,
        typer.Option(
            "--prompts",
            help="The paper's prompts, alpaca or flan, or your own in a YAML file.",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = "alpaca",
    name: Annotated[
        str | None,
        typer.Option(help="The new collection's name. Default: the name of its file.", rich_help_panel=options.OUTPUT),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            "--task",
            help="Paraphrase only the wordings for this task, category or kind.",
            rich_help_panel=options.INSTRUCTIONS,
        ),
    ] = None,
    temperature: Annotated[
        float,
        typer.Option(help="0 decodes greedily; the paper used 0.5 for Alpaca.", rich_help_panel=_SAMPLING),
    ] = 0.0,
    top_p: Annotated[
        float,
        typer.Option(
            "--top-p",
            help="Sample only from the most likely tokens with this total probability.",
            rich_help_panel=_SAMPLING,
        ),
    ] = 1.0,
    seed: Annotated[int, typer.Option(help="The seed of all random draws.", rich_help_panel=_SAMPLING)] = 0,
    max_new_tokens: Annotated[
        int, typer.Option(help="The maximum number of tokens per answer.", rich_help_panel=_SAMPLING)
    ] = 256,
    attempts: Annotated[
        int, typer.Option(help="The maximum number of attempts per paraphrase.", rich_help_panel=_SAMPLING)
    ] = 3,
    near_copy: Annotated[
        float,
        typer.Option(
            help="Drop a paraphrase whose ROUGE-2 (in percent) with its seed wording is at least this.",
            rich_help_panel=_SAMPLING,
        ),
    ] = 90.0,
    base_url: options.BaseUrl = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    model_arg: options.ModelArg = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print the planned requests. Nothing is sent.", rich_help_panel=options.OUTPUT),
    ] = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Paraphrase every ask of a collection with a model. Placeholders, labels and layouts do not change.

    It can be stopped at any time. The same command continues, and does not repeat answered requests.
    """
    from phraseproof.core import Sampling
    from phraseproof.evaluation.paraphrasing import wordings_to_paraphrase
    from phraseproof.evaluation.rewriter import Rewriter
    from phraseproof.instructions.collections import load_collection
    from phraseproof.instructions.paraphrase import ParaphraseSettings
    from phraseproof.instructions.paraphrase import paraphrase as make
    from phraseproof.instructions.paraphrase_journal import Journal, journal_path
    from phraseproof.instructions.paraphrase_prompts import read_prompts
    from phraseproof.instructions.writing import write_collection

    name = name or out.stem
    check_names(out, name)
    seeds = wordings_to_paraphrase(load_collection(collection), task)
    refuse_to_overwrite(out, seeds.path, Path(prompts))
    found_prompts = read_prompts(prompts)
    rewriter = Rewriter(
        _model(model, dtype, device, option_values.with_base_url(model_arg, base_url)),
        max_new_tokens=max_new_tokens,
        sampling=Sampling(temperature, top_p, seed),
    )
    settings = ParaphraseSettings(
        prompts=found_prompts,
        attempts=attempts,
        near_copy=near_copy / 100,
        author=rewriter.author,
        sampling=rewriter.sampling,
    )
    journal = Journal(journal_path(out), rewriter.settings)
    if dry_run:
        _print_forecast(seeds, settings, rewriter, journal, as_json=as_json)
        return
    result = make(seeds, rewriter, settings, journal=journal, on_answer=_counter(seeds, settings, journal, quiet=quiet))
    if result.kept:
        remark = f"Paraphrases of {seeds.name} by {rewriter.author} ({rewriter.sampling}), made by phraseproof."
        write_collection(out, name, result.instructions, remark=remark)
    _print_result(result, rewriter, out, as_json=as_json)
    if not result.kept:
        raise typer.Exit(NOTHING_KEPT)


def _model(name: str, dtype: str, device: str, arguments: list[str]) -> Model:
    from phraseproof.models import load_model

    chosen = option_values.model_options(
        adapter=None,
        dtype=dtype,
        device=device,
        batch_size="auto",
        max_length=None,
        revision=None,
        trust_remote_code=False,
        model_arg=arguments,
    )
    return load_model(name, chosen)


def _counter(
    seeds: Collection, settings: ParaphraseSettings, journal: Journal, *, quiet: bool
) -> Callable[[int], None] | None:
    """Progress on stderr: a line every 15 seconds."""
    if quiet:
        return None
    import time

    from phraseproof.instructions.paraphrase import requests

    asked = requests(seeds, settings)
    known = sum(journal.answer(text, 0) is not None for text in asked)
    typer.echo(f"{len(asked):,} paraphrases requested" + (f", {known:,} answered before" if known else ""), err=True)
    done, last_line_s = 0, time.monotonic()

    def count(answers: int) -> None:
        nonlocal done, last_line_s
        done += answers
        if time.monotonic() - last_line_s > 15:
            last_line_s = time.monotonic()
            typer.echo(f"{done:,} answers", err=True)

    return count


def _print_forecast(
    seeds: Collection, settings: ParaphraseSettings, rewriter: Rewriter, journal: Journal, *, as_json: bool
) -> None:
    from phraseproof.instructions.paraphrase import requests

    asked = requests(seeds, settings)
    missing = [text for text in asked if journal.answer(text, 0) is None]
    count, unit = rewriter.count()
    value = {
        "wordings": len(seeds.instructions),
        "skipped": len(seeds.instructions) - len(asked) // len(settings.prompts.texts),
        "requests": len(asked),
        "requests_missing": len(missing),
        "requests_at_most": len(missing) * settings.attempts,
        f"prompt_{unit}": sum(map(count, missing)),
        "max_new_tokens": rewriter.settings["max_new_tokens"],
    }
    if as_json:
        terminal.print_json(value, indent=2)
        return
    typer.echo(f"wordings       {value['wordings']:>9,}  ({value['skipped']:,} cannot be paraphrased)")
    typer.echo(f"requests       {value['requests']:>9,}  ({value['requests_missing']:,} not answered yet)")
    typer.echo(f"at most        {value['requests_at_most']:>9,}  (if each of those is tried {settings.attempts} times)")
    typer.echo(f"{'prompt ' + unit:14} {value[f'prompt_{unit}']:>9,}  (of one try)")
    typer.echo(f"answers        {value['max_new_tokens']:>9,}  new tokens each, at most")


def _print_result(result: Paraphrases, rewriter: Rewriter, out: Path, *, as_json: bool) -> None:
    count, unit = rewriter.count()
    lengths = [count(each.instruction.ask or "") for each in result.kept]
    likenesses = [100 * each.rouge2 for each in result.kept]
    if as_json:
        terminal.print_json(
            {
                "out": str(out) if result.kept else None,
                "kept": [
                    {
                        "name": each.instruction.id,
                        "seed": each.seed.name,
                        "prompt": each.prompt,
                        "attempt": each.attempt,
                        "rouge2": each.rouge2,
                        "length": length,
                        "ask": each.instruction.ask,
                    }
                    for each, length in zip(result.kept, lengths, strict=True)
                ],
                "unit": unit,
                "dropped": [each._asdict() for each in result.dropped],
                "skipped": [each._asdict() for each in result.skipped],
            },
            indent=2,
        )
        return
    typer.echo(
        f"kept     {len(result.kept):,} paraphrases of {len({each.seed.name for each in result.kept}):,} wordings"
    )
    if result.kept:
        typer.echo(f"length   {_mean(lengths)} {unit}")
        typer.echo(f"ROUGE-2  {_mean(likenesses)} with the seed wording")
    _print_list("dropped", [f"{each.seed}, prompt {each.prompt}: {each.reason}" for each in result.dropped])
    _print_skipped(result)
    if result.kept:
        typer.echo(f"written to {out}", err=True)
    from phraseproof.instructions.paraphrase_journal import journal_path

    typer.echo(f"all answers are in {journal_path(out)}", err=True)


def _print_skipped(result: Paraphrases) -> None:
    if result.skipped:
        typer.echo(f"skipped  {len(result.skipped):,}")
    for line in by_reason(result.skipped):
        typer.echo(line)


def _print_list(word: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    typer.echo(f"{word:8} {len(lines):,}")
    for line in lines[:_SHOWN]:
        typer.echo(f"  {line}")
    if len(lines) > _SHOWN:
        typer.echo(f"  ... and {len(lines) - _SHOWN} more; --json lists them all")


def _mean(values: Sequence[float]) -> str:
    import statistics

    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.1f}{spread}"
