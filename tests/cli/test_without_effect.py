"""Options that only a model uses are refused where there is none."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from phraseproof.cli import options
from phraseproof.cli.without_effect import refuse_options_of_a_model
from phraseproof.errors import UsageError

app = typer.Typer()


@app.command()
def command(
    ctx: typer.Context,
    model: Annotated[str | None, typer.Option(rich_help_panel=options.MODEL)] = None,
    dtype: options.Dtype = "auto",
    device: options.Device = "auto",
    data_dir: options.DataDir = None,
    seed: options.Seed = 0,
) -> None:
    if model is None:
        refuse_options_of_a_model(ctx, "data_dir", keep=["device"])


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        ((), None),
        (("--device", "cpu", "--seed", "1"), None),
        (("--dtype", "auto", "--model", "m"), None),
        (("--dtype", "auto"), "--dtype requires --model"),
        (("--data-dir", "."), "--data-dir requires --model"),
    ],
)
def test_only_what_has_no_effect_is_refused(arguments: tuple[str, ...], refused: str | None) -> None:
    result = CliRunner().invoke(app, arguments)
    assert (None if result.exception is None else str(result.exception)) == refused
    assert isinstance(result.exception, UsageError | None)
