"""The metric `bertscore`: cosine similarities of tokens in context, by the package bert-score (arXiv 1904.09675).

`bertscore` is that of roberta-large at layer 17, the package's model for English. `bertscore:ENCODER` takes another
encoder, a hub id or a folder, and `bertscore:ENCODER@LAYER` another layer; without one it is the layer that the package
recommends, or the last one of an encoder that the package does not know. Values are F1, not rescaled with a baseline.

The package asks the tokenizers of RoBERTa and GPT-2 to read the first word of a text like every other word, with a
space before it. Those of transformers 5 ignore that, and F1 would differ from published values: here they do as asked.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast

from phraseproof.core import Outcome
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.identity import hub_commit
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.texts.normalization import text_of
from phraseproof.stored_hashes import stored_file_hash

DEFAULT_ENCODER = "roberta-large"
_WEIGHTS = ("*.safetensors", "*.bin", "config.json", "tokenizer.json", "vocab.*")
_NO_LIMIT = 10**9
"""Above it, a tokenizer's maximum length means that there is none."""
_MARGIN = 2
"""RoBERTa's positions begin at 2."""
_OPTION = "--metric bertscore:ENCODER@LAYER"
_TOKENS = "the first word has a space before it"
"""Part of the identity, so that values of versions that did not do so are computed again."""
_T5 = "t5"
"""The package takes every encoder with these letters in its name or path for a T5."""


class _Tensor(Protocol):
    def tolist(self) -> list[float]: ...


class _Scorer(Protocol):
    def score(self, cands: list[str], refs: list[list[str]]) -> tuple[_Tensor, _Tensor, _Tensor]: ...


