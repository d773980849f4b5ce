"""The shipped model, end to end: an ordinary folder, good with observed wordings, worse with others as clear."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from phraseproof.errors import ModelError
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.models import load_model
from phraseproof.models.pocket import folder
from phraseproof.pocket.figures import OVERALL, Figure, figures
from phraseproof.pocket.tokenizer import new_tokenizer
from phraseproof.store.queries import Run

MAX_BYTES = 8_000_000


def test_it_loads_like_any_model_folder_and_is_small() -> None:
    network = AutoModelForCausalLM.from_pretrained(folder("pocket"))
    assert type(network).__name__ == "LlamaForCausalLM"
    assert network.dtype == torch.float16
    assert sum(path.stat().st_size for path in folder("pocket").iterdir()) < MAX_BYTES
    shipped = AutoTokenizer.from_pretrained(folder("pocket"))
    assert shipped.get_vocab() == new_tokenizer().get_vocab()


def test_its_names() -> None:
    assert folder("pocket") == folder("pocket/small")
    assert load_model("pocket").identity.architecture == "LlamaForCausalLM"
    with pytest.raises(ModelError, match="expected one of: pocket, pocket/small"):
        folder("pocket/giant")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    groups = {"observed": "pocket-observed", "test": "pocket-test"}
    return evaluate("pocket", "pocket", groups, Path(tmp_path_factory.mktemp("run")), limit=4)


@pytest.fixture(scope="module")
def measured(run: Run) -> dict[str, Figure]:
    return {figure.kind: figure for figure in figures(run, "observed", "test")}


@pytest.mark.slow
def test_it_follows_observed_wordings_on_every_kind(measured: dict[str, Figure]) -> None:
    assert {kind: figure.first.percent >= 95 for kind, figure in measured.items()} == {
        "Pocket-QA": True,
        "Pocket-MC": True,
        "Pocket-BC": True,
        OVERALL: True,
    }


@pytest.mark.slow
def test_other_wordings_cost_it_points_and_chance_does_not_explain_them(measured: dict[str, Figure]) -> None:
    difference = measured[OVERALL].difference
    assert 8 <= difference.percent <= 25
    assert difference.low > 0


@pytest.mark.slow
def test_many_wordings_lose_and_not_a_few(run: Run) -> None:
    """A gap that a handful of wordings make says more of those than of wording."""
    lost = run.query(
        """
        SELECT instruction, 1 - avg(score) AS lost FROM outcomes WHERE "group" = 'test' GROUP BY instruction
        ORDER BY lost DESC
        """
    ).to_pylist()
    assert sum(row["lost"] > 0.02 for row in lost) >= len(lost) / 3


@pytest.mark.slow
def test_the_closer_look_tells_relations_apart(tmp_path: Path) -> None:
    groups = {name: f"pocket-{name}" for name in ("closest", "incorrect", "nonsensical")}
    tasks = "pocket/choose-maker,pocket/label-end,pocket/has-price"
    run = evaluate("pocket", tasks, groups, tmp_path, limit=6)
    mean = {
        row["group"]: row["mean"]
        for row in run.query("""SELECT "group", 100 * avg(score) AS mean FROM outcomes GROUP BY ALL""").to_pylist()
    }
    assert mean["closest"] >= 95
    assert mean["incorrect"] < 50, "it does what the wording says, and that is another task"
    assert mean["nonsensical"] < 70
