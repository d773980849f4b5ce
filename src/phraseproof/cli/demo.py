"""`phraseproof demo`: sensitivity to wording and its reduction, live and offline: a real model, a shipped tiny one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal

if TYPE_CHECKING:
    from phraseproof.pocket.demonstration import Demonstration
    from phraseproof.pocket.figures import AccuracyInterval, Figure
    from phraseproof.reduction.demonstration import RealDemonstration
    from phraseproof.store.queries import Run

_SHOWN = {
    "as it is": "each wording as it is",
    "calibrated": "each wording, calibrated",
    "calibrated ensemble of all": "all ten together, calibrated",
}
_REAL_EXAMPLES = 75
"""Tickets for the real model: 750 prompts, about a minute on one core."""


def demo(
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="The folder for the runs and the adapter.", rich_help_panel=options.OUTPUT),
    ] = Path("runs/demo"),
    seed: Annotated[int, typer.Option(help="The seed of the training.", rich_help_panel=options.TRAINING)] = 0,
    limit: Annotated[
        int,
        typer.Option(
            min=2,
            help="The number of questions per task of the shipped model. It has 24 tasks and 84 wordings.",
            rich_help_panel=options.DATA,
        ),
    ] = 10,
    real: Annotated[
        bool,
        typer.Option(
            "--real/--no-real",
            help="Also measure a real model, SmolLM2-135M-Instruct, if its package is installed.",
            rich_help_panel=options.MODEL,
        ),
    ] = True,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Explain and reduce the spread of a real model; measure and align a shipped tiny one. Offline, a few minutes."""
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.training_progress import TrainingBar
    from phraseproof.pocket.demonstration import conclude, measure, reduce_sensitivity
    from phraseproof.store.urls import require_no_url

    def announce(step: str) -> None:
        if not quiet:
            typer.echo(step, err=True)

    require_no_url(out)
    adapter = out / f"adapter-{seed}"
    steps = 4 if real else 3
    first = steps - 2
    measured: RealDemonstration | None = None
    if real:
        announce(f"1 of 4: a real model, SmolLM2-135M-Instruct: {_REAL_EXAMPLES} support tickets under ten wordings")
        measured = _measure_real(out / "smollm2", quiet=quiet)
    if measured is not None and not as_json:
        _print_real(measured)
    announce(f"{first} of {steps}: measuring the shipped model under wordings it was tuned on, and under others")
    with ProgressBar(quiet=quiet) as bar:
        base = measure(out / "base", limit=limit, adapter=None, observer=bar)
    announce(f"{first + 1} of {steps}: training ten vectors in front of it; its own weights do not change")
    with TrainingBar(quiet=quiet) as training:
        num_pairs = reduce_sensitivity(adapter, seed=seed, observer=training)
    announce(f"{steps} of {steps}: measuring the same questions and wordings again, with the ten vectors")
    with ProgressBar(quiet=quiet) as bar:
        aligned = measure(out / f"aligned-{seed}", limit=limit, adapter=adapter, observer=bar)
    shown = conclude(base, aligned)
    if as_json:
        folders = {"runs": {"base": str(base.path), "aligned": str(aligned.path)}, "adapter": str(adapter)}
        found = {} if measured is None else {"real": _real_as_json(measured, out / "smollm2")}
        terminal.print_json(_as_json(shown) | folders | found)
        return
    _print_figures(shown)
    _print_meaning(num_pairs)
    typer.echo(f"  runs      {base.path}, {aligned.path}\n  adapter   {adapter} (an ordinary PEFT folder)\n")
    typer.echo("Next:\n" + "\n".join(f"  {command}" for command in _next(out, base, aligned, measured)))


def _measure_real(folder: Path, *, quiet: bool) -> RealDemonstration | None:
    """The part on the real model; without its package a line that says so, and `None`."""
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.errors import MissingExtraError, ModelError
    from phraseproof.reduction.demonstration import conclude_real, measure_real

    try:
        with ProgressBar(quiet=quiet) as bar:
            run = measure_real(folder, limit=_REAL_EXAMPLES, observer=bar)
    except (MissingExtraError, ModelError) as error:
        terminal.note(f"the part on a real model is left out: {error}")
        return None
    return conclude_real(run)


