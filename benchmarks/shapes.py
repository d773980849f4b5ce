"""Random-weight models in published shapes, with tokenizers trained on the spot: the scores mean nothing.

`BENCHMARK_DATA` names the folder of the published files: `mmlu/*_test.csv`, `bbl/TASK/task.json`.
"""

from __future__ import annotations

import csv
import functools
import os
import random
import sys
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("BENCHMARK_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
MMLU = DATA / "mmlu"
LETTERS = "ABCD"


def questions(count: int) -> list[tuple[str, list[str]]]:
    """Four-option questions: MMLU's if a copy is available, else generated in MMLU's lengths."""
    found: list[tuple[str, list[str]]] = []
    for path in sorted(MMLU.glob("*_test.csv")) if MMLU.is_dir() else []:
        with path.open(newline="", encoding="utf-8") as stream:
            found += [(row[0], row[1:5]) for row in csv.reader(stream)]
    _say_which("MMLU's" if found else f"made up, in MMLU's lengths: no file {MMLU / '*_test.csv'} (set BENCHMARK_DATA)")
    draw = random.Random(0)
    if found:
        return draw.sample(found, count)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(3000)]
    return [
        (
            " ".join(draw.choices(words, k=draw.randint(8, 60))),
            [" ".join(draw.choices(words, k=draw.randint(1, 12))) for _ in LETTERS],
        )
        for _ in range(count)
    ]


@functools.cache
def _say_which(questions_are: str) -> None:
    print(f"questions: {questions_are}", file=sys.stderr)  # some rows are read from the stdout of a process


def prompt_text(question: str, options: list[str]) -> str:
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=True))
    return f"The following is a multiple choice question.\n\n{question.strip()}\n{listed}\nAnswer:"


def build_t5(folder: Path, texts: list[str]) -> Path:
    """flan-t5-small's shape: 8 + 8 layers of width 512, an untied head."""
    import torch
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    pieces: Any = Tokenizer(models.Unigram())
    pieces.normalizer = normalizers.Sequence([normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()])
    pieces.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    pieces.train_from_iterator(
        texts, trainers.UnigramTrainer(vocab_size=16000, special_tokens=special, unk_token="<unk>", show_progress=False)
    )
    pieces.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    PreTrainedTokenizerFast(
        tokenizer_object=pieces, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=4096
    ).save_pretrained(folder)
    torch.manual_seed(0)
    shape: Any = T5Config
    model: Any = T5ForConditionalGeneration(
        shape(
            d_model=512,
            d_kv=64,
            d_ff=1024,
            num_layers=8,
            num_decoder_layers=8,
            num_heads=6,
            feed_forward_proj="gated-gelu",
            tie_word_embeddings=False,
            vocab_size=32128,
            decoder_start_token_id=0,
            pad_token_id=0,
            eos_token_id=1,
        )
    )
    # The configuration insists on tied embeddings; Flan-T5's head is its own.
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(torch.randn(32128, 512) * 0.1)
    model.save_pretrained(folder)
    return folder


def build_llama(folder: Path, texts: list[str]) -> Path:
    """84 million parameters in Llama's architecture: 10 layers of width 640, grouped-query attention."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    pieces: Any = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    special = ["<unk>", "<s>", "</s>", "<pad>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    pieces.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=16000, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    pieces.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        pad_token="<pad>",
        eos_token="</s>",
        bos_token="<s>",
        unk_token="<unk>",
        model_max_length=4096,
    ).save_pretrained(folder)
    torch.manual_seed(1)
    model: Any = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=32000,
            hidden_size=640,
            intermediate_size=1728,
            num_hidden_layers=10,
            num_attention_heads=10,
            num_key_value_heads=2,
            head_dim=64,
            max_position_embeddings=4096,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=3,
            tie_word_embeddings=False,
        )
    )
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight.normal_(0, 0.04)
    model.save_pretrained(folder)
    return folder


def build_tiny_llama(folder: Path, tokenizer: Path) -> Path:
    """Two layers of width 64, for measuring what is not computing; with the tokenizer of another folder."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    AutoTokenizer.from_pretrained(tokenizer).save_pretrained(folder)
    torch.manual_seed(2)
    shape: Any = LlamaConfig
    model: Any = LlamaForCausalLM(
        shape(
            vocab_size=16000,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=4096,
        )
    )
    model.save_pretrained(folder)
    return folder
