"""The options that several commands share, each declared once.

How to use it in a command:

    from phraseproof.cli import options

    def evaluate(model: options.Model, tasks: options.Tasks, as_json: options.AsJson = False) -> None: ...

An option that only one command has is declared in that command, with `rich_help_panel` set to one of the panel names
below (`rich_help_panel=options.SCORING`), so that every `--help` groups its options the same way. The example at the
end of a command's help is in `examples.py`. Nothing here imports more than typer: `--help` must stay fast.
The functions at the end read what the options' texts mean, and raise `UsageError` where they mean nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from phraseproof.cli.completion import complete_groups, complete_instructions, complete_tasks
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.models import ModelOptions

MODEL: Final = "Model"
DATA: Final = "Data"
INSTRUCTIONS: Final = "Instructions"
SCORING: Final = "Scoring"
TRAINING: Final = "Training"
STATISTICS: Final = "Statistics"
LIMITS: Final = "Limits"
OUTPUT: Final = "Output"

# ---------------------------------------------------------------------------------------------------------------- Model

Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="A Hugging Face hub id, a model folder, openai/NAME (a server), pocket (tiny, shipped) or "
        "scripted (a fake for tests).",
        rich_help_panel=MODEL,
    ),
]
TrainableModel = Annotated[
    str,
    typer.Option(
        "--model", "-m", help="A Hugging Face hub id, a model folder, or pocket (tiny, shipped).", rich_help_panel=MODEL
    ),
]
ModelOrConfig = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="A Hugging Face hub id, a model folder, openai/NAME (a server), pocket (tiny, shipped) or "
        "scripted (a fake for tests). Required, here or in --config.",
        rich_help_panel=MODEL,
    ),
]
Adapter = Annotated[
    Path | None, typer.Option(help="The folder of a PEFT adapter to attach to the model.", rich_help_panel=MODEL)
]
Dtype = Annotated[
    str,
    typer.Option(help="The precision of the weights: float32, bfloat16, float16, or auto.", rich_help_panel=MODEL),
]
Device = Annotated[
    str, typer.Option(help="The device to compute on: cpu, cuda, cuda:1, mps, or auto.", rich_help_panel=MODEL)
]
Devices = Annotated[
    str,
    typer.Option(
        "--device",
        help="The device to compute on: cpu, cuda, mps, or auto. Several, as in cuda:0,cuda:1, share the work.",
        rich_help_panel=MODEL,
    ),
]
BatchSize = Annotated[
    str,
    typer.Option(
        help="The number of prompts per batch, or auto (as many as fit a token budget).", rich_help_panel=MODEL
    ),
]
MaxLength = Annotated[
    int | None,
    typer.Option(
        help="The maximum number of tokens of a prompt. Longer prompts are cut from the left when they are scored, and "
        "refused when they are trained on.",
        rich_help_panel=MODEL,
    ),
]
Revision = Annotated[
    str | None, typer.Option(help="The model's branch, tag or commit on the hub.", rich_help_panel=MODEL)
]
RemoteCode = Annotated[
    bool,
    typer.Option(
        "--trust-remote-code", help="Run Python code that the model's repository ships.", rich_help_panel=MODEL
    ),
]
ModelArg = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE",
        help="An option of the model's provider (docs/scoring.md lists them). Repeatable.",
        rich_help_panel=MODEL,
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        help="The address of the server of openai/NAME, as in http://localhost:8000/v1.",
        rich_help_panel=MODEL,
    ),
]
PromptFormat = Annotated[
    str,
    typer.Option(
        help="The format of prompts: plain, alpaca, chat, or auto (chat if the model declares a chat template).",
        rich_help_panel=MODEL,
    ),
]

# ----------------------------------------------------------------------------------------------------------------- Data

Tasks = Annotated[
    list[str],
    typer.Option(
        "--tasks",
        "-t",
        metavar="TASK,...",
        help="Built-in tasks and task files, separated by commas: mmlu,bbl,tickets.yaml. Repeatable.",
        rich_help_panel=DATA,
        autocompletion=complete_tasks,
    ),
]
TasksOrConfig = Annotated[
    list[str] | None,
    typer.Option(
        "--tasks",
        "-t",
        metavar="TASK,...",
        help="Built-in tasks and task files, separated by commas: mmlu,bbl,tickets.yaml. Repeatable. Required, here or "
        "in --config.",
        rich_help_panel=DATA,
        autocompletion=complete_tasks,
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="A folder with the benchmarks' published files, instead of the hub.",
        rich_help_panel=DATA,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", "-n", help="The maximum number of examples per task, sampled by --seed.", rich_help_panel=DATA
    ),
]

# --------------------------------------------------------------------------------------------------------- Instructions

Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--instructions",
        "-i",
        metavar="GROUP=WORDINGS",
        help="A group of wordings under a name of your choice: collections or YAML files, separated by commas. "
        "Repeatable.",
        rich_help_panel=INSTRUCTIONS,
        autocompletion=complete_groups,
    ),
]
Observed = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WORDINGS",
        help="Wordings that the model was tuned on: short for --instructions observed=... (auto: its family's).",
        rich_help_panel=INSTRUCTIONS,
        autocompletion=complete_instructions,
    ),
]
Unobserved = Annotated[
    list[str] | None,
    typer.Option(
        metavar="WORDINGS",
        help="Wordings that the model was not tuned on: short for --instructions unobserved=...",
        rich_help_panel=INSTRUCTIONS,
        autocompletion=complete_instructions,
    ),
]
Collections = Annotated[
    list[str],
    typer.Option(
        "--instructions",
        "-i",
        metavar="WORDINGS",
        help="Collections of wordings: names or YAML files, separated by commas. Repeatable.",
        rich_help_panel=INSTRUCTIONS,
        autocompletion=complete_instructions,
    ),
]
CollectionName = Annotated[
    str,
    typer.Argument(
        metavar="COLLECTION", help="A collection's name, or its YAML file.", autocompletion=complete_instructions
    ),
]
TaskName = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="A task's name or YAML file: use only the wordings that serve it, with its own examples.",
        rich_help_panel=DATA,
        autocompletion=complete_tasks,
    ),
]

# ------------------------------------------------------------------------------------------------------- Run and output

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that `evaluate` wrote.")]
RunFolders = Annotated[list[Path], typer.Argument(metavar="RUN", help="Run folders that `evaluate` wrote.")]
GroupOrder = Annotated[
    str | None,
    typer.Option(
        metavar="GROUP,...",
        help="The groups to show first. All groups are compared with the first one.",
        rich_help_panel=STATISTICS,
    ),
]
ScoringOfRun = Annotated[
    str | None,
    typer.Option(
        "--scoring",
        help="The scoring to show, if the run holds several. Default: the run's first.",
        rich_help_panel=STATISTICS,
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(help="The seed of all random draws.", min=0, rich_help_panel=STATISTICS)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.", rich_help_panel=OUTPUT)]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print warnings and results, but no progress.", rich_help_panel=OUTPUT)
]


# ------------------------------------------------------------------------------------------------------- What they mean


def joined(values: Sequence[str] | None) -> str:
    """The values of a repeatable option as one list separated by commas: `-t a -t b` means `-t a,b`."""
    return ",".join(values or ())


def read_numbers(text: str, option: str) -> tuple[int, ...]:
    """One whole number, or several separated by commas.

    Raises:
        UsageError: a part of `text` is not a whole number.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            "not a number", expected="one number, or several separated by commas", got=text, where=option
        ) from None


