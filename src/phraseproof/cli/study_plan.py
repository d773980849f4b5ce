"""The plans of studies, for people and as JSON: what each shows and needs, and what its steps would cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from phraseproof.cli.progress import duration
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.terminal import print_blocks

if TYPE_CHECKING:
    from phraseproof.studies.carry_out import PlannedStep
    from phraseproof.studies.study import Study, StudyRequest

Plan = tuple["Study", Sequence["PlannedStep"], str]
"""A study, its steps with forecasts, and why there are none; empty where there are."""


def plans_text(plans: Sequence[Plan], request: StudyRequest, screen: Screen) -> str:
    """The plans as text."""
    blocks: list[RenderableType] = []
    for study, steps, reason in plans:
        blocks += _described(study)
        if reason:
            blocks.append(Padding(Text(printable(f"cannot be planned: {reason}"), style="yellow"), (0, 0, 0, 2)))
        elif steps:
            blocks.append(Padding(_steps(steps), (0, 0, 0, 2)))
        else:
            blocks.append(Padding(Text("no run, no cost"), (0, 0, 0, 2)))
        blocks.append(Text())
    models = ", ".join(request.models) or ", ".join(map(str, request.runs)) or "no model"
    more = f" with at most {request.limit} examples per task" if request.limit is not None else ""
    blocks.append(Text(printable(f"For {models}{more}. Runs that several studies need are computed once.")))
    return print_blocks(blocks, screen)


def list_text(studies: Sequence[Study], screen: Screen) -> str:
    """What studies show and need, as text."""
    blocks = [block for study in studies for block in (*_described(study), Text())]
    blocks.append(Text("`phraseproof study list --model NAME` adds the runs of each, and what they would cost."))
    return print_blocks(blocks, screen)


def _described(study: Study) -> list[RenderableType]:
    about = Padding(Text(f"{study.about}; needs {study.needs}"), (0, 0, 0, 2))
    return [Text.assemble((study.name, "bold"), f"  {study.exhibit}"), about]


def _steps(steps: Sequence[PlannedStep]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("step", overflow="fold")
    for heading in ("prompts", "missing", "tokens", "time"):
        table.add_column(heading, justify="right", no_wrap=True)
    for step, forecast in steps:
        shown = [f"{forecast.prompts:,}", f"{forecast.missing:,}"] if forecast.prompts else ["", ""]
        shown.append("" if forecast.tokens is None else f"{forecast.tokens:,}")
        shown.append("" if forecast.seconds is None else duration(forecast.seconds))
        named = Text(printable(f"{step.title} ({step.folder})"))
        if forecast.remark:
            named.append(f"\n{printable(forecast.remark)}", style="dim")
        table.add_row(named, *map(Text, shown))
    return table


def plans_json(plans: Sequence[Plan]) -> str:
    """The plans as one JSON document."""
    return render_document(
        {
            "studies": [
                {
                    **_members(study),
                    "cannot_be_planned": reason or None,
                    "steps": [
                        {"title": step.title, "folder": str(step.folder), **forecast._asdict()}
                        for step, forecast in steps
                    ],
                }
                for study, steps, reason in plans
            ]
        }
    )


def list_json(studies: Sequence[Study]) -> str:
    """What studies show and need, as one JSON document."""
    return render_document({"studies": list(map(_members, studies))})


def _members(study: Study) -> dict[str, str]:
    return {"name": study.name, "exhibit": study.exhibit, "about": study.about, "needs": study.needs}
