"""`phraseproof demo`: sensitivity to wording and its reduction, live and offline, on the shipped tiny model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal

if TYPE_CHECKING:
    from phraseproof.pocket.demonstration import Demonstration
    from phraseproof.pocket.figures import AccuracyInterval, Figure


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
            help="The number of questions per task. There are 24 tasks and 84 wordings.",
            rich_help_panel=options.DATA,
        ),
    ] = 10,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> None:
    """Measure the shipped tiny model, align it, and measure it again on unseen wordings. Offline, a few minutes."""
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.training_progress import TrainingBar
    from phraseproof.pocket.demonstration import conclude, measure, reduce_sensitivity

    def announce(step: str) -> None:
        if not quiet:
            typer.echo(step, err=True)

    adapter = out / f"adapter-{seed}"
    announce("1 of 3: measuring the shipped model under wordings it was tuned on, and under others")
    with ProgressBar(quiet=quiet) as bar:
        base = measure(out / "base", limit=limit, adapter=None, observer=bar)
    announce("2 of 3: training ten vectors in front of it; its own weights do not change")
    with TrainingBar(quiet=quiet) as training:
        num_pairs = reduce_sensitivity(adapter, seed=seed, observer=training)
    announce("3 of 3: measuring the same questions and wordings again, with the ten vectors")
    with ProgressBar(quiet=quiet) as bar:
        aligned = measure(out / f"aligned-{seed}", limit=limit, adapter=adapter, observer=bar)
    shown = conclude(base, aligned)
    if as_json:
        folders = {"runs": {"base": str(base.path), "aligned": str(aligned.path)}, "adapter": str(adapter)}
        terminal.print_json(_as_json(shown) | folders)
    else:
        _print_figures(shown)
        _print_meaning(num_pairs)
        typer.echo(
            f"  runs      {base.path}, {aligned.path}\n"
            f"  adapter   {adapter} (an ordinary PEFT folder)\n\n"
            "Next:\n"
            f"  phraseproof table {base.path}\n"
            f"  phraseproof report {base.path} {aligned.path} -o report.html"
        )


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