def model_options(
    *,
    adapter: Path | None,
    dtype: str,
    device: str,
    batch_size: str,
    max_length: int | None,
    revision: str | None,
    trust_remote_code: bool,
    model_arg: Sequence[str],
) -> ModelOptions:
    """The options of the panel "Model" as the value that `load_model` takes.

    Raises:
        UsageError: a batch size that is not a number, or a `--model-arg` without `=`.
    """
    from phraseproof.models import ModelOptions

    size: int | None = None
    if batch_size != "auto":
        if not batch_size.isdigit() or int(batch_size) < 1:
            raise UsageError(
                "not a batch size", expected="auto or a number from 1", got=batch_size, where="--batch-size"
            )
        size = int(batch_size)
    arguments: dict[str, str] = {}
    for entry in model_arg:
        key, equals, value = entry.partition("=")
        if not (equals and key):
            raise UsageError("not an option of a model", expected="KEY=VALUE", got=entry, where="--model-arg")
        arguments[key] = value
    return ModelOptions(
        dtype=dtype,
        device=device,
        batch_size=size,
        adapter=adapter,
        revision=revision,
        trust_remote_code=trust_remote_code,
        max_length=max_length,
        args=arguments,
    )


def with_base_url(model_arg: Sequence[str] | None, base_url: str | None) -> list[str]:
    """The values of `--model-arg` with that of `--base-url` as one of them."""
    return [*(model_arg or []), *([f"base_url={base_url}"] if base_url else [])]


def read_group_order(text: str | None) -> list[str]:
    """The names in `--group-order`.

    Raises:
        UsageError: a name is empty.
    """
    order = [] if text is None else [name.strip() for name in text.split(",")]
    if "" in order:
        raise UsageError("a group has no name", expected="GROUP,GROUP", got=repr(text), where="--group-order")
    return order


def read_groups(
    named: Sequence[str], observed: Sequence[str] | None, unobserved: Sequence[str] | None
) -> dict[str, str]:
    """The groups of wordings that the options name, in their order.

    Raises:
        UsageError: an entry is not GROUP=WORDINGS, or there is none.
    """
    groups: dict[str, str] = {}
    for entry in named:
        group, equals, members = entry.partition("=")
        group = group.strip()
        if not group.isprintable():
            raise UsageError("a group's name cannot be printed", got=repr(group), where="--instructions")
        if not (equals and group and members):
            raise UsageError("not a group", expected="GROUP=WORDINGS", got=entry, where="--instructions")
        groups[group] = f"{groups[group]},{members}" if group in groups else members
    for group, members in (("observed", joined(observed)), ("unobserved", joined(unobserved))):
        if members:
            groups[group] = f"{groups[group]},{members}" if group in groups else members
    if not groups:
        raise UsageError(
            "no wordings are named",
            where="--instructions",
            hint="Name a group, as in --instructions mine=prompt.yaml, or --unobserved composed",
        )
    return groups
