"""A server that returns the log-probabilities of a text in one way only, computed by plain passes of a model on disk.

The shapes are those of the servers' published documentation: vLLM's `prompt_logprobs`, SGLang's `/generate`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.openai_server import Answer, Asked, Reply

Entries = list[tuple[int, str, float | None]]
"""The number, the text and the log-probability of each token."""


def echoing_by(way: str, folder: Path, change: Callable[[Entries], object] = lambda _: None) -> Answer:
    """The server; `change` edits the entries before they are sent."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # Loaded here, because the server answers in several threads, and loading is not safe in threads.
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    network: Any = AutoModelForCausalLM.from_pretrained(folder).eval()

    def entries(text: str) -> Entries:
        ids = tokenizer(text)["input_ids"]
        with torch.inference_mode():
            logprobs = network(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        values = [None, *(float(logprobs[place, token]) for place, token in enumerate(ids[1:]))]
        found = [(token, tokenizer.decode([token]), value) for token, value in zip(ids, values, strict=True)]
        change(found)
        return found

    def answer(asked: Asked) -> Reply:
        body = asked.body
        if asked.path == "/generate" and way == "logprob_start_len":
            assert body["return_logprob"]
            assert body["sampling_params"]["temperature"] == 1.0
            found = entries(body["text"])
            listed = [[value, token, text] for token, text, value in found][body["logprob_start_len"] :]
            meta = {"id": "0", "prompt_tokens": len(found), "completion_tokens": 1, "input_token_logprobs": listed}
            return Reply(
                {"text": "!", "output_ids": [0], "meta_info": {**meta, "output_token_logprobs": [[-1, 0, "!"]]}}
            )
        if asked.path != "/v1/completions":
            return Reply({"detail": "Not Found"}, 404)
        if "echo" in body:
            if way != "echo":
                return Reply({"error": {"message": "echo is not supported"}}, 400)
            found = entries(body["prompt"])
            logprobs = {"tokens": [each[1] for each in found], "token_logprobs": [each[2] for each in found]}
            return Reply({"choices": [{"text": body["prompt"], "logprobs": logprobs}]})
        choice: dict[str, object] = {"index": 0, "text": "!", "logprobs": None}
        if way == "prompt_logprobs" and body.get("prompt_logprobs") == 0:
            choice["prompt_logprobs"] = [
                None if value is None else {str(token): {"logprob": value, "rank": 3, "decoded_token": text}}
                for token, text, value in entries(body["prompt"])
            ]
        return Reply({"choices": [choice]})

    return answer
