"""The chat endpoint of a server over a model on disk, by plain transformers: what a real one answers, known exactly."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support.openai_server import Answer, Asked, Reply


def written_out(messages: Sequence[dict[str, str]]) -> str:
    """The server's chat template."""
    return "".join(f"{message['role']}: {message['content']}\n" for message in messages) + "assistant:"


@functools.cache
def _loaded(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)


def next_token_logprobs(folder: Path, text: str) -> dict[int, float]:
    """The log-probability of every token after a text, in float32."""
    import torch

    tokenizer, network = _loaded(folder)
    ids = tokenizer(text)["input_ids"]
    with torch.inference_mode():
        logits = network(input_ids=torch.tensor([ids])).logits[0, -1]
    return dict(enumerate(logits.float().log_softmax(-1).tolist()))


def token_text(folder: Path, token: int) -> str:
    """A token as it is written in a text."""
    return _loaded(folder)[0].decode([token])


def chat_of(folder: Path, *, most: int = 20, style: str = "chat") -> Answer:
    """The endpoint `chat` (or `completions`) that lists at most `most` first tokens, and refuses to list more."""
    _loaded(folder)  # here, because the server answers in several threads, and loading is not safe in threads

    def answer(asked: Asked) -> Reply:
        if not asked.path.endswith("/completions"):
            return Reply({"error": "no such path"}, 404)
        is_chat = asked.path.endswith("/chat/completions")
        if asked.body.get("echo"):
            return Reply({"error": {"message": "echo is not supported"}}, 400)
        count = asked.body.get("top_logprobs" if is_chat else "logprobs", 0)
        if count > most:
            return Reply({"error": {"message": f"top_logprobs must be at most {most}"}}, 400)
        text = written_out(asked.body["messages"]) if is_chat else asked.body["prompt"]
        logprobs = next_token_logprobs(folder, text)
        top = sorted(logprobs, key=lambda token: -logprobs[token])[:count]
        content = token_text(folder, top[0] if top else 0)
        if is_chat:
            listed = [_listed(folder, token, logprobs[token]) for token in top]
            choice = {
                "message": {"role": "assistant", "content": content},
                "logprobs": {"content": [{**listed[0], "top_logprobs": listed}]} if listed else None,
            }
        elif style == "chat":
            listed = [_listed(folder, token, logprobs[token]) for token in top]
            content_logprobs = [{**listed[0], "top_logprobs": listed}] if listed else []
            choice = {"text": content, "logprobs": {"content": content_logprobs}}
        else:
            names = {_loaded(folder)[0].convert_ids_to_tokens(token): logprobs[token] for token in top}
            choice = {"text": content, "logprobs": {"tokens": [content], "top_logprobs": [names]}}
        return Reply({"choices": [choice]})

    return answer


def _listed(folder: Path, token: int, logprob: float) -> dict[str, object]:
    text = token_text(folder, token)
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}
