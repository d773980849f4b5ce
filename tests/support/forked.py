"""Children that evaluate behind a server, from a process that has imported everything: they start in milliseconds."""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.context import ForkServerContext

_IMPORTED = [
    "pytest",
    "phraseproof.evaluation.evaluate",
    "phraseproof.models.openai",
    "phraseproof.tasks.user_files",
    "phraseproof.scoring.accuracy",
    "phraseproof.scoring.loglikelihood",
    "duckdb",
    "httpx",
    "httpcore",
    "h11",
    "certifi",
    "anyio.from_thread",
    "anyio._backends._asyncio",
    "tenacity.asyncio",
]


def fork_context() -> ForkServerContext:
    """The context of such children."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    return context
