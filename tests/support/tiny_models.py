"""Builders of tiny random models with tokenizers of the true shapes, for any test that needs a model in a folder.

Nothing is downloaded: tokenizers are trained on the made-up text below, weights are drawn with enough spread that
attention matters and that options differ by far more than rounding. A folder is built once in a process.
"""

from __future__ import annotations

import collections
import functools
import json
import math
import random
import re
import string
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_HOME = tempfile.TemporaryDirectory(prefix="tiny-models-")

_WORDS = re.findall(
    r"\S+",
    """
    the a of in to and is was which who what when where why how many answer question option choose correct letter
    river mountain city planet moon star water light stone bread glass paper engine garden market doctor teacher
    king law treaty cell protein nerve heart lung bone acid metal carbon oxygen orbit gravity energy force mass
    seven twelve hundred north south east west left right red green blue black white before after under over more
    less never always often because although between without A B C D true false yes no
    """,
)


def sentences(count: int, *, seed: int = 0) -> list[str]:
    """Made-up questions with options, always the same."""
    draw = random.Random(seed)
    lines: list[str] = []
    for _ in range(count):
        question = " ".join(draw.choices(_WORDS, k=draw.randint(4, 14)))
        options = [" ".join(draw.choices(_WORDS, k=draw.randint(1, 4))) for _ in range(4)]
        listed = "\n".join(f"({letter}) {option}" for letter, option in zip("ABCD", options, strict=True))
        lines.append(f"Question: {question.capitalize()}?\n{listed}\nAnswer: {draw.choice('ABCD')}")
    return lines


def t5_tokenizer(texts: list[str] | None = None, *, vocab_size: int = 500) -> Any:
    """A unigram tokenizer that ends texts in `</s>` and squeezes white space, as T5's does.

    Its pieces are counted rather than trained, because the unigram trainer gives other pieces on every call.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.Unigram(_pieces(texts or sentences(300), vocab_size), unk_id=2))
    squeeze = normalizers.Replace(Regex(r"\s+"), " ")
    raw.normalizer = normalizers.Sequence([normalizers.NFKC(), squeeze, normalizers.Strip()])
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    raw.decoder = decoders.Metaspace()
    raw.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=raw, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=4096
    )


def _pieces(texts: list[str], count: int) -> list[tuple[str, float]]:
    """Special tokens, all characters, then the commonest beginnings and endings of words, with unigram scores."""
    counts: collections.Counter[str] = collections.Counter()
    characters = {"\u2581", *string.ascii_letters, *string.digits, *string.punctuation}
    for text in texts:
        for word in text.split():
            marked = "\u2581" + word
            characters.update(marked)
            for size in range(2, min(len(marked), 9) + 1):
                counts[marked[:size]] += size
                counts[marked[-size:]] += size
    common = sorted(counts, key=lambda piece: (-counts[piece], piece))[: count - len(characters) - 3]
    total = sum(counts.values())
    scored = {piece: math.log(counts[piece] / total) for piece in common}
    scored |= {character: -20.0 for character in sorted(characters) if character not in scored}
    return [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *scored.items()]


def llama_tokenizer(texts: list[str] | None = None, *, vocab_size: int = 500, chat_template: str | None = None) -> Any:
    """A byte-level BPE tokenizer that begins texts with `<s>`, as Llama's does."""
    raw = _bpe(texts, vocab_size, ["<unk>", "<s>", "</s>", "<pad>"])
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    raw.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token="<pad>",
        eos_token="</s>",
        bos_token="<s>",
        unk_token="<unk>",
        model_max_length=4096,
    )
    if chat_template is not None:
        tokenizer.chat_template = chat_template
    return tokenizer


def gpt2_tokenizer(texts: list[str] | None = None, *, vocab_size: int = 500) -> Any:
    """A byte-level BPE tokenizer with one special token and no padding, as GPT-2's."""
    raw = _bpe(texts, vocab_size, ["<|endoftext|>"])
    from transformers import PreTrainedTokenizerFast

    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=end, bos_token=end, unk_token=end)


