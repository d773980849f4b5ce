"""`phraseproof agree`: how far a metric agrees with people's labels."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli import options, terminal
from phraseproof.cli.run_folders import open_runs
from phraseproof.errors import FileError, NotEnoughDataError, UsageError

if TYPE_CHECKING:
    from phraseproof.analysis.label_agreement import Label
    from phraseproof.core import Finding

_COLUMNS = ("example_id", "label", "task", "instruction")


def agree(
    run: options.RunFolder,
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS",
            help="A CSV file with the columns example_id and label, a number; also task and instruction where the run "
            "has several.",
        ),
    ],
    scale: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="The lowest and the highest grade of the labels, such as 1,5: adds Cohen's kappa of a judge's grades.",
            rich_help_panel=options.STATISTICS,
        ),
    ] = None,
    scoring: options.ScoringOfRun = None,
    metric: options.MetricOfRun = None,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
) -> None:
    """Compare a metric's values with people's labels of the same texts: correlations and kappa, with intervals."""
    from phraseproof.analysis.label_agreement import label_agreement
    from phraseproof.analysis.position_bias import position_bias
    from phraseproof.reports.build.judged_pairs import position_lines

    (opened,) = open_runs([run], scoring, metric)
    bias = position_bias(opened)
    try:
        found = label_agreement(opened, _read(labels), scale=_read_scale(scale), seed=seed)
    except NotEnoughDataError as error:
        if bias is None:
            raise
        # A judge that always names one place gives all texts the same value.
        hint = f"Position bias: {' '.join(position_lines(bias))}"
        raise NotEnoughDataError(
            error.problem, expected=error.expected, got=error.got, where=error.where, hint=hint
        ) from None
    if as_json:
        counts = {name: getattr(found, name) for name in ("texts", "unreadable", "lacking", "unmatched")}
        agreement = {name: _as_data(each) for name, each in found.findings.items()}
        content = {"format": 1, "metric": opened.metric, **counts, "agreement": agreement}
        if bias is not None:
            shares = {each.name: _as_data(each) for each in (bias.disagreement, bias.first_place) if each is not None}
            content["position_bias"] = {"pairs": bias.asked, **shares}
        terminal.print_file(json.dumps(content, indent=1))
        return
    names = {"pearson": "Pearson's r", "spearman": "Spearman's rho", "kappa": "Cohen's kappa, quadratic weights"}
    for name, each in found.findings.items():
        typer.echo(f"{names[name]}: {each.estimate:.2f}, 95% interval {each.low:.2f} to {each.high:.2f}")
    typer.echo(f"{opened.metric} and labels of {found.texts} texts; {next(iter(found.findings.values())).method}")
    if found.unreadable:
        typer.echo(f"{found.unreadable} labelled texts have no readable grade, and are left out")
    if found.lacking:
        typer.echo(f"{found.lacking} labelled texts are compared with nothing in the other run, and are left out")
    if found.unmatched:
        typer.echo(f"{found.unmatched} labels have no text in the run, and are left out")
    for line in [] if bias is None else position_lines(bias):
        typer.echo(f"Position bias: {line}")


def _as_data(found: Finding) -> dict[str, object]:
    return {name: getattr(found, name) for name in ("estimate", "low", "high", "n", "method")}


def _read(path: Path) -> list[Label]:
    from phraseproof.analysis.label_agreement import Label
    from phraseproof.yaml_document import read_text

    rows = csv.DictReader(io.StringIO(read_text(path), newline=""))
    names = list(rows.fieldnames or ())
    unknown = [name for name in names if name not in _COLUMNS]
    if unknown or not {"example_id", "label"} <= set(names):
        raise FileError(
            "not a file of labels",
            expected=f"the columns example_id and label, and if needed task and instruction, got {', '.join(names)}",
            where=f"{path}:1",
        )
    found: list[Label] = []
    for row in rows:
        try:
            value = float(row["label"])
        except (TypeError, ValueError):
            raise FileError(
                "a label that is no number", got=repr(row["label"]), where=f"{path}:{rows.line_num}, label"
            ) from None
        found.append(Label(row["example_id"], value, row.get("task") or "", row.get("instruction") or ""))
    return found


def _read_scale(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    low, _, high = text.partition(",")
    try:
        scale = int(low), int(high)
    except ValueError:
        scale = (0, 0)
    if scale[0] >= scale[1]:
        raise UsageError("not a scale", expected="LOW,HIGH, such as 1,5", got=text, where="--scale")
    return scale
