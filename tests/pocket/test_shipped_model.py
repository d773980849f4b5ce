"""The shipped models, end to end: ordinary folders, good with observed wordings, worse with others as clear."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from phraseproof.errors import ModelError
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.models import load_model
from phraseproof.models.pocket import folder
from phraseproof.pocket.figures import OVERALL, Figure, figures
from phraseproof.pocket.lexicon import ATTRIBUTES
from phraseproof.pocket.recipe import RECIPES
from phraseproof.pocket.tokenizer import new_tokenizer
from phraseproof.pocket.wordings import KINDS
from phraseproof.store.queries import Run

MAX_BYTES = 8_000_000
SIZES = ("tiny", "small", "medium", "small-t5")
BASES = ("tiny-base", "tiny-base-long")


@pytest.mark.parametrize("size", [*SIZES, *BASES])
def test_it_loads_like_any_model_folder_and_is_small(size: str) -> None:
    path = folder(f"pocket/{size}")
    loader, architecture = (
        (AutoModelForSeq2SeqLM, "T5ForConditionalGeneration")
        if size.endswith("-t5")
        else (AutoModelForCausalLM, "LlamaForCausalLM")
    )
    network = loader.from_pretrained(path)
    assert type(network).__name__ == architecture
    assert network.dtype == torch.float16
    assert sum(file.stat().st_size for file in path.iterdir()) < MAX_BYTES
    assert AutoTokenizer.from_pretrained(path).get_vocab() == new_tokenizer().get_vocab()
    assert load_model(f"pocket/{size}").identity.architecture == architecture


def test_every_recipe_has_its_model() -> None:
    assert {*SIZES, *BASES} == set(RECIPES)


def test_their_names() -> None:
    assert folder("pocket") == folder("pocket/small")
    with pytest.raises(ModelError, match="expected one of: pocket, pocket/medium, pocket/small, pocket/small-t5, "):
        folder("pocket/giant")


@pytest.fixture(scope="module", params=SIZES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Half of the attributes, in tasks of every kind."""
    groups = {"observed": "pocket-observed", "test": "pocket-test"}
    tasks = [f"pocket/{kind}-{attribute}" for kind in KINDS for attribute in tuple(ATTRIBUTES)[::2]]
    # Four questions per task are enough, but the encoder-decoder misses 95% on one kind with so few.
    limit = 8 if request.param.endswith("-t5") else 4
    return evaluate(f"pocket/{request.param}", tasks, groups, tmp_path_factory.mktemp("run"), limit=limit)


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
    assert 3 <= difference.percent <= 20
    assert difference.low > 0


@pytest.mark.slow
def test_many_wordings_lose_and_not_a_few(run: Run) -> None:
    """A gap that a handful of wordings make says more of those than of wording. The encoder-decoder's are fewer."""
    lost = run.query(
        """
        SELECT instruction, 1 - avg(score) AS lost FROM outcomes WHERE "group" = 'test' GROUP BY instruction
        ORDER BY lost DESC
        """
    ).to_pylist()
    share = 1 / 4 if run.settings["model"]["name"].endswith("-t5") else 1 / 3
    assert sum(row["lost"] > 0.02 for row in lost) >= share * len(lost)


@pytest.mark.slow
def test_the_closer_look_tells_relations_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    groups = {name: f"pocket-{name}" for name in ("closest", "incorrect", "nonsensical")}
    tasks = "pocket/choose-maker,pocket/label-end,pocket/has-price"
    run = evaluate("pocket", tasks, groups, tmp_path_factory.mktemp("closer-look"), limit=6)
    mean = {
        row["group"]: row["mean"]
        for row in run.query("""SELECT "group", 100 * avg(score) AS mean FROM outcomes GROUP BY ALL""").to_pylist()
    }
    assert mean["closest"] >= 95
    assert mean["incorrect"] < 50, "it does what the wording says, and that is another task"
    assert mean["nonsensical"] < 70


def test_untuned_models_answer_instructions_worse(tmp_path: Path) -> None:
    tasks = [f"pocket/{kind}-maker" for kind in KINDS]

    def mean(model: str) -> float:
        run = evaluate(f"pocket/{model}", tasks, {"observed": "pocket-observed"}, tmp_path / model, limit=4)
        return fmean(row.mean_score for row in run.wording_scores())

    tuned = mean("tiny")
    for base in BASES:
        assert mean(base) < tuned - 0.2
