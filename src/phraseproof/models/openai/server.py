"""Requests to a server of models: answers in the order in which they come, every failure one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from phraseproof.errors import MissingExtraError, ModelError, StoppedError, UsageError
from phraseproof.models.openai.adaptive_limit import AdaptiveLimit
from phraseproof.models.openai.answer_store import AnswerStore, RequestKeys
from phraseproof.models.openai.batch.calls import BatchCalls, BatchState
from phraseproof.models.openai.batch.run import BatchContext, BatchRun, describe
from phraseproof.models.openai.batch.table import BatchTable
from phraseproof.models.openai.exchange import Choice, Exchange, new_client
from phraseproof.models.openai.server_settings import NATIVE_GENERATE, ServerSettings
from phraseproof.models.openai.spending import Spending
from phraseproof.models.openai.token_limit import TokenLimitField
from phraseproof.models.openai.traffic import Traffic

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

__all__ = ["Choice", "Server", "ServerSettings"]

_MAX_REFUSALS_AT_FIRST = 8
"""When this number of requests was refused and none was answered, the others are not sent."""

Item: TypeAlias = tuple[int, Choice | ModelError]
_Request: TypeAlias = tuple[bytes, Mapping[str, object]]
"""A request with its key; the key is empty where answers are not kept."""


def _ignored(_message: str) -> None:
    pass


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
        self._batches: dict[str, BatchState] = {}
        self._say: Callable[[str], None] = _ignored
        self.spending = Spending(max_requests=settings.max_requests, max_cost=settings.max_cost, price=settings.price)

    @contextmanager
    def keeping_answers(self, path: Path, say: Callable[[str], None] = _ignored) -> Generator[AnswerStore]:
        """Keep every answer in a file within the block, from the moment in which it comes, and request none twice.

        Args:
            path: the file.
            say: receives how far batches are.

        Raises:
            RunError: the file cannot be written.
            UsageError: it says that requests are in batches at the server, and the batch API is off.
        """
        is_batched = self.settings.is_batched
        self._answers = answers = AnswerStore(path, is_synced=is_batched)
        try:
            if not is_batched:
                self._require_no_batches(answers)
            self._say = say
            yield answers
        finally:
            self._answers = None
            answers.close()

    @property
    def is_batching(self) -> bool:
        """Whether requests go to the batch API now. Trials, the self-test and single texts do not."""
        return self._answers is not None and self.settings.is_batched

    @property
    def waits_for(self) -> str:
        """How far the batches at the server are; empty where there are none."""
        return describe(self._batches) if self._batches else ""

    def post_all(
        self, path: str, bodies: Sequence[Mapping[str, object]], *, held: Container[int] = frozenset()
    ) -> Iterator[Item]:
        """Index and answer of every request, in the order in which answers come.

        A request that the server refuses by itself or that fails after all repetitions, and an answer that cannot be
        used, give their error, and the others go on.

        Args:
            path: of the endpoint.
            bodies: the requests.
            held: requests whose answers are to be kept for a later command. The caller may change it on the way.

        Raises:
            StoppedError: the server cannot be reached, does not answer in time, or refuses the key; or a limit of
                requests or cost is reached. All answers have been handed over before.
            ModelError: the server refuses every request.
        """
        import anyio
        from anyio.from_thread import start_blocking_portal

        refused = 0
        store, answered = self._answers, list[int]()
        requests = self._with_keys(path, bodies)
        send, receive = anyio.create_memory_object_stream[Item](2 * self.settings.concurrency)
        try:
            # Requests run in another thread: leaving this generator, also by Ctrl-C, cancels them.
            with receive, start_blocking_portal() as portal:
                running = portal.start_task_soon(self._send_all, path, requests, send)
                while some := portal.call(_next_items, receive):
                    for item in some:
                        if not isinstance(item[1], ModelError):
                            self._has_answered = True
                            answered.append(item[0])
                        elif not self._has_answered and not self.is_batching:
                            refused += 1
                            if refused >= _MAX_REFUSALS_AT_FIRST:
                                raise item[1]
                        yield item
                running.result()
        finally:
            if store is not None:
                store.use({requests[index][0] for index in answered if index not in held})

    def refused(self, problem: str, *, got: str | None = None, hint: str | None = None) -> ModelError:
        """Make an error about this server, with the key removed from the server's words."""
        if got is not None and self._key:
            got = got.replace(self._key, "[the key]")
        return ModelError(problem, got=got, where=self.settings.base_url, hint=hint)

    def _with_keys(self, path: str, bodies: Sequence[Mapping[str, object]]) -> list[_Request]:
        if self._answers is None:
            return [(b"", body) for body in bodies]
        keys = RequestKeys(self.settings.base_url, path)
        return [(keys.next(body), body) for body in bodies]

    def _require_no_batches(self, answers: AnswerStore) -> None:
        if not answers.exists:
            return
        table = BatchTable(answers.database)
        if batches := table.every():
            names = [batch.batch_id or f"of the file {batch.file_id}" for batch in batches if batch.file_id]
            if names:
                raise UsageError(
                    f"requests of this run are in {len(names)} batches at the server ({', '.join(names[:3])})",
                    where="--batch-api",
                    hint=f"Continue with --batch-api; or remove {answers.path} to send the requests again",
                )

    async def _send_all(self, path: str, requests: Sequence[_Request], send: MemoryObjectSendStream[Item]) -> None:
        """Send all requests that are not answered yet."""
        connections = min(self.settings.concurrency, max(1, len(requests)))
        async with send, new_client(self._key, connections) as client:
            exchange = Exchange(client, self.settings, self._key)
            if self._answers is not None and self.settings.is_batched:
                if path == NATIVE_GENERATE:
                    raise StoppedError(
                        f"batches cannot ask the endpoint {path}", where="--batch-api", hint="Leave out --batch-api"
                    )
                context = BatchContext(
                    self.settings, self._answers, self.spending, self._token_limit_field, self._batches, self._say
                )
                calls = BatchCalls(client, exchange, self.settings)

                async def give(index: int, answer: Choice | ModelError) -> None:
                    await send.send((index, answer))

                await BatchRun(context, calls, exchange, path=path, requests=requests, give=give).answer_all()
            else:
                await self._send_each(exchange, path, requests, send)

    async def _send_each(
        self, exchange: Exchange, path: str, requests: Sequence[_Request], send: MemoryObjectSendStream[Item]
    ) -> None:
        """Send requests one by one, several at the same time."""
        import anyio

        waiting = iter(enumerate(requests))
        failures: list[Exception] = []
        traffic = Traffic(exchange, self.settings, self._limit, self.spending, self._token_limit_field)

        async def work(cancel: Callable[[], None]) -> None:
            try:
                for index, (key, body) in waiting:
                    known = self._answers.get(key) if self._answers is not None else None
                    if known is not None:
                        await send.send((index, known))
                        continue
                    answer = await traffic.ask(path, body)
                    if self._answers is not None and not isinstance(answer, ModelError):
                        self._answers.put(key, answer.choice)
                    await send.send((index, answer if isinstance(answer, ModelError) else answer.choice))
            except StoppedError:
                pass  # `traffic.stopped` is raised below, after the answers that are still in flight
            except Exception as error:  # noqa: BLE001 (raised below; a task group would raise a group of them)
                failures.append(error)
                cancel()

        async with anyio.create_task_group() as group:
            for _ in range(min(self.settings.concurrency, len(requests))):
                group.start_soon(work, group.cancel_scope.cancel)
        if failures:
            raise failures[0]
        if requests and traffic.failures == len(requests):
            traffic.stop_failed()
        if traffic.stopped is not None:
            raise traffic.stopped


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