def _bpe(texts: list[str] | None, vocab_size: int, special: list[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts or sentences(300), trainer)
    return raw


def seeded(build: Callable[[], Any], *, seed: int = 0) -> Any:
    """What `build` makes with torch's random numbers beginning at a seed; the caller's go on as if nothing happened."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build()


def spread_weights(network: Any, *, seed: int = 0, std: float = 0.3) -> Any:
    """Draw every matrix again, wide enough that the output depends on the whole input."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() >= 2:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * std)
    return network


def save(network: Any, tokenizer: Any, name: str) -> Path:
    """Write a model folder and say where."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = Path(_HOME.name) / name
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def t5_network(vocab_size: int, *, tied: bool = False, seed: int = 0) -> Any:
    """A tiny T5: gated, with relative positions; untied heads are drawn apart from the embeddings, as Flan-T5's are."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    sizes: dict[str, Any] = {
        "vocab_size": vocab_size,
        "d_model": 32,
        "d_kv": 8,
        "d_ff": 64,
        "num_layers": 2,
        "num_decoder_layers": 2,
        "num_heads": 4,
        "feed_forward_proj": "gated-gelu",
        "decoder_start_token_id": 0,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "tie_word_embeddings": tied,
    }
    config = T5Config(**sizes)
    network = spread_weights(seeded(lambda: T5ForConditionalGeneration(config)), seed=seed)
    if not tied:
        head = 0.3 * torch.randn(vocab_size, 32, generator=torch.Generator().manual_seed(seed + 1))
        network.lm_head.weight = torch.nn.Parameter(head)
        network.config.tie_word_embeddings = False  # T5Config itself always says True
    return network


def llama_network(vocab_size: int, *, seed: int = 0, max_length: int = 1024) -> Any:
    """A tiny Llama with grouped queries."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=max_length,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=3,
        tie_word_embeddings=False,
    )
    return spread_weights(seeded(lambda: LlamaForCausalLM(config)), seed=seed)


@functools.cache
def tiny_t5(*, tied: bool = False) -> Path:
    """A folder with a tiny T5; untied unless asked."""
    tokenizer = t5_tokenizer()
    return save(t5_network(len(tokenizer), tied=tied), tokenizer, f"t5-{'tied' if tied else 'untied'}")


@functools.cache
def tiny_llama(*, chat_template: str | None = None, max_length: int = 1024) -> Path:
    """A folder with a tiny Llama."""
    tokenizer = llama_tokenizer(chat_template=chat_template)
    name = f"llama-{max_length}-{'chat' if chat_template else 'plain'}"
    return save(llama_network(len(tokenizer), max_length=max_length), tokenizer, name)


@functools.cache
def tiny_gpt2() -> Path:
    """A folder with a tiny GPT-2: learned positions, no padding token, 256 tokens of context."""
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = gpt2_tokenizer()
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=256, n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0
    )
    return save(spread_weights(seeded(lambda: GPT2LMHeadModel(config))), tokenizer, "gpt2")


@functools.cache
def tiny_gpt_neox() -> Path:
    """A folder with a tiny GPT-NeoX: parallel residuals, part of each head rotated."""
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    tokenizer = gpt2_tokenizer()
    config = GPTNeoXConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=512,
        bos_token_id=0,
        eos_token_id=0,
    )
    return save(spread_weights(seeded(lambda: GPTNeoXForCausalLM(config)), std=0.2), tokenizer, "gpt-neox")


@functools.cache
def tiny_gemma2() -> Path:
    """A folder with a tiny Gemma 2: soft-capped logits, every other layer with a window of eight tokens."""
    from transformers import Gemma2Config, Gemma2ForCausalLM

    tokenizer = llama_tokenizer()
    config = Gemma2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=512,
        sliding_window=8,
        attn_logit_softcapping=5.0,
        final_logit_softcapping=10.0,
        query_pre_attn_scalar=8,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=3,
    )
    return save(spread_weights(seeded(lambda: Gemma2ForCausalLM(config))), tokenizer, "gemma2")


@functools.cache
def tiny_mamba() -> Path:
    """A folder with a tiny Mamba: recurrent, with no key-value cache."""
    from transformers import MambaConfig, MambaForCausalLM

    tokenizer = llama_tokenizer()
    config = MambaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        state_size=4,
        num_hidden_layers=2,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=3,
    )
    return save(spread_weights(seeded(lambda: MambaForCausalLM(config)), std=0.2), tokenizer, "mamba")


@functools.cache
def tiny_bart() -> Path:
    """A folder with a tiny BART: learned positions on both sides, 128 tokens of context."""
    from transformers import BartConfig, BartForConditionalGeneration

    tokenizer = t5_tokenizer()
    config = BartConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=128,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=1,
        decoder_start_token_id=1,
        forced_eos_token_id=None,
    )
    return save(spread_weights(seeded(lambda: BartForConditionalGeneration(config))), tokenizer, "bart")


def rewrite_config(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change a folder's config.json in place."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


TRAINABLE = {
    "t5": tiny_t5,
    "bart": tiny_bart,
    "llama": tiny_llama,
    "gpt2": tiny_gpt2,
    "gpt-neox": tiny_gpt_neox,
    "gemma2": tiny_gemma2,
    "mamba": tiny_mamba,
}
"""A model of every kind that the passes of trainings tell apart: padded, packed, with windows, and recurrent."""
