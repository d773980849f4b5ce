"""The options that several commands share, each declared once.

How to use it in a command:

    from phraseproof.cli import options

    def evaluate(model: options.Model, tasks: options.Tasks, as_json: options.AsJson = False) -> None: ...

An option that only one command has is declared in that command, with `rich_help_panel` set to one of the panel names
below (`rich_help_panel=options.SCORING`), so that every `--help` groups its options the same way. The example at the
end of a command's help is in `examples.py`. Nothing here imports more than typer: `--help` must stay fast.
`option_values.py` parses the values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from phraseproof.cli.completion import complete_groups, complete_instructions, complete_tasks

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
        help="A Hugging Face hub id, a model folder, a GGUF file, smollm2 (small, real), openai/NAME (a server), "
        "pocket (tiny, shipped) or scripted (a fake for tests).",
        rich_help_panel=MODEL,
    ),
]
TrainableModel = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="A Hugging Face hub id, a model folder, a GGUF file, smollm2 (small, real) or pocket (tiny, shipped).",
        rich_help_panel=MODEL,
    ),
]
ModelOrConfig = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="A Hugging Face hub id, a model folder, a GGUF file, smollm2 (small, real), openai/NAME (a server), "
        "pocket (tiny, shipped) or scripted (a fake for tests). Required, here or in --config.",
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
        help="The address of the server of openai/NAME, such as http://localhost:8000/v1.",
        rich_help_panel=MODEL,
    ),
]
MaxRequests = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Stop when this number of requests was sent to a server. The same command continues.",
        rich_help_panel=MODEL,
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="AMOUNT",
        help="Stop before the answers of a server cost more. Requires --price-per-million.",
        rich_help_panel=MODEL,
    ),
]
BatchApi = Annotated[
    bool,
    typer.Option(
        "--batch-api",
        help="Send a run's requests to OpenAI's batch API, which answers within a day (docs/served.md).",
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

ChatTemplate = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A Jinja file used as the model's chat template.", rich_help_panel=MODEL),
]
ChatTemplateArg = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE",
        help="An argument of the chat template, such as enable_thinking=false. Repeatable.",
        rich_help_panel=MODEL,
    ),
]
ChatDate = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="The date for chat templates that print today's date, as 2026-01-31. Default: 2024-07-26, so that prompts "
        "are the same every day.",
        rich_help_panel=MODEL,
    ),
]
System = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT|FILE",
        help="The system prompt of all wordings that do not have their own (docs/wordings.md).",
        rich_help_panel=INSTRUCTIONS,
    ),
]

# ----------------------------------------------------------------------------------------------------------------- Data

Tasks = Annotated[
    list[str],
    typer.Option(
        "--tasks",
        "-t",
        metavar="TASK,...",
        help="Built-in tasks, task files, and lm_eval/NAME, a task of lm-evaluation-harness, separated by commas: "
        "mmlu,bbl,tickets.yaml. Repeatable.",
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
        help="Built-in tasks, task files, and lm_eval/NAME, a task of lm-evaluation-harness, separated by commas: "
        "mmlu,bbl,tickets.yaml. Repeatable. Required, here or in --config.",
        rich_help_panel=DATA,
        autocompletion=complete_tasks,
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="A folder with the benchmarks' published files, instead of the hub; of lm_eval/NAME a folder of YAML "
        "files.",
        rich_help_panel=DATA,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit", "-n", help="The maximum number of examples per task, sampled by --seed.", rich_help_panel=DATA
    ),
]

MaxPromptTokens = Annotated[
    int | None,
    typer.Option(
        help="Only examples whose prompts have at most this number of tokens under every wording (docs/tasks.md).",
        rich_help_panel=DATA,
    ),
]

Sample = Annotated[
    str,
    typer.Option(
        help="How --limit draws: stratified (each class in proportion, where all examples choose among the same "
        "answers), random, or auto: stratified, but random in a run folder that was started with random.",
        rich_help_panel=DATA,
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
RunFolders = Annotated[
    list[Path], typer.Argument(metavar="RUN", help="Run folders that `evaluate` wrote, or their URLs.")
]
GroupOrder = Annotated[
    str | None,
    typer.Option(
        metavar="GROUP,...",
        help="The groups to show first. All groups are compared with the first one.",
        rich_help_panel=STATISTICS,
    ),
]
OnlyTasks = Annotated[
    list[str] | None,
    typer.Option("--task", metavar="TASK", help="Use this task of the run only. Repeatable.", rich_help_panel=DATA),
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
MetricOfRun = Annotated[
    str | None,
    typer.Option(
        "--metric",
        help="The metric to show, if the run holds several. Default: the run's first.",
        rich_help_panel=STATISTICS,
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option(help="The seed of all random draws.", min=0, rich_help_panel=STATISTICS)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.", rich_help_panel=OUTPUT)]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print warnings and results, but no progress.", rich_help_panel=OUTPUT)
]
