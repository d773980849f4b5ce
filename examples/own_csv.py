"""Your own CSV: is the wording that you use today better than others?

python examples/own_csv.py                 # a fake model that answers at random; needs no download
python examples/own_csv.py smollm2         # or your model: a hub id, a folder, openai/NAME
"""

from __future__ import annotations

import sys
from pathlib import Path

import phraseproof

HERE = Path(__file__).parent
MODEL = sys.argv[1] if len(sys.argv) > 1 else "scripted"

run = phraseproof.evaluate(
    MODEL,
    tasks=str(HERE / "tickets" / "tickets.yaml"),
    instructions={"ours": str(HERE / "tickets" / "wordings.yaml"), "others": "composed"},
    out=f"runs/own-csv-{Path(MODEL).name}",
)

by_wording = phraseproof.table(run, by="wording").select(level="wording", statistic="mean")
ranked = sorted(by_wording, key=lambda row: -row.estimate)
place = next(number for number, row in enumerate(ranked, start=1) if row.wording == "ours/today")
print(f"{len(ranked)} wordings. Today's is number {place}, with {ranked[place - 1].estimate:.1f}% right.")
for row in (ranked[0], ranked[-1]):
    print(f"{row.estimate:5.1f}  {row.wording}")

# A difference between wordings can be chance. The interval says what other examples and wordings could give.
for group in ("ours", "others"):
    (mean,) = phraseproof.analyze(run).select(level="task", group=group, statistic="mean")
    print(f"{group}: mean {mean.estimate:.1f}%, 95% interval {mean.low:.1f} to {mean.high:.1f}")
