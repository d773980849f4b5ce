"""A gate for continuous integration: exit code 1 if the prompt became too sensitive to wording.

    python examples/gate_in_ci.py

The same from a shell: phraseproof gate RUN --max-spread 5 --min-worst 90 --junit gate.xml
"""

from __future__ import annotations

import sys

import phraseproof

# The run folder is kept between builds (a cache): only new prompts, wordings or examples are computed.
run = phraseproof.evaluate(
    "pocket",
    tasks="pocket/has-maker,pocket/label-maker",
    instructions={"tuned on": "pocket-observed", "never seen": "pocket-test"},
    out="runs/gate",
    limit=20,
)

result = phraseproof.gate(run, max_spread=15, min_worst=50, max_gap=10)
for check in result.checks:
    print("kept   " if check.is_kept else "BROKEN ", check.option, check.line)
sys.exit(0 if result.passed else 1)
