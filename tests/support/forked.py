"""Children that evaluate or train, from a process that has imported everything: they start in milliseconds.

A test process has one such server, and what the first user asks it to import is all it imports. So the list is for
every test that forks.
"""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.context import ForkServerContext

_IMPORTED = [
    "pytest",
    "phraseproof.evaluation.evaluate",
    "phraseproof.models.openai",
    "phraseproof.models.scripted",
    "phraseproof.tasks.user_files",
    "phraseproof.scoring.accuracy",
    "phraseproof.scoring.loglikelihood",
    "phraseproof.scoring.texts.exact_match",
    "phraseproof.scoring.texts.judge",
    "duckdb",
    "httpx",
    "httpcore",
    "h11",
    "certifi",
    "anyio.from_thread",
    "anyio._backends._asyncio",
    "tenacity.asyncio",
    "phraseproof.alignment.trainer",
    "phraseproof.training.loop",
    "phraseproof.models.huggingface.backend",
    "phraseproof.models.huggingface.causal_lm",
    "phraseproof.models.huggingface.provider",
    "phraseproof.models.huggingface.seq2seq_lm",
    "peft",
    "transformers.models.llama.modeling_llama",
    "transformers.models.llama.tokenization_llama",
    "transformers.models.t5.modeling_t5",
    "transformers.models.t5.tokenization_t5",
]


def fork_context() -> ForkServerContext:
    """The context of such children."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    return context