class BertScore(Metric):
    """F1 of the best alignment of tokens between text and reference; the best of several references.

    A text without a token has 0, as in the package. The encoder reads as many tokens as it was trained for, and the
    rest of a longer text is not compared.

    Args:
        encoder: a hub id, or a folder.
        layer: whose states are compared; `None` for the package's choice.
        name: as users name the metric.
    """

    judges_text = True
    is_batched = True
    low = -1.0

    def __init__(self, encoder: str = DEFAULT_ENCODER, layer: int | None = None, name: str = "bertscore") -> None:
        self.name = name
        self._encoder = encoder
        self._layer = layer

    def require(self, _references: Sequence[str], /) -> None:
        """Load the package and the encoder's configuration, so that what is missing is reported at once.

        Raises:
            MissingExtraError: the package bert-score is not installed.
            UsageError: no such encoder, or no such layer.
        """
        _ = self._layers, self._config

    def score(self, outcome: Outcome) -> float:
        """Of a single text."""
        return self.scores([outcome])[0]

    def scores(self, outcomes: Sequence[Outcome]) -> list[float]:
        """F1 of many texts, in batches of 64.

        Raises:
            MissingExtraError: the package bert-score is not installed.
            UsageError: the encoder cannot be loaded.
        """
        found = [0.0] * len(outcomes)
        # The package gives 0 to texts without a token as well, but cannot tokenise them under transformers 5.
        known = [
            (place, text, references)
            for place, outcome in enumerate(outcomes)
            if (text := text_of(outcome, self.name)).strip()
            and (references := [each for each in outcome.references if each.strip()])
        ]
        if not known:
            return found
        _, _, values = self._scorer.score([text for _, text, _ in known], [refs for _, _, refs in known])
        for (place, _, _), value in zip(known, values.tolist(), strict=True):
            found[place] = max(self.low, min(self.high, value))  # rounding exceeds 1
        return found

    @property
    def signature(self) -> str:
        """As the package writes it: encoder, layer, and versions of itself and of transformers."""
        return str(self._package().utils.get_hash(self._encoder, self._layers, False, False, False, False))

    @property
    def identity(self) -> Mapping[str, object]:
        """The layer, and the weights of an encoder in a folder, or the hub's revision of another one.

        Raises:
            UsageError: no such encoder.
        """
        which = self._weights or (
            self._config and hub_commit(self._encoder)
        )  # reading the configuration fills the cache
        return {"layer": self._layers, "tokens": _TOKENS, "encoder": which}

    @cached_property
    def _weights(self) -> str | None:
        """A hash of an encoder in a folder."""
        folder = Path(self._encoder)
        files = sorted(path for pattern in _WEIGHTS for path in folder.glob(pattern)) if folder.is_dir() else []
        return stored_file_hash(*files) if files else None

    @cached_property
    def _layers(self) -> int:
        """How many layers of the encoder are computed; the states of the last one are compared."""
        known: int | None = self._package().utils.model2layers.get(self._encoder)
        if self._layer is None and known is not None:
            return known
        most = int(self._config.num_hidden_layers)
        if self._layer is not None and not 1 <= self._layer <= most:
            raise UsageError(
                f"the encoder '{self._encoder}' has no such layer",
                expected=f"1 to {most}",
                got=str(self._layer),
                where=_OPTION,
            )
        return most if self._layer is None else self._layer

    @cached_property
    def _config(self) -> Any:
        """The encoder's configuration."""
        from transformers import AutoConfig

        read = cast("Callable[[str], Any]", AutoConfig.from_pretrained)  # pyright: ignore[reportUnknownMemberType]
        try:
            config = read(self._encoder)
        except (OSError, ValueError) as error:
            raise _unusable(self._encoder, error) from None
        if _T5 in self._encoder and _T5 not in config.model_type:
            raise UsageError(
                f"bert-score takes '{self._encoder}' for a T5, because of the letters '{_T5}' in its name",
                expected="another name of the folder",
                got=f"an encoder of the kind {config.model_type}",
                where=_OPTION,
            )
        return config

    @cached_property
    def _scorer(self) -> _Scorer:
        package = self._package()
        try:
            scorer = package.BERTScorer(model_type=self._encoder, num_layers=self._layers)
        except (OSError, ValueError) as error:
            raise _unusable(self._encoder, error) from None
        scorer._tokenizer = self._with_space(scorer._tokenizer)  # noqa: SLF001
        # Without this, the package reads past the last position of encoders whose tokenizer has no maximum length.
        tokenizer, config = scorer._tokenizer, scorer._model.config  # noqa: SLF001
        if tokenizer.model_max_length > _NO_LIMIT and getattr(config, "max_position_embeddings", None):
            tokenizer.model_max_length = config.max_position_embeddings - _MARGIN
        return cast("_Scorer", scorer)

    def _with_space(self, tokenizer: Any) -> Any:
        """The tokenizer; of the kinds for which the package requests it, one that reads a space before the text."""
        from transformers import AutoTokenizer, GPT2Tokenizer, RobertaTokenizer

        if not isinstance(tokenizer, GPT2Tokenizer | RobertaTokenizer):
            return tokenizer
        read = cast("Callable[..., Any]", AutoTokenizer.from_pretrained)  # pyright: ignore[reportUnknownMemberType]
        return read(self._encoder, add_prefix_space=True)

    def _package(self) -> _Package:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of matplotlib, which the package loads and we do not use
                import bert_score  # pyright: ignore[reportMissingTypeStubs]
        except ImportError:
            raise MissingExtraError("the metric bertscore", extra="bertscore", package="bert-score") from None
        return cast("_Package", bert_score)


class _Utils(Protocol):
    model2layers: Mapping[str, int]

    def get_hash(
        self, model: str, num_layers: int, idf: bool, rescaled: bool, custom_baseline: bool, fast_tokenizer: bool, /
    ) -> str: ...


class _Package(Protocol):
    @property
    def utils(self) -> _Utils: ...

    def BERTScorer(self, *, model_type: str, num_layers: int) -> Any: ...  # noqa: N802 - the package's name


def _unusable(encoder: str, error: Exception) -> UsageError:
    return UsageError(
        f"the encoder '{encoder}' cannot be loaded: {str(error).splitlines()[0]}",
        expected="a hub id, or a folder with an encoder of transformers",
        where=_OPTION,
    )


METRIC = BertScore()


def make(argument: str) -> Metric:
    """BERTScore with another encoder or layer.

    Raises:
        UsageError: the layer is no number.
    """
    encoder, at, layer = argument.rpartition("@")
    if not at:
        return BertScore(argument, name=f"bertscore:{argument}")
    if not layer.isdecimal() or not encoder:
        raise UsageError("no encoder with a layer", expected="ENCODER@LAYER", got=argument, where=_OPTION)
    return BertScore(encoder, int(layer), f"bertscore:{argument}")
