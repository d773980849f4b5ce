"""The tokenizer of the pocket models: one token per word or punctuation mark, with initial capitals in lower case."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from phraseproof.pocket.world import END, PADDING, UNKNOWN, vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def new_tokenizer() -> PreTrainedTokenizerFast:
    """Create the tokenizer. Single letters such as `A` are options and stay capitals; `Anna` becomes `anna`."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = vocabulary()
    index = {word: position for position, word in enumerate(words)}
    # One rule per letter, because a normalizer cannot compute its replacement. A slow machine tokenizes a million words
    # per minute with them, which is enough here.
    capitals: list[normalizers.Normalizer] = [
        normalizers.Replace(Regex(rf"\b{letter}(?=[a-z])"), letter.lower()) for letter in string.ascii_uppercase
    ]
    # A single I is the pronoun: the letters of options end at D.
    capitals.append(normalizers.Replace(Regex(r"\bI\b"), "i"))
    tokenizer = Tokenizer(models.WordLevel(index, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(capitals)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"[.,:;?]"), behavior="isolated")]
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PADDING,
        unk_token=UNKNOWN,
        eos_token=END,
        padding_side="left",
        model_max_length=256,
    )
