"""Requests to a server of models: answers in the order in which they come, every failure one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from phraseproof.errors import MissingExtraError, ModelError, StoppedError, UsageError
from phraseproof.models.openai.adaptive_limit import AdaptiveLimit
from phraseproof.models.openai.answer_store import AnswerStore, RequestKeys
from phraseproof.models.openai.exchange import Choice, Exchange, new_client
from phraseproof.models.openai.server_settings import ServerSettings
from phraseproof.models.openai.spending import Spending
from phraseproof.models.openai.token_limit import TokenLimitField
from phraseproof.models.openai.traffic import Traffic

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

__all__ = ["Choice", "Server", "ServerSettings"]

_MAX_REFUSALS_AT_FIRST = 8
"""When this number of requests was refused and none was answered, the others are not sent."""

Item: TypeAlias = tuple[int, Choice | ModelError]


class Server:
    """Sends requests to one server, as many at once as it takes, and repeats those that fail for a passing reason."""

    def __init__(self, settings: ServerSettings) -> None:
        for package in ("anyio", "httpx", "tenacity"):
            if find_spec(package) is None:
                raise MissingExtraError("a model behind an HTTP server", extra="api", package=package)
        self.settings = settings
        self._key = os.environ.get(settings.key_variable, "").strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise UsageError("the key holds characters that no HTTP header can", where=settings.key_variable)
        self._limit = AdaptiveLimit(settings.concurrency, time_limit_s=settings.timeout_s)
        self._token_limit_field = TokenLimitField()
        self._has_answered = False
        self._answers: AnswerStore | None = None
        self.spending = Spending(max_requests=settings.max_requests, max_cost=settings.max_cost, price=settings.price)

    @contextmanager
    def keeping_answers(self, path: Path) -> Generator[AnswerStore]:
        """Keep every answer in a file within the block, from the moment in which it comes, and request none twice.

        Raises:
            RunError: the file cannot be written.
        """
        self._answers = answers = AnswerStore(path)
        try:
            yield answers
        finally:
            self._answers = None
            answers.close()

    def post_all(self, path: str, bodies: Sequence[Mapping[str, object]]) -> Iterator[Item]:
        """Index and answer of every request, in the order in which answers come.

        A request that the server refuses by itself or that fails after all repetitions, and an answer that cannot be
        used, give their error, and the others go on.

        Raises:
            StoppedError: the server cannot be reached, does not answer in time, or refuses the key; or a limit of
                requests or cost is reached. All answers have been handed over before.
            ModelError: the server refuses every request.
        """
        import anyio
        from anyio.from_thread import start_blocking_portal

        refused = 0
        send, receive = anyio.create_memory_object_stream[Item](2 * self.settings.concurrency)
        # Requests run in another thread: leaving this generator, also by Ctrl-C, cancels them.
        with receive, start_blocking_portal() as portal:
            running = portal.start_task_soon(self._send_all, path, bodies, send)
            while some := portal.call(_next_items, receive):
                for item in some:
                    if not isinstance(item[1], ModelError):
                        self._has_answered = True
                    elif not self._has_answered:
                        refused += 1
                        if refused >= _MAX_REFUSALS_AT_FIRST:
                            raise item[1]
                    yield item
            if keys := running.result():
                assert self._answers is not None, "keys are made for it"
                self._answers.use(keys)

    def refused(self, problem: str, *, got: str | None = None, hint: str | None = None) -> ModelError:
        """Make an error about this server, with the key removed from the server's words."""
        if got is not None and self._key:
            got = got.replace(self._key, "[the key]")
        return ModelError(problem, got=got, where=self.settings.base_url, hint=hint)

    async def _send_all(
        self, path: str, bodies: Sequence[Mapping[str, object]], send: MemoryObjectSendStream[Item]
    ) -> set[bytes]:
        """Send all requests that are not answered yet; returns the keys of all, if answers are kept."""
        import anyio

        waiting = iter(enumerate(bodies))
        keys, used = RequestKeys(self.settings.base_url, path), set[bytes]()
        failures: list[Exception] = []
        workers = min(self.settings.concurrency, len(bodies))

        async def work(traffic: Traffic, cancel: Callable[[], None]) -> None:
            try:
                for index, body in waiting:
                    key = keys.next(body) if self._answers is not None else b""
                    known = self._answers.get(key) if self._answers is not None else None
                    if known is not None:
                        used.add(key)
                        await send.send((index, known))
                        continue
                    answer = await traffic.ask(path, body)
                    if self._answers is not None and not isinstance(answer, ModelError):
                        self._answers.put(key, answer.choice)
                        used.add(key)
                    await send.send((index, answer if isinstance(answer, ModelError) else answer.choice))
            except StoppedError:
                pass  # `traffic.stopped` is raised below, after the answers that are still in flight
            except Exception as error:  # noqa: BLE001 (raised below; a task group would raise a group of them)
                failures.append(error)
                cancel()

        async with send, new_client(self._key, workers) as client:
            exchange = Exchange(client, self.settings, self._key)
            traffic = Traffic(exchange, self.settings, self._limit, self.spending, self._token_limit_field)
            async with anyio.create_task_group() as group:
                for _ in range(workers):
                    group.start_soon(work, traffic, group.cancel_scope.cancel)
        if failures:
            raise failures[0]
        if bodies and traffic.failures == len(bodies):
            traffic.stop_failed()
        if traffic.stopped is not None:
            raise traffic.stopped
        return used


async def _next_items(receive: MemoryObjectReceiveStream[Item]) -> list[Item]:
    """Everything that has come, at least one item; nothing at the end."""
    import anyio

    found: list[Item] = []
    try:
        found.append(await receive.receive())
        while True:
            found.append(receive.receive_nowait())
    except (anyio.EndOfStream, anyio.WouldBlock):
        return found
