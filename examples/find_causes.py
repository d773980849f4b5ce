"""Why does accuracy differ between wordings, and what reduces it without training?

python examples/find_causes.py
"""

from __future__ import annotations

import phraseproof

run = phraseproof.evaluate(
    "pocket",
    tasks="pocket/choose-maker,pocket/label-maker",
    instructions={"all": ["pocket-observed", "pocket-test"]},
    out="runs/causes",
    limit=40,
)

# Skill: the model tells right from wrong less well under a wording. Prior: it prefers some answers whatever is asked.
print("Why")
for sentence in phraseproof.table(run, causes=True).notes:
    print(" ", sentence)

print("What helps, on questions that it was not fitted on")
for task, recommended in phraseproof.reduce(run).recommendations:
    print(f"  {task.task}: {recommended.sentence}")

# For production: the corrections in a file. `Calibrator` needs numpy only.
calibrated = phraseproof.calibrate(run, save="runs/causes.json")
for effect in calibrated.effects:
    print(f"{effect.name}: {effect.method}, {100 * effect.gain.estimate:+.1f} points")
