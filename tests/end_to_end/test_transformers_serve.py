"""Paraphrasing and writing through transformers' own server, `transformers serve`, with a tiny model on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from phraseproof.cli import main
from phraseproof.core import ChatMessage, FormatsChat, Generates, Prompt
from phraseproof.models import ModelOptions, load_model
from support.tiny_models import tiny_llama

CHAT = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
WORDINGS = """\
name: mine
instructions:
  - {id: river, ask: Choose the river, layout: "{{ question }}"}
  - {id: stone, ask: "Choose {{ question }}, then answer"}
"""

pytestmark = pytest.mark.slow


class Server:
    def __init__(self, model: Path, base_url: str) -> None:
        self.model, self.base_url = model, base_url


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    pytest.importorskip("fastapi", reason="transformers serve needs fastapi")
    pytest.importorskip("uvicorn", reason="transformers serve needs uvicorn")
    pytest.importorskip("openai", reason="transformers serve needs openai")
    model = tiny_llama(chat_template=CHAT)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("serve") / "log.txt"
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(model), "--port", str(port)]
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            [*command, "--device", "cpu"], stdout=stream, stderr=stream, env={**os.environ, "HF_HUB_OFFLINE": "1"}
        ) as process,
    ):
        try:
            deadline = time.monotonic() + 180
            while not _healthy(port):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.25)
            yield Server(model, f"http://127.0.0.1:{port}/v1")
        finally:
            process.terminate()


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_what_the_server_writes_is_what_the_model_writes_here(server: Server) -> None:
    local = load_model(str(server.model), ModelOptions(device="cpu", dtype="float32"))
    assert isinstance(local, Generates)
    assert isinstance(local, FormatsChat)
    texts = ["the river", "Which stone is red?"]
    for endpoint in ("chat", "completions"):
        served = load_model(
            f"openai/{server.model}", ModelOptions(args={"base_url": server.base_url, "endpoint": endpoint})
        )
        assert isinstance(served, Generates)
        found = served.generate([Prompt(text) for text in texts], max_new_tokens=8)
        prompts = [Prompt(text) for text in texts]
        if endpoint == "chat":
            prompts = [
                Prompt(local.format_chat([ChatMessage("user", text)]), has_special_tokens=True) for text in texts
            ]
        assert found == local.generate(prompts, max_new_tokens=8)


def test_a_collection_is_paraphrased_and_asked_for_once(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text(WORDINGS, encoding="utf-8")
    out = tmp_path / "new.yaml"
    command = [
        *("paraphrase", str(tmp_path / "mine.yaml"), "--with", f"openai/{server.model}", "--base-url", server.base_url),
        *("--temperature", "1", "--seed", "5", "--max-new-tokens", "12", "--out", str(out)),
    ]
    printed: list[str] = []
    for _ in range(2):
        with pytest.raises(SystemExit) as stopped:
            main(command)
        # A model of random weights never ends by itself: all its answers are cut, and none becomes a wording.
        assert stopped.value.code == 4
        printed.append(capsys.readouterr().out)
    assert not out.exists()
    assert "cut" in printed[0]
    assert printed[0] == printed[1]
    asked = out.with_suffix(".asked.jsonl").read_text().splitlines()
    assert 6 <= len(asked) <= 6 + 3 * 2 + 3 * 2
