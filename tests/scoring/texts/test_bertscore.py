from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import cast

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizer

from phraseproof.core import Outcome
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.scoring.registry import metric
from phraseproof.scoring.texts.bertscore import BertScore
from support.corpora import corpora

WORDS = [
    "the",
    "a",
    "keys",
    "were",
    "found",
    "by",
    "small",
    "child",
    "library",
    "is",
    "closed",
    "on",
    "bread",
    "sold",
    "from",
    "six",
    "yes",
    "und",
    "nach",
    "zug",
]


def encoder(folder: Path, seed: int = 0, *, longest: int | None = 64) -> Path:
    """A tiny BERT with random weights; its tokenizer may have no maximum length."""
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=5 + len(WORDS),
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer = BertTokenizer(str(folder / "vocab.txt"))
    if longest is not None:
        tokenizer.model_max_length = longest
    tokenizer.save_pretrained(folder)
    return folder


def test_texts_have_the_f1_of_the_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = encoder(tmp_path / "tiny")
    texts = [outcome for outcome in corpora()[0] if outcome.text]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from bert_score import BERTScorer
    theirs = BERTScorer(model_type=str(folder), num_layers=2, device="cpu")
    found = theirs.score([each.text for each in texts], [list(each.references) for each in texts])
    expected = cast("torch.Tensor", found[2]).tolist()
    mine = metric(f"bertscore:{folder}@2")
    capsys.readouterr()
    assert mine.scores(texts) == pytest.approx(expected, abs=1e-6)
    assert capsys.readouterr().out == ""
    assert mine.signature == theirs.hash
    # The last layer by default, which gives other values.
    assert metric(f"bertscore:{folder}").scores(texts) != pytest.approx(expected, abs=1e-4)
    assert mine.scores([Outcome("1", 0.0, text=" ", reference="yes"), texts[0]])[0] == 0.0


def test_an_encoder_reads_what_it_has_positions_for(tmp_path: Path) -> None:
    (value,) = metric(f"bertscore:{encoder(tmp_path / 'free', longest=None)}").scores(
        [Outcome("1", 0.0, text="keys " * 500, reference="keys")]
    )
    assert 0 < value <= 1


def test_other_weights_are_another_metric(tmp_path: Path) -> None:
    first, second = encoder(tmp_path / "a"), encoder(tmp_path / "b", seed=1)
    identities = [metric(f"bertscore:{each}").identity for each in (first, f"{first}@2", second)]
    assert len({str(each) for each in identities}) == 3
    assert identities[0]["layer"] == 3


def test_what_cannot_be_loaded_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = encoder(tmp_path / "tiny")
    with pytest.raises(UsageError, match=r"no such layer \(expected 1 to 3, got 9\)"):
        metric(f"bertscore:{folder}@9").require(["a"])
    with pytest.raises(UsageError, match="cannot be loaded"):
        metric(f"bertscore:{tmp_path / 'nothing'}").require(["a"])
    with pytest.raises(UsageError, match="expected ENCODER@LAYER, got tiny@last"):
        metric("bertscore:tiny@last")
    assert BertScore().name == "bertscore"
    monkeypatch.setitem(sys.modules, "bert_score", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'phraseproof\[bertscore\]'"):
        BertScore().require(["a"])
