"""Answers requests through the batch API: what a file of answers lacks is submitted once, waited for, and read.

A request is in at most one batch at the server, and leaves it (`table.py`) after its answer is stored. So a kill at any
moment loses nothing that the server has computed, and nothing is submitted twice.
"""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple, TypeAlias

from phraseproof.errors import LimitReachedError, ModelError, StoppedError
from phraseproof.models.openai.answer_store import AnswerStore
from phraseproof.models.openai.batch.calls import ENDED, BatchCalls, BatchState
from phraseproof.models.openai.batch.output import BatchLine, contradicted, lines
from phraseproof.models.openai.batch.table import BatchTable, KnownBatch
from phraseproof.models.openai.exchange import Choice, Exchange, ServerAnswer, said_in
from phraseproof.models.openai.retrying import TransientError
from phraseproof.models.openai.server_settings import ServerSettings
from phraseproof.models.openai.spending import Spending
from phraseproof.models.openai.token_limit import TokenLimitField, wants_other_field

Give: TypeAlias = Callable[[int, Choice | ModelError], Awaitable[None]]
"""Hands over index and answer of a request."""

_STORED_TOGETHER = 500
_MIN_OUTPUT_BYTES = 64 * 2**20
_OUTPUT_PER_INPUT = 64
"""An echo with log-probabilities takes some twenty times the bytes of its request."""

_FIRST_POLL_S = 1.0
_SLOWER = 1.5
_SECONDS_BETWEEN_NOTES = 60.0
_TOO_MANY_TOKENS = "token_limit_exceeded"
"""OpenAI limits the tokens that wait in all batches of a model together."""

_WITHOUT_ANSWER = frozenset({"batch_expired", "batch_cancelled"})
_MAY_PASS = frozenset({408, 429})
_SHOWN = 3


class BatchContext(NamedTuple):
    """What lasts longer than one call.

    Attributes:
        settings: limits of a batch, and how often a request that failed is submitted again.
        store: the file of answers.
        spending: counts requests and cost.
        field: in which requests limit the answer's tokens.
        waiting: the batches at the server, by their names there.
        say: receives the progress, one line at a time.
    """

    settings: ServerSettings
    store: AnswerStore
    spending: Spending
    field: TokenLimitField
    waiting: dict[str, BatchState]
    say: Callable[[str], None]


class _Submitted(NamedTuple):
    """A batch at the server.

    Attributes:
        known: what is on disk of it.
        tickets: of the requests that this command sent, by index.
    """

    known: KnownBatch
    tickets: dict[int, int]


