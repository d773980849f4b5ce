"""`phraseproof demo`: the disease and the remedy, live and offline, on the tiny model that ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from phraseproof.pocket.demonstration import Demonstration
    from phraseproof.pocket.figures import Figure, Interval


def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for the runs and the adapter.")] = Path(
        "runs/demo"
    ),
    seed: Annotated[int, typer.Option(help="Of the training's order.")] = 0,
    limit: Annotated[int, typer.Option(min=2, help="Questions of each of 24 tasks, under 84 wordings in all.")] = 10,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only warnings.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Measure the shipped tiny model, align it, measure it again on wordings it never saw. Offline, some minutes."""
    from phraseproof.cli.progress import ProgressBar
    from phraseproof.cli.training_progress import TrainingBar
    from phraseproof.pocket.demonstration import conclude, measure, mend

    def say(what: str) -> None:
        if not quiet:
            typer.echo(what, err=True)

    adapter = out / f"adapter-{seed}"
    say("1 of 3: the shipped model, with wordings it was tuned on and with others")
    with ProgressBar(quiet=quiet) as bar:
        base = measure(out / "base", limit=limit, adapter=None, observer=bar)
    say("2 of 3: training ten vectors in front of it; its own weights stay as they are")
    with TrainingBar(quiet=quiet) as training:
        num_pairs = mend(adapter, seed=seed, observer=training)
    say("3 of 3: the same questions and wordings again, with the ten vectors")
    with ProgressBar(quiet=quiet) as bar:
        aligned = measure(out / f"aligned-{seed}", limit=limit, adapter=adapter, observer=bar)
    shown = conclude(base, aligned)
    if as_json:
        folders = {"runs": {"base": str(base.path), "aligned": str(aligned.path)}, "adapter": str(adapter)}
        typer.echo(json.dumps(_as_data(shown) | folders))
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


def _as_data(shown: Demonstration) -> dict[str, Any]:
    def told(figure: Figure) -> dict[str, Any]:
        return {
            "observed": _interval(figure.first),
            "unobserved": _interval(figure.second),
            "gap": figure.difference.percent,
        }

    gain = shown.gain
    assert gain.low is not None, "the gain has an interval"
    assert gain.high is not None, "the gain has an interval"
    return {
        "base": told(shown.base),
        "aligned": told(shown.aligned),
        "paired_gain": {"estimate": 100 * gain.estimate, "low": 100 * gain.low, "high": 100 * gain.high},
    }


def _interval(found: Interval) -> dict[str, float]:
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
        "The model was tuned on the wordings of the first column. Those of the second ask\n"
        "for the very same things: what they cost is luck of wording. The ten vectors were\n"
        f"trained on {num_pairs} other questions, in the first column's wordings and in paraphrases,\n"
        "never in the second column's, and the model's own weights did not change.\n"
        "It is a tiny model, given this weakness on purpose (docs/pocket.md): it shows what\n"
        "the tool does, not how large models behave.\n"
    )
