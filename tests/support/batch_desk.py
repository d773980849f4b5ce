"""The batch API of a server, in memory: files, batches and their states, and every way in which they can go wrong."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from support.fault_server import answer_to, said_in

Lines = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
COURSE = ("validating", "in_progress", "finalizing", "completed")


class BatchDesk:
    """Answers the requests of the batch API. A batch takes one step of its course each time that its state is asked.

    Args:
        course: for the number of a batch (from 1), the states that it goes through.
        answered: for the number of a batch, and each of its lines, whether it is answered before the batch ends.
        change: what the lines of the output file become.
        text: what the text of the output file becomes.
        most_waiting: batches of more requests that wait together are refused as OpenAI refuses too many tokens.

    Attributes:
        computed: how often each `custom_id` was in a batch that the server accepted.
        texts: how often each text was.
        answers: how often each text was answered.
        sizes: requests of every batch that was accepted.
        text_of: the text of each `custom_id`.
        text: as the argument; it may be changed.
    """

    def __init__(
        self,
        course: Callable[[int], tuple[str, ...]] = lambda _: COURSE,
        *,
        answered: Callable[[int, str], bool] = lambda *_: True,
        change: Lines = lambda lines: lines,
        text: Callable[[str], str] = lambda text: text,
        most_waiting: int | None = None,
    ) -> None:
        self._course = course
        self._answered = answered
        self._change = change
        self.text = text
        self.text_of: dict[str, str] = {}
        self._most_waiting = most_waiting
        self._files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self._left: dict[str, list[str]] = {}
        self.computed: Counter[str] = Counter()
        self.texts: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.sizes: list[int] = []

    def end(self, name: str) -> None:
        """Let a batch end when its state is asked for the next time."""
        self._left[name] = ["completed"]

    def asked(self, method: str, path: str, content: bytes) -> tuple[str, Callable[[], Any]]:
        """What a request is counted as, and what does it."""
        parts = path.partition("?")[0].split("/")
        if (method, parts) == ("POST", ["files"]):
            return "POST files", lambda: self._upload(content)
        if (method, parts) == ("POST", ["batches"]):
            return "POST batches", lambda: self._create(json.loads(content))
        if (method, parts) == ("GET", ["batches"]):
            return "GET batches", lambda: self._list(path)
        if method == "GET" and parts[0] == "batches":
            return "GET batch", lambda: self._state(parts[1])
        assert (method, parts[0], parts[2]) == ("GET", "files", "content")
        return "GET content", lambda: self._files[parts[1]]

    def _upload(self, content: bytes) -> dict[str, Any]:
        boundary = content.partition(b"\r\n")[0]
        fields = [part.partition(b"\r\n\r\n")[::2] for part in content.split(boundary)[1:-1]]
        found = {re.findall(rb' name="(\w+)"', head)[0]: value[:-2] for head, value in fields}
        assert found[b"purpose"] == b"batch"
        about = {"bytes": len(found[b"file"]), "created_at": int(time.time()), "filename": "f", "status": "processed"}
        return {"id": self._keep(found[b"file"]), "object": "file", "purpose": "batch", **about}

    def _keep(self, content: bytes) -> str:
        name = f"file-{len(self._files) + 1}"
        self._files[name] = content
        return name

    def _create(self, body: dict[str, Any]) -> dict[str, Any]:
        assert body["completion_window"] == "24h"
        lines = [json.loads(line) for line in self._files[body["input_file_id"]].splitlines()]
        assert {line["url"] for line in lines} == {body["endpoint"]}
        assert {line["method"] for line in lines} == {"POST"}
        number = len(self.batches) + 1
        name = f"batch_{number}"
        waiting = sum(
            each["request_counts"]["total"] for each in self.batches.values() if each["status"] != "completed"
        )
        batch: dict[str, Any] = {
            "id": name,
            "object": "batch",
            "endpoint": body["endpoint"],
            "completion_window": body["completion_window"],
            "input_file_id": body["input_file_id"],
            "status": self._course(number)[0],
            "created_at": int(time.time()),
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
        }
        self.batches[name] = batch
        self._left[name] = list(self._course(number)[1:])
        if self._most_waiting is not None and waiting + len(lines) > self._most_waiting:
            self._left[name] = ["failed"]
            batch["request_counts"]["total"] = 0
            error = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}
            batch["errors"] = {"object": "list", "data": [error]}
        elif "failed" in self._course(number):
            batch["errors"] = {"data": [{"code": "invalid", "message": "The file is wrong", "line": 1}]}
        else:
            self.sizes.append(len(lines))
            self.computed.update(line["custom_id"] for line in lines)
            self.text_of |= {line["custom_id"]: said_in(line["body"]) for line in lines}
            self.texts.update(said_in(line["body"]) for line in lines)
        return dict(batch)

    def _list(self, path: str) -> dict[str, Any]:
        names = list(reversed(self.batches))
        if after := re.findall(r"after=(\w+)", path):
            names = names[names.index(after[0]) + 1 :]
        return {"object": "list", "data": [self.batches[name] for name in names[:2]], "has_more": len(names) > 2}

    def _state(self, name: str) -> dict[str, Any]:
        batch = self.batches[name]
        if self._left[name]:
            batch["status"] = self._left[name].pop(0)
            if batch["status"] in {"completed", "expired", "cancelled"}:
                self._end(batch)
        return dict(batch)

    def _end(self, batch: dict[str, Any]) -> None:
        number = int(batch["id"].partition("_")[2])
        lines = [json.loads(line) for line in self._files[batch["input_file_id"]].splitlines()]
        output: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for line in lines:
            if self._answered(number, said_in(line["body"])):
                response = {"status_code": 200, "request_id": "r", "body": answer_to(line["body"])}
                output.append({"id": "l", "custom_id": line["custom_id"], "response": response, "error": None})
            elif batch["status"] != "completed":
                error = {"code": f"batch_{batch['status']}", "message": "This request could not be executed in time"}
                errors.append({"id": "l", "custom_id": line["custom_id"], "response": None, "error": error})
        output = self._change(output)
        self.answers.update(self.text_of[name] for each in output if (name := each["custom_id"]) in self.text_of)
        batch["request_counts"] |= {"completed": len(output), "failed": len(errors)}
        for name, found in (("output", output), ("error", errors)):
            if found:
                text = "".join(json.dumps(each) + "\n" for each in found)
                batch[f"{name}_file_id"] = self._keep((self.text(text) if name == "output" else text).encode())