def _next(out: Path, base: Run, aligned: Run, measured: RealDemonstration | None) -> list[str]:
    commands = [f"phraseproof report {base.path} {aligned.path} -o report.html"]
    if measured is not None:
        real = out / "smollm2"
        commands = [f"phraseproof table {real} --by wording", f"phraseproof reduce {real}", *commands]
    return commands


def _real_as_json(shown: RealDemonstration, folder: Path) -> dict[str, object]:
    return {
        "run": str(folder),
        "cause": shown.cause,
        "constant_wordings": shown.constant,
        "ways": {
            way.way.name: {
                "accuracy": 100 * way.accuracy,
                "gain": 100 * way.gain.estimate,
                "low": 100 * way.gain.low,
                "high": 100 * way.gain.high,
                "std": 100 * way.spread,
                "worst": 100 * way.worst,
                "calls": way.calls,
            }
            for way in shown.task.ways
        },
    }


def _print_real(shown: RealDemonstration) -> None:
    from textwrap import fill

    from phraseproof.analysis.reductions.recommendation import recommend

    task = shown.task
    lines = [
        "A real model: SmolLM2-135M-Instruct (135 million parameters) chooses one of five teams for",
        f"{task.examples} support tickets. Ten wordings of the instruction, and every ticket under each of them:",
        "",
        f"{'percent right':<30}{'mean':>6}{'spread':>9}{'worst':>8}   gain (95% interval)",
    ]
    for name, words in _SHOWN.items():
        way = next(each for each in task.ways if each.way.name == name)
        gain = way.gain
        interval = f"{100 * gain.estimate:+.1f} ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"
        numbers = f"{100 * way.accuracy:>6.1f}{100 * way.spread:>9.1f}{100 * way.worst:>8.1f}"
        lines.append(f"{words:<30}{numbers}" + ("" if way is task.ways[0] else f"   {interval}"))
    lines += [
        "",
        fill(f"Why: under {shown.constant} of the ten wordings nearly every ticket gets one answer. {shown.cause}", 90),
        "",
        fill(recommend(task).sentence, 90),
        "",
        "Calibration takes out what the model answers whatever the ticket. It was fitted on other",
        "tickets, without labels; no weight was changed.",
        "",
    ]
    typer.echo("\n".join(lines))


def _as_json(shown: Demonstration) -> dict[str, object]:
    def accuracies(figure: Figure) -> dict[str, object]:
        return {
            "observed": _interval(figure.first),
            "unobserved": _interval(figure.second),
            "gap": figure.difference.percent,
        }

    gain = shown.gain
    assert gain.low is not None, "the gain has an interval"
    assert gain.high is not None, "the gain has an interval"
    return {
        "base": accuracies(shown.base),
        "aligned": accuracies(shown.aligned),
        "paired_gain": {"estimate": 100 * gain.estimate, "low": 100 * gain.low, "high": 100 * gain.high},
    }


def _interval(found: AccuracyInterval) -> dict[str, float]:
    return {"accuracy": found.percent, "low": found.low, "high": found.high}


def _print_figures(shown: Demonstration) -> None:
    gain = shown.gain
    assert gain.low is not None, "the gain has an interval"
    assert gain.high is not None, "the gain has an interval"
    typer.echo(f"\n{'percent right (95% interval)':<30}{'wordings tuned on':<21}{'wordings never seen':<22}{'gap':>5}")
    for name, figure in (("as shipped", shown.base), ("with ten aligned vectors", shown.aligned)):
        observed, unobserved = (
            f"{one.percent:5.1f} ({one.low:.1f}-{one.high:.1f})" for one in (figure.first, figure.second)
        )
        typer.echo(f"{name:<30}{observed:<21}{unobserved:<22}{figure.difference.percent:>5.1f}")
    typer.echo(
        f"\nOn wordings never seen: {100 * gain.estimate:+.1f} points, 95% interval {100 * gain.low:+.1f} to "
        f"{100 * gain.high:+.1f}\n(the same questions under the same wordings, before and after).\n"
    )


def _print_meaning(num_pairs: int) -> None:
    typer.echo(
        "The model was tuned on the wordings of the first column. The wordings of the second\n"
        "column ask for the same things, so the gap is an effect of wording alone. The ten\n"
        f"vectors were trained on {num_pairs} other questions, under the first column's wordings and\n"
        "under paraphrases, never under the second column's. The model's weights did not change.\n"
        "It is a tiny model that was given this weakness on purpose (docs/pocket.md): it shows\n"
        "what the tool does, not how large models behave.\n"
    )
