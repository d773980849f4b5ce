"""Real servers on loopback, started by the scripts in `tests/servers`."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from phraseproof.core import ChoosesMethod, OptionScores, Prompt, ScoresOptions
from phraseproof.models import ModelOptions, load_model

SCRIPTS = Path(__file__).parents[1] / "servers"
ENVIRONMENTS = Path(os.environ.get("PHRASEPROOF_SERVERS", str(SCRIPTS.parents[1] / ".servers"))).absolute()
"""Where the scripts install servers."""
KEEPER = [sys.executable, str(Path(__file__).with_name("keeper.py"))]
_START_SECONDS = 240
_STOP_SECONDS = 60


class RealServer(NamedTuple):
    """A server that answers: its address, and its name for the model."""

    base_url: str
    model: str

    def options(self, **args: str) -> ModelOptions:
        """How phraseproof reaches the server."""
        return ModelOptions(args={"base_url": self.base_url, "concurrency": "4", **args})

    def scores(self, method: str, prompts: Sequence[Prompt], **args: str) -> list[OptionScores]:
        """The scores of the options of prompts, as an evaluation gets them by a scoring that the server offers."""
        model = load_model(f"openai/{self.model}", self.options(**args))
        assert isinstance(model, ChoosesMethod)
        chosen = model.choose_method(method, [each.options for each in prompts]).model
        assert isinstance(chosen, ScoresOptions)
        return list(chosen.score_options(prompts, method=method))


@contextlib.contextmanager
def serving(script: str, model: Path, log: Path, *options: str, name: str | None = None) -> Generator[RealServer]:
    """Serve a model until the block ends; the test is skipped where the server is not installed.

    Args:
        script: the name of one in `tests/servers`, without `.sh`.
        model: the folder or the GGUF file.
        log: the file for what the server prints.
        options: of the server, in addition to those of the script.
        name: of what is asked, where that is not the model itself.
    """
    if (reason := missing(script)) is not None:
        pytest.skip(reason)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*KEEPER, str(SCRIPTS / f"{script}.sh"), "serve", str(model), str(port), *options]
    with (
        log.open("wb") as stream,
        # The keeper ends the server when this process closes the pipe, or ends in any way.
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=stream, stderr=stream, start_new_session=True
        ) as process,
    ):
        assert process.stdin is not None
        try:
            deadline = time.monotonic() + _START_SECONDS
            # llama-cpp-python has no /health; transformers lists no models where there is no cache of the hub.
            while not any(_answers(f"http://127.0.0.1:{port}{path}") for path in ("/health", "/v1/models")):
                assert process.poll() is None, log.read_text(errors="replace")[-3000:]
                assert time.monotonic() < deadline, log.read_text(errors="replace")[-3000:]
                time.sleep(0.25)
            yield RealServer(f"http://127.0.0.1:{port}/v1", name or str(model))
        finally:
            process.stdin.close()
            process.wait(_STOP_SECONDS)


def missing(script: str) -> str | None:
    """Why a server cannot be started; `None` if it can."""
    if script == "transformers_serve":
        lacking = [name for name in ("fastapi", "uvicorn", "openai") if find_spec(name) is None]
        return f"transformers serve needs {', '.join(lacking)}" if lacking else None
    if (ENVIRONMENTS / ("vllm" if script == "vllm_cpu" else script) / ".ready").exists():
        return None
    log = ENVIRONMENTS / f"{script}.log"  # of `make servers`
    tried = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
    return tried[0] if tried else f"{script} is not installed: run tests/servers/{script}.sh"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