class BatchRun:
    """The requests of one call.

    Args:
        context: what lasts longer.
        calls: the requests of the batch API.
        exchange: reads answers.
        path: of the endpoint that answers the requests.
        requests: the requests, each with its key.
        give: receives every answer.
    """

    def __init__(
        self,
        context: BatchContext,
        calls: BatchCalls,
        exchange: Exchange,
        *,
        path: str,
        requests: Sequence[tuple[bytes, Mapping[str, object]]],
        give: Give,
    ) -> None:
        self._context = context
        self._settings = context.settings
        self._spending = context.spending
        self._table = BatchTable(context.store.database)
        self._calls = calls
        self._exchange = exchange
        self._path = path
        self._bodies = [body for _, body in requests]
        self._keys = [key for key, _ in requests]
        self._index = {key: index for index, key in enumerate(self._keys)}
        self._give = give
        self._active: list[_Submitted] = []
        self._todo: deque[int] = deque()
        self._tries: Counter[int] = Counter()
        self._most_bytes = self._settings.batch_bytes
        self._waits_for_place = False
        self._stopped: StoppedError | None = None
        self._said_s = float("-inf")
        self._began_s = time.monotonic()

    async def answer_all(self) -> None:
        """Hand over an answer, or an error, for every request.

        Raises:
            StoppedError: the server refuses or is gone, a limit is reached, or a batch was cancelled. Batches that were
                submitted continue at the server.
        """
        import anyio

        lacking: list[int] = []
        for index, key in enumerate(self._keys):
            if (known := self._context.store.get(key)) is None:
                lacking.append(index)
            else:
                await self._give(index, known)
        await self._resume(lacking)
        pause_s = _FIRST_POLL_S
        while True:
            if await self._submit_all():
                pause_s = _FIRST_POLL_S
            if not self._active:
                break
            await anyio.sleep(min(pause_s, self._settings.batch_poll_s))
            pause_s *= _SLOWER
            for batch in list(self._active):
                await self._look_at(batch)
            self._note()
        if self._stopped is not None:
            raise self._stopped

    async def _resume(self, lacking: Sequence[int]) -> None:
        """Take over the batches of earlier commands that hold requests without an answer."""
        in_batches: set[int] = set()
        for known, keys in self._table.holding(self._keys[index] for index in lacking).items():
            if known.file_id is None:
                self._table.forget(known)
                continue
            in_batches.update(self._index[key] for key in keys)
            await self._start(known, {}, may_exist=True)
        self._todo.extend(index for index in lacking if index not in in_batches)

    async def _submit_all(self) -> bool:
        """Submit what waits, as far as limits allow; returns whether anything was submitted."""
        has_submitted = False
        while self._todo and self._stopped is None and not (self._waits_for_place and self._active):
            self._waits_for_place = False
            with TemporaryFile() as file:
                tickets, size = await self._write(file)
                if not tickets:
                    continue
                known = self._table.plan([self._keys[index] for index in tickets], size)
                try:
                    known = self._table.uploaded(known, await self._calls.upload(file, size))
                    await self._start(known, tickets, may_exist=False)
                except StoppedError:
                    for ticket in tickets.values():
                        self._spending.unsent(ticket)
                    raise
                has_submitted = True
        return has_submitted

    async def _write(self, file: BinaryIO) -> tuple[dict[int, int], int]:
        """Write the next requests into a file, as many as a batch may hold; returns their tickets and the size."""
        tickets: dict[int, int] = {}
        size = 0
        while self._todo and len(tickets) < self._settings.batch_requests:
            index = self._todo[0]
            line = self._line(index)
            if size + len(line) > self._most_bytes:
                if tickets:
                    break
                self._todo.popleft()
                most = f"at most {self._most_bytes:,} bytes"
                await self._give(
                    index, self._exchange.refused("a request is larger than a batch may be", expected=most)
                )
                continue
            try:
                tickets[index] = self._spending.take(self._bodies[index], share=self._settings.batch_share)
            except LimitReachedError as error:
                self._stopped = error
                break
            self._todo.popleft()
            file.write(line)
            size += len(line)
        return tickets, size

    def _line(self, index: int) -> bytes:
        body = self._context.field.applied(self._path, self._bodies[index])
        line = {"custom_id": self._keys[index].hex(), "method": "POST", "url": f"/v1{self._path}", "body": dict(body)}
        return json.dumps(line).encode() + b"\n"

    async def _start(self, known: KnownBatch, tickets: dict[int, int], *, may_exist: bool) -> None:
        """Submit an uploaded batch, unless the server has it."""
        if known.batch_id is None:
            assert known.file_id is not None, "it is uploaded"
            state = await self._calls.submit(known.file_id, self._path, known.planned_s, may_exist=may_exist)
            known = self._table.submitted(known, state.id)
        assert known.batch_id is not None, "it is submitted"
        state = BatchState(known.batch_id, "submitted", known.file_id or "", total=len(self._table.keys_of(known)))
        self._context.waiting[known.batch_id] = state
        self._active.append(_Submitted(known, tickets))

    async def _look_at(self, batch: _Submitted) -> None:
        batch_id = batch.known.batch_id or ""
        state = await self._calls.state(batch_id)
        before = self._context.waiting[batch_id]
        self._context.waiting[batch_id] = state._replace(total=state.total or before.total)
        if state.status in ENDED:
            await self._end(batch, state)
            del self._context.waiting[batch_id]
            self._active.remove(batch)

    async def _end(self, batch: _Submitted, state: BatchState) -> None:
        """Read the answers of a batch that has ended, and decide what becomes of the requests without one."""
        every = self._table.keys_of(batch.known)
        left, problem = set(every), ""
        for file_id in state.files:
            with TemporaryFile() as file:
                most = _MIN_OUTPUT_BYTES + _OUTPUT_PER_INPUT * batch.known.input_bytes
                found = await self._calls.download(file_id, file, most), await self._read(file, batch, every, left)
                problem = problem or found[0] or found[1]
        own = [self._index[key] for key in left if key in self._index]
        if state.status == "failed":
            self._refuse(batch, state)
        elif state.status == "completed" or problem:
            for index in own:
                reason = problem or "the batch's files hold no answer to this request"
                await self._give(index, self._exchange.refused(reason, got=f"batch {state.id}"))
            own = []
        elif state.status == "cancelled":
            self._stop(f"the batch {state.id} was cancelled at the server")
        elif own and len(left) == len(every):
            self._stop(f"the batch {state.id} expired, and none of its requests was answered")
        self._todo.extend(own)
        for ticket in batch.tickets.values():
            (self._spending.unsent if state.status == "failed" else self._spending.free)(ticket)
        if state.status != "failed":
            self._waits_for_place = False
        self._table.forget(batch.known)

    def _refuse(self, batch: _Submitted, state: BatchState) -> None:
        """Decide what to do after the server refused a batch as a whole: none of its requests was computed."""
        codes = {code for code, _ in state.problems}
        is_alone = len(self._active) == 1
        if _TOO_MANY_TOKENS in codes and not (is_alone and len(self._table.keys_of(batch.known)) == 1):
            # The limit is not known: another try when a batch has ended, and smaller batches if none is left.
            self._waits_for_place = True
            if is_alone:
                self._most_bytes = max(1, batch.known.input_bytes // 2)
            return
        text = "; ".join(dict.fromkeys(text for _, text in state.problems)) or "no reason is given"
        self._stop(f"the server refuses the batch {state.id}", got=text)

    async def _read(self, file: BinaryIO, batch: _Submitted, every: set[bytes], left: set[bytes]) -> str:
        """Store and hand over the answers in a file; returns what is wrong with the file, if anything is.

        Args:
            file: of answers, or of errors.
            batch: its batch.
            every: the keys of all requests of the batch.
            left: those without an answer, from which the answered ones are removed.
        """
        doubtful = contradicted(file)
        fresh: list[tuple[bytes, ServerAnswer]] = []
        broken = foreign = 0
        for line in lines(file):
            if line is None or line.key not in every:
                broken += line is None or not line.key
                foreign += line is not None and bool(line.key)
            elif line.key in left and line.error not in _WITHOUT_ANSWER:
                left.discard(line.key)
                found = self._answer_in(line)
                if line.key in doubtful:
                    found = self._exchange.refused("the batch holds several answers to this request")
                await self._take(line.key, found, fresh, batch)
        await self._keep(fresh, batch)
        if foreign:
            self._context.say(f"{foreign:,} answers of a batch belong to no request that was sent; they are ignored")
        return f"{broken:,} lines of the batch's files are not of OpenAI's batch API" if broken else ""

    async def _take(
        self,
        key: bytes,
        found: ServerAnswer | ModelError | TransientError,
        fresh: list[tuple[bytes, ServerAnswer]],
        batch: _Submitted,
    ) -> None:
        index = self._index.get(key)
        if isinstance(found, ServerAnswer):
            fresh.append((key, found))
            if len(fresh) >= _STORED_TOGETHER:
                await self._keep(fresh, batch)
        elif index is None:
            pass  # another process waits for it, or its prompt has an outcome
        elif isinstance(found, ModelError):
            await self._give(index, found)
        else:
            self._tries[index] += 1
            if self._tries[index] > self._settings.retries:
                await self._give(index, self._exchange.refused(f"{found} (tried {self._tries[index]} times)"))
            else:
                self._todo.append(index)

    async def _keep(self, fresh: list[tuple[bytes, ServerAnswer]], batch: _Submitted) -> None:
        """Store answers, then hand them over. Others than ours are stored for the processes that wait for them."""
        self._context.store.put_all((key, answer.choice) for key, answer in fresh)
        for key, answer in fresh:
            if (index := self._index.get(key)) is not None:
                ticket, share = batch.tickets.pop(index, None), self._settings.batch_share
                self._spending.answered(ticket, self._bodies[index], answer.usage, share=share)
                await self._give(index, answer.choice)
        fresh.clear()

    def _answer_in(self, line: BatchLine) -> ServerAnswer | ModelError | TransientError:
        """What a line answers; a `TransientError` if the request is to be submitted again."""
        if line.status == 200:
            try:
                return self._exchange.answer_in(line.body)
            except TransientError as error:
                return error
        if not line.status:
            return TransientError(f"the batch holds an error in place of an answer: {line.error or 'not named'}")
        said = said_in(line.body)
        index = self._index.get(line.key)
        if index is not None and wants_other_field(self._path, self._bodies[index], said.encode()):
            self._context.field.is_new = True
        elif line.status < 500 and line.status not in _MAY_PASS:
            return self._exchange.refused(f"the server refuses the request: HTTP {line.status}", got=said)
        return TransientError(f"the server answers with HTTP {line.status}")

    def _stop(self, problem: str, *, got: str | None = None) -> None:
        if self._stopped is None:
            error = self._exchange.refused(problem, got=got)
            self._stopped = StoppedError(error.problem, got=error.got, where=error.where)

    def _note(self) -> None:
        """Report how far the batches are, now and then."""
        now_s = time.monotonic()
        if self._active and now_s - self._said_s >= _SECONDS_BETWEEN_NOTES:
            self._said_s = now_s
            minutes = round((now_s - self._began_s) / 60)
            self._context.say(
                f"{describe(self._context.waiting)}; waiting for {minutes} min (Ctrl-C leaves them running)"
            )


def describe(waiting: Mapping[str, BatchState]) -> str:
    """How far the batches at the server are, on one line."""
    done, total = sum(each.done for each in waiting.values()), sum(each.total for each in waiting.values())
    shown = [f"{state.id} {state.status}" for state in list(waiting.values())[:_SHOWN]]
    more = f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
    count = "1 batch" if len(waiting) == 1 else f"{len(waiting)} batches"
    return f"{count} at the server, {done:,} of {total:,} requests done ({', '.join(shown)}{more})"
