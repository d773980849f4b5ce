"""vLLM's engine: started when it is first needed, with prefix caching, and asked for chosen next tokens alone.

vLLM does not read its prefix cache for texts whose own log-probabilities are wanted (`prompt_logprobs`). So each text
gets one generated token, and the log-probabilities of chosen candidates for it (`logprob_token_ids`): the text itself
is then read from the cache as far as its beginning is known.

A soft prompt is embeddings (`prompt_embeds`) before the text's tokens, which vLLM embeds itself. The cache knows such
beginnings by a hash of the embeddings.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from phraseproof.core import Sampling
from phraseproof.errors import MissingExtraError, ModelError
from phraseproof.models.vllm.option_questions import NextTokenAnswer, NextTokenQuestion

if TYPE_CHECKING:
    import torch

CPU_BLOCK = 32
"""The smallest block of the prefix cache, in tokens, that vLLM's CPU kernels take."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the engine is started.

    Attributes:
        model: a hub id or a folder.
        revision: the hub's branch, tag or commit.
        dtype: precision by name.
        max_tokens: the longest text, in tokens; `None` for what the configuration declares.
        trust_remote_code: whether code of the model's repository may run.
        lora: the folder of a LoRA adapter.
        soft_prompt: the embeddings that come before every text, [virtual tokens, width].
        more: further arguments of `vllm.LLM`.
    """

    model: str
    revision: str | None
    dtype: str
    max_tokens: int | None
    trust_remote_code: bool
    lora: Path | None
    soft_prompt: torch.Tensor | None
    more: dict[str, int | float | bool | str]


class Written(NamedTuple):
    """A continuation, and whether it ended at the maximum number of tokens."""

    text: str
    cut: bool


class Engine(Protocol):
    """What a model needs of the engine."""

    def ask(self, questions: Sequence[NextTokenQuestion]) -> list[NextTokenAnswer]:
        """The log-probabilities of next tokens after texts."""
        ...

    def write(self, texts: Sequence[Sequence[int]], *, max_new_tokens: int, sampling: Sampling) -> list[Written]:
        """Continue texts."""
        ...

    @property
    def cache_tokens(self) -> int:
        """How many tokens the cache holds."""
        ...

    @property
    def vocabulary_size(self) -> int:
        """The number of token ids that have an embedding."""
        ...

    @property
    def longest(self) -> int:
        """The longest text with its next token, in tokens."""
        ...

    @property
    def virtual_tokens(self) -> int:
        """The number of soft prompt tokens before every text; they count in `longest`."""
        ...

    @property
    def version(self) -> str:
        """The version of vLLM."""
        ...


class VllmEngine:
    """Answers questions about next tokens, and writes texts.

    Args:
        settings: how the engine is started.
    """

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._llm: Any = None
        self._lora: Any = None

    def ask(self, questions: Sequence[NextTokenQuestion]) -> list[NextTokenAnswer]:
        """The log-probabilities of next tokens after texts, computed together.

        Raises:
            ModelError: vLLM cannot be started or fails, or gives a number that is no log-probability.
        """
        llm = self._start()
        vllm: Any = import_module("vllm")

        parameters = [
            vllm.SamplingParams(
                max_tokens=1,
                temperature=0.0,
                logprob_token_ids=list(question.wanted),
                detokenize=False,
                skip_clone=True,
            )
            for question in questions
        ]
        prompts = [self._prompt(question.text) for question in questions]
        try:
            outputs = llm.generate(prompts, parameters, use_tqdm=False, lora_request=self._lora)
        except (ValueError, RuntimeError) as error:
            raise ModelError("vLLM cannot score these prompts", got=_one_line(error)) from error
        return [
            _answer(question, output, self.virtual_tokens) for question, output in zip(questions, outputs, strict=True)
        ]

    def write(self, texts: Sequence[Sequence[int]], *, max_new_tokens: int, sampling: Sampling) -> list[Written]:
        """Continue texts.

        Raises:
            ModelError: vLLM cannot be started, or fails.
        """
        llm = self._start()
        vllm: Any = import_module("vllm")

        parameters = vllm.SamplingParams(
            max_tokens=max_new_tokens,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            seed=sampling.seed,
        )
        try:
            outputs = llm.generate(
                [self._prompt(text) for text in texts],
                parameters,
                use_tqdm=False,
                lora_request=self._lora,
            )
        except (ValueError, RuntimeError) as error:
            raise ModelError("vLLM cannot continue these prompts", got=_one_line(error)) from error
        written = [output.outputs[0] for output in outputs]
        return [Written(str(each.text).strip(), each.finish_reason == "length") for each in written]

    @property
    def cache_tokens(self) -> int:
        """How many tokens the cache holds. Starts the engine."""
        cache = self._start().llm_engine.vllm_config.cache_config
        return int(cache.num_gpu_blocks or 0) * int(cache.block_size or 1)

    @property
    def vocabulary_size(self) -> int:
        """The number of token ids that have an embedding. Starts the engine."""
        return int(self._start().llm_engine.vllm_config.model_config.get_vocab_size())

    @property
    def longest(self) -> int:
        """The longest text with its next token, in tokens. Starts the engine."""
        return int(self._start().llm_engine.vllm_config.model_config.max_model_len)

    @property
    def virtual_tokens(self) -> int:
        """The number of soft prompt tokens. Does not start the engine."""
        return 0 if self._settings.soft_prompt is None else int(self._settings.soft_prompt.shape[0])

    @property
    def version(self) -> str:
        """The version of vLLM. Does not start the engine."""
        return vllm_version()

    def _prompt(self, text: Sequence[int]) -> dict[str, object]:
        """What vLLM is given: tokens; after a soft prompt, embeddings of which the tokens' own are left empty."""
        soft = self._settings.soft_prompt
        if soft is None:
            return {"prompt_token_ids": list(text)}
        torch: Any = import_module("torch")
        embeddings = torch.zeros(len(soft) + len(text), soft.shape[1], dtype=getattr(torch, self._settings.dtype))
        embeddings[: len(soft)] = soft
        return {
            "prompt_embeds": embeddings,
            "prompt_token_ids": [0] * len(soft) + list(text),
            "prompt_is_token_ids": [False] * len(soft) + [True] * len(text),
        }

    def _start(self) -> Any:
        if self._llm is None:
            vllm_version()
            # Read by vLLM when it is imported. Its log lines would be printed among the results.
            os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
            os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
            arguments: dict[str, Any] = {"enforce_eager": True, "disable_log_stats": True, **self._settings.more}
            if self._settings.max_tokens is not None:
                # The engine counts the token that it generates, too.
                arguments["max_model_len"] = self._settings.max_tokens + 1
            if self._settings.lora is not None:
                arguments["enable_lora"] = True
            if self._settings.soft_prompt is not None:
                arguments["enable_prompt_embeds"] = True
            try:
                vllm: Any = import_module("vllm")
                if self._settings.soft_prompt is not None:
                    _require_mixed_prompts()
                platforms: Any = import_module("vllm.platforms")
                if platforms.current_platform.is_cpu():
                    arguments.setdefault("block_size", CPU_BLOCK)
                self._llm = vllm.LLM(
                    self._settings.model,
                    revision=self._settings.revision,
                    dtype=self._settings.dtype,
                    trust_remote_code=self._settings.trust_remote_code,
                    enable_prefix_caching=True,
                    logprobs_mode="raw_logprobs",
                    **arguments,
                )
                if self._settings.lora is not None:
                    lora: Any = import_module("vllm.lora.request")
                    self._lora = lora.LoRARequest("adapter", 1, str(self._settings.lora.resolve()))
            except ModelError:
                raise
            except Exception as error:  # vLLM raises errors of many packages while it starts
                raise ModelError(f"vLLM cannot load '{self._settings.model}'", got=_one_line(error)) from error
        return self._llm


