"""You keep lm-evaluation-harness: run it under several prompts, and read what it logged.

    python examples/import_harness_logs.py     # needs pip install 'phraseproof[lm-eval,hf]'

The harness's own fake model answers at random. For a real one: `--model hf --model_args pretrained=NAME`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import phraseproof

TICKETS = Path(__file__).parent.resolve() / "tickets" / "tickets.csv"
PROMPTS = {
    "plain": "Message: {{body}}\\nTeam:",
    "asked": "{{body}}\\nWhich team should answer this message: billing, bug or praise?\\n",
    "terse": "{{body}}\\nTeam (billing/bug/praise):",
}

tasks = Path("runs/harness/tasks")
tasks.mkdir(parents=True, exist_ok=True)
for name, prompt in PROMPTS.items():
    (tasks / f"{name}.yaml").write_text(
        f"""\
task: tickets_{name}
dataset_path: csv
dataset_kwargs: {{data_files: {{test: {TICKETS}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "{prompt}"
doc_to_choice: [billing, bug, praise]
doc_to_target: "{{{{team}}}}"
""",
        encoding="utf-8",
    )


def run(command: str) -> str:
    """Run a module of this Python, and return what it prints."""
    done = subprocess.run([sys.executable, "-m", *command.split()], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


names = ",".join(f"tickets_{name}" for name in PROMPTS)
run(
    f"lm_eval run --model dummy --model_args pretrained=a-fake-model --tasks {names} --include_path {tasks} --seed 0 "
    "--log_samples --output_path runs/harness/logs"
)
print(run("phraseproof import-results runs/harness/logs --wordings tickets_{wording} -o runs/harness/run"))
for row in phraseproof.table("runs/harness/run", by="wording").select(level="wording", statistic="mean"):
    print(f"{row.wording:<8} {row.estimate:5.1f}")
