"""The example at the end of every command's help: commands that a reader can copy.

One table for all commands, so that the examples can be read one after another as a tour. Tests parse each of them
with the options of its command, and load every task, collection and model that an example names.
"""

from __future__ import annotations

from typing import Final

import typer

EXAMPLES: Final = {
    "demo": ("phraseproof demo",),
    "evaluate": (
        "phraseproof evaluate -m pocket -t pocket --observed pocket-observed --unobserved pocket-test -n 10 -o runs/p",
        "phraseproof evaluate --config run.yaml -o runs/again",
        "phraseproof evaluate --config run.yaml -o s3://bucket/runs/again",
        "phraseproof evaluate -m google/flan-t5-base -t mmlu,bbl --observed auto --unobserved composed -o runs/t5",
    ),
    "table": (
        "phraseproof table runs/p",
        "phraseproof table runs/p --by wording --format csv > wordings.csv",
        "phraseproof table runs/p --causes",
        "phraseproof table runs/p --facets",
    ),
    "analyze": ("phraseproof analyze runs/p --by-task",),
    "report": ("phraseproof report runs/p -o report.html",),
    "view": ("phraseproof view runs/p", "phraseproof view runs --no-browser --port 8001"),
    "choose": (
        "phraseproof choose runs/p",
        "phraseproof choose runs/p --criterion worst",
        "phraseproof choose --live -m pocket -t pocket/has-price -i pocket-observed --budget-calls 300 -o runs/q",
    ),
    "compare": ("phraseproof compare runs/base runs/aligned",),
    "agree": ("phraseproof agree runs/p labels.csv --metric judge:summary@openai/judge --scale 1,5",),
    "gate": ("phraseproof gate runs/p --max-spread 5 --min-worst 60 --junit gate.xml",),
    "plot": ("phraseproof plot runs/p --kind strip -o strip.pdf",),
    "runs": ("phraseproof runs runs", "phraseproof runs runs --json", "phraseproof runs s3://bucket/runs"),
    "copy": ("phraseproof copy runs/p s3://bucket/runs/p", "phraseproof copy s3://bucket/runs/p runs/p"),
    "import-results": (
        "phraseproof import-results outcomes.csv -o runs/ours",
        "phraseproof import-results lm_eval_output --wordings 'tickets_{wording}' -o runs/lm",
        "phraseproof import-results results/*.csv --model flan-t5-xl -o runs/published",
    ),
    "calibrate": (
        "phraseproof calibrate runs/p --method all",
        "phraseproof calibrate runs/p --method batch --out runs/p-batch --save calibrator.json",
    ),
    "reduce": (
        "phraseproof reduce runs/p",
        "phraseproof reduce runs/tickets -m smollm2 -t everyday/tickets -i everyday=everyday-observed -n 100",
    ),
    "ensemble": ("phraseproof ensemble runs/p --calibrate batch",),
    "align": ("phraseproof align -m pocket --pairs pairs.jsonl --max-steps 200 -o adapters/pocket",),
    "tune": (
        "phraseproof tune -m smollm2 --data alpaca.json --prompt-format alpaca -o tuned",
        "phraseproof tune -m smollm2 --data a.jsonl --validation unseen=b.jsonl --keep-epochs all -o tuned --dry-run",
    ),
    "harden": (
        "phraseproof harden -m pocket -t pocket/has-price -i pocket-test --methods auto -o runs/search",
        "phraseproof harden -m pocket -t tickets.yaml -i tickets-wordings.yaml -o runs/tickets",
    ),
    "paraphrase": ("phraseproof paraphrase composed --with google/flan-t5-xl -o paraphrases.yaml",),
    "represent": (
        "phraseproof represent -m pocket -t pocket --observed pocket-observed --unobserved pocket-test -o runs/p",
    ),
    "study": (
        "phraseproof study list",
        "phraseproof study table-3 -m pocket",
        "phraseproof study table-3 -m google/flan-t5-xl -n 100 --dry-run",
        "phraseproof study scaling -m google/flan-t5-base -m google/flan-t5-xl -n 100",
        "phraseproof study studies/table-3/pocket/study.json -n 50",
    ),
    "doctor": ("phraseproof doctor", "phraseproof doctor -m pocket"),
    "tasks list": ("phraseproof tasks list",),
    "tasks show": ("phraseproof tasks show pocket/has-price",),
    "tasks validate": ("phraseproof tasks validate tickets.yaml",),
    "instructions list": ("phraseproof instructions list",),
    "instructions show": ("phraseproof instructions show composed --task pocket/has-price",),
    "instructions import": ("phraseproof instructions import flan checkouts/FLAN -o instructions",),
    "instructions validate": ("phraseproof instructions validate wordings.yaml --task tickets.yaml",),
    "instructions stats": ("phraseproof instructions stats composed pocket-test",),
    "instructions perturb": ("phraseproof instructions perturb composed --negate -o negated.yaml",),
    "collect new": ("phraseproof collect new tickets.yaml -o collected --licence CC-BY-4.0",),
    "collect invite": (
        "phraseproof collect invite collected ada ben --days 14 --base-url https://wordings.example.org",
    ),
    "collect revoke": ("phraseproof collect revoke collected ben",),
    "collect status": ("phraseproof collect status collected",),
    "collect import": ("phraseproof collect import collected wordings.xlsx --licence CC-BY-4.0",),
    "collect review": (
        "phraseproof collect review collected",
        "phraseproof collect review collected --accept all",
        "phraseproof collect review collected --return 3f2a90c1d47b6e58 --comment 'Name the teams'",
    ),
    "collect export": (
        "phraseproof collect export collected -o people.yaml",
        "phraseproof collect export collected --everything -o everything.json",
    ),
    "collect quality": (
        "phraseproof collect quality collected --seeds composed",
        "phraseproof collect quality collected --run runs/people",
    ),
    "collect delete-person": ("phraseproof collect delete-person collected ben --yes",),
    "pairs from-task": (
        "phraseproof pairs from-task -t pocket -r pocket-observed -p pocket-paraphrase -o pairs.jsonl",
    ),
    "pairs from-alpaca": ("phraseproof pairs from-alpaca alpaca_data.json -p paraphrases.json -o pairs.jsonl",),
    "collect serve": (
        "phraseproof collect serve everyday/tickets -o collected",
        "phraseproof collect serve -o collected --base-url https://wordings.example.org --trusted-proxy 127.0.0.1",
    ),
    "pocket train": ("phraseproof pocket train --size tiny -o models/tiny",),
    "pocket figures": ("phraseproof pocket figures --limit 20 -o runs/pocket",),
    "pocket data": ("phraseproof pocket data -o pocket-data",),
    "config": ("phraseproof config runs/p > run.yaml",),
    "schema": ("phraseproof schema task > task.schema.json",),
}


def add_examples(app: typer.Typer, path: str = "") -> None:
    """Set the epilog of every command below `app` to its examples."""
    for command in app.registered_commands:
        assert command.callback is not None, "every command has a function"
        name = command.name or command.callback.__name__.replace("_", "-")
        if lines := EXAMPLES.get(f"{path} {name}".strip()):
            command.epilog = f"{'Examples' if len(lines) > 1 else 'Example'}:\n\n" + "\n\n".join(
                f"  {line}" for line in lines
            )
    for group in app.registered_groups:
        if group.typer_instance is not None and group.name:
            add_examples(group.typer_instance, f"{path} {group.name}".strip())
