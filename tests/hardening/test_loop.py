from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.hardening.loop import run_hardening
from phraseproof.hardening.settings import HardenSettings
from phraseproof.instructions.collections import Collection
from support.harden_data import make_task, make_wordings
from support.tiny_models import tiny_llama, tiny_t5


@pytest.mark.slow
@pytest.mark.parametrize("family", ["t5", "llama"])
def test_the_loop_reports_only_on_what_training_never_saw(tmp_path: Path, family: str) -> None:
    folder = tiny_t5() if family == "t5" else tiny_llama()
    settings = HardenSettings(alignment=AlignmentSettings(max_steps=3, num_tokens=3), max_pairs=20)
    collection = Collection("mine", make_wordings(6))
    result = run_hardening(str(folder), [make_task()], [collection], tmp_path, settings)
    assert len(result.trained) == len(result.held_out) == 3
    assert not set(result.trained) & set(result.held_out)
    assert result.references["parity"] in result.trained
    assert result.method == "pt+kl"
    tested = {row["instruction"] for row in result.base.outcomes().to_pylist()}
    assert tested == set(result.held_out)
    trained_examples = {row["example_id"] for row in load(tmp_path / "reference")}
    tested_examples = {row["example_id"] for row in result.base.outcomes().to_pylist()}
    assert not trained_examples & tested_examples
    assert result.gain.n == 3 * 6
    assert result.gain.estimate == pytest.approx(result.after - result.before)
    assert result.base.settings["model"]["adapter"] is None
    assert result.hardened.settings["model"]["adapter"] is not None
    # The same call again finds everything done.
    again = run_hardening(str(folder), [make_task()], [collection], tmp_path, settings)
    assert again.gain == result.gain


def load(path: Path) -> list[dict[str, str]]:
    from phraseproof.store.queries import load_run

    return load_run(path).outcomes().to_pylist()
