"""An evaluation that is killed while it writes texts, or while a judge grades them, ends as an undisturbed one.

No question is asked twice, except those that were in flight when the process died.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from phraseproof.core import GREEDY, Example, Instruction, Kind, Prompt, Sampling, Task
from phraseproof.evaluation import judging, score_cells
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.instructions.collections import Collection
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import load_run
from support.forked import fork_context

EXAMPLES = 13
WORDINGS = ("Repeat:", "Again:", "Once more:")
RUBRIC = """name: pairs
form: pairs
prompt: "1 {{ first }} / 2 {{ second }}"
grade: '([0-2])'
judge: {model: scripted}
"""


class Recorded(ScriptedModel):
    """Writes what follows from the prompt alone, records every call, and kills its process at the n-th prompt."""

    def __init__(self, kind: str, log: Path, deaths: Iterator[int]) -> None:
        super().__init__(name=kind, write=self._text)
        self._kind, self._log, self._deaths = kind, log, deaths

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        entry = {"kind": self._kind, "process": os.getpid(), "prompts": [each.text for each in prompts]}
        with self._log.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        return super().generate(prompts, max_new_tokens=max_new_tokens, sampling=sampling)

    def _text(self, prompt: Prompt, _sampling: Sampling) -> str:
        if next(self._deaths) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        draw = random.Random(prompt.text)
        return str(draw.randrange(3)) if self._kind == "judge" else f"{prompt.text.split()[-1]} {draw.randrange(9)}"


def judged(folder: str, out: str, dies_after: int) -> None:
    """One process's work; it dies at the prompt of that number, or not where there are fewer."""
    deaths = iter(range(dies_after, -(10**9), -1))
    examples = tuple(Example(f"e{n}", {"text": f"word{n}"}, reference=f"word{n} {n % 9}") for n in range(EXAMPLES))
    wordings = tuple(
        Instruction(id=f"w{place}", collection="mine", ask=ask, layout="{{ text }}")
        for place, ask in enumerate(WORDINGS)
    )
    log = Path(out).with_suffix(".log")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score_cells, "JOURNAL_INTERVAL_S", 0.0)
        patch.setattr(judging, "load_model", lambda *_: Recorded("judge", log, deaths))
        evaluate(
            Recorded("text", log, deaths),
            Task("words", Kind.FREE_TEXT, "Words", examples, data="words"),
            {"mine": Collection("mine", wordings)},
            out,
            metric=f"exact_match,judge:{folder}/rubric.yaml",
            max_new_tokens=8,
            self_test=False,
        )


def rows_of(out: Path) -> list[dict[str, object]]:
    run = load_run(out)
    assert len(run.metrics) == 2
    rows = [row for name in run.metrics for row in run.select(metric=name).outcomes().to_pylist()]
    return sorted(rows, key=lambda row: (row["metric"], row["instruction"], row["example_id"]))


class Call(NamedTuple):
    kind: str
    process: int
    prompts: tuple[str, ...]


def calls_of(out: Path) -> list[Call]:
    entries = map(json.loads, out.with_suffix(".log").read_text().splitlines())
    return [Call(entry["kind"], entry["process"], tuple(entry["prompts"])) for entry in entries]


@pytest.mark.slow
def test_texts_and_grades_continue_after_kills(tmp_path: Path) -> None:
    (tmp_path / "rubric.yaml").write_text(RUBRIC)
    judged(str(tmp_path), str(tmp_path / "whole"), 10**6)
    undisturbed = rows_of(tmp_path / "whole")
    assert len(undisturbed) == 2 * EXAMPLES * len(WORDINGS)
    whole = Counter((call.kind, prompt) for call in calls_of(tmp_path / "whole") for prompt in call.prompts)
    assert set(whole.values()) == {1}

    context, moments, out = fork_context(), random.Random(16), tmp_path / "killed"
    killed: list[int] = []
    while True:
        worker = context.Process(target=judged, args=(str(tmp_path), str(out), moments.randrange(8, 45)))
        worker.start()
        worker.join(60)
        if worker.exitcode == 0:
            break
        assert worker.exitcode == -signal.SIGKILL
        assert worker.pid is not None
        killed.append(worker.pid)
        assert len(killed) < 60, "every process gets further"
    assert rows_of(out) == undisturbed

    calls = calls_of(out)
    last = {call.process: call for call in calls}
    in_flight = [last[process] for process in killed]
    assert {call.kind for call in in_flight} == {"text", "judge"}, "kills fell into both parts"
    asked = Counter((call.kind, prompt) for call in calls for prompt in call.prompts)
    lost = Counter((call.kind, prompt) for call in in_flight for prompt in call.prompts)
    assert asked.keys() == whole.keys()
    # Each was asked once, and once more for each time that it was in flight when the process died.
    assert all(count <= 1 + lost[key] for key, count in asked.items())
    assert max(asked.values()) > 1
