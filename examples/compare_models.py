"""Two models on the same questions and wordings: is the larger one better, and steadier?

python examples/compare_models.py
"""

from __future__ import annotations

import phraseproof

MODELS = ("pocket/tiny", "pocket/small")

runs = [
    phraseproof.evaluate(
        model,
        tasks="pocket/choose-maker,pocket/label-maker,pocket/has-maker",
        instructions={"observed": "pocket-observed", "unobserved": "pocket-test"},
        out=f"runs/{model}",
        limit=20,
    )
    for model in MODELS
]

# Paired: every difference is of one question under one wording, so a smaller one can be shown than by two intervals.
compared = phraseproof.compare(*runs)
for group in ("observed", "unobserved"):
    for row in compared.select(level="overall", group=group):
        if row.statistic in {"mean before", "mean after", "difference"}:
            interval = "" if row.low is None else f"  95% interval {row.low:+.1f} to {row.high:+.1f}"
            print(f"{group:<11} {row.statistic:<12} {row.estimate:5.1f} {row.unit}{interval}")
print(next(note for note in compared.notes if "beyond chance" in note))