def vllm_version() -> str:
    """The version of the installed vLLM.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return metadata.version("vllm")
    except metadata.PackageNotFoundError:
        raise MissingExtraError("a model in vLLM", extra="vllm", package="vllm") from None


def _require_mixed_prompts() -> None:
    """Check that this version of vLLM takes embeddings and tokens in one prompt."""
    prompts: Any = import_module("vllm.inputs")
    if "prompt_is_token_ids" not in getattr(getattr(prompts, "EmbedsPrompt", None), "__annotations__", {}):
        raise ModelError(
            "this version of vLLM does not take a soft prompt before tokens",
            expected="a version with the field prompt_is_token_ids, as 0.32",
            got=vllm_version(),
            where="--adapter",
            hint="Leave out 'vllm/' to load the model with Hugging Face transformers",
        )


def _answer(question: NextTokenQuestion, output: Any, virtual_tokens: int) -> NextTokenAnswer:
    known: dict[int, Any] = output.outputs[0].logprobs[0]
    found: list[float] = []
    for token in question.wanted:
        logprob = float(known[token].logprob) if token in known else math.nan
        if not logprob <= 0.0:
            raise ModelError(
                "vLLM gave a number that is not a log-probability",
                expected=f"at most 0, for the token {token}",
                got=f"{logprob}" if token in known else "none",
            )
        found.append(logprob)
    return NextTokenAnswer(tuple(found), virtual_tokens + len(question.text) - int(output.num_cached_tokens or 0))


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 240 else text[:237] + "..."
