"""Object storage in memory that counts requests, and in which a process can be killed at any of them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

URL = "memory://bucket/runs/first"

Moment = Literal["before", "after", "half"]


class Killed(BaseException):
    """The process is killed: nothing of it runs any more, as far as the store can see."""


class FragileMemory(MemoryFileSystem):
    """Counts calls from outside. From one of them on, every call ends in `Killed`.

    Attributes:
        calls: their names.
        dies_at: the number of the first call that fails; `None` for none.
        moment: whether that call had no effect, all of it, or half of it (an upload that was cut).
        fails: an error that every call raises.
    """

    cachable = False
    calls: ClassVar[list[str]] = []
    dies_at: ClassVar[int | None] = None
    moment: ClassVar[Moment] = "before"
    fails: ClassVar[Exception | None] = None
    _depth: ClassVar[int] = 0

    def _call(self, name: str, do: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        cls = FragileMemory
        if cls._depth:
            return do()
        if cls.fails is not None:
            raise cls.fails
        number = len(cls.calls)
        cls.calls.append(name)
        cls._depth += 1
        try:
            if cls.dies_at is None or number < cls.dies_at:
                return do()
            if number == cls.dies_at and cls.moment != "before":
                _ = do() if cls.moment == "after" or half is None else half()
            raise Killed
        finally:
            cls._depth -= 1

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        return self._call("ls", lambda: super(FragileMemory, self).ls(path, detail=detail, **options))

    def cat_file(self, path: str, *args: Any, **options: Any) -> Any:
        return self._call("cat_file", lambda: super(FragileMemory, self).cat_file(path, *args, **options))

    def get_file(self, rpath: str, lpath: Any = None, *args: Any, **options: Any) -> Any:
        return self._call("get_file", lambda: super(FragileMemory, self).get_file(rpath, lpath, *args, **options))

    def info(self, path: str, **options: Any) -> Any:
        return self._call("info", lambda: super(FragileMemory, self).info(path, **options))

    def rm(self, path: Any, *args: Any, **options: Any) -> Any:
        return self._call("rm", lambda: super(FragileMemory, self).rm(path, *args, **options))

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> Any:
        return self._call("pipe_file", lambda: super(FragileMemory, self).pipe_file(path, value, mode=mode, **options))

    def put_file(self, lpath: str, rpath: str, *args: Any, **options: Any) -> Any:
        def half() -> None:
            content = Path(lpath).read_bytes()
            super(FragileMemory, self).pipe_file(rpath, content[: len(content) // 2])

        return self._call("put_file", lambda: super(FragileMemory, self).put_file(lpath, rpath, *args, **options), half)


def revive() -> None:
    """Forget what was counted, and let calls succeed again."""
    FragileMemory.calls.clear()
    FragileMemory.dies_at, FragileMemory.fails = None, None


@contextmanager
def fragile_memory() -> Generator[None]:
    """`memory://` is a new, empty `FragileMemory` within the block."""

    def empty() -> None:
        MemoryFileSystem.store.clear()
        MemoryFileSystem.pseudo_dirs[:] = [""]
        revive()

    fsspec.register_implementation("memory", FragileMemory, clobber=True)
    empty()
    try:
        yield
    finally:
        empty()
        fsspec.register_implementation("memory", MemoryFileSystem, clobber=True)


def use_machine(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str) -> None:
    """Use the cache folder of another machine from now on."""
    (folder / name).mkdir(mode=0o700, exist_ok=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / name))
    monkeypatch.delenv("PHRASEPROOF_CACHE", raising=False)


def objects() -> dict[str, bytes]:
    """Every object, by its path."""
    return {path: file.getvalue() for path, file in MemoryFileSystem.store.items()}


def change_object(path: str, content: bytes | None) -> None:
    """Replace an object, or remove it."""
    if content is None:
        del MemoryFileSystem.store[path]
    else:
        MemoryFileSystem().pipe_file(path, content)
