"""The objects below a URL, through fsspec: read, written, created if they are new, listed, removed.

Errors of the store's package are one line, without a traceback. `requests` counts the calls, not the repetitions inside
the package.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from phraseproof.errors import MissingExtraError, RunError

_CREATES_NEW = frozenset({"file", "local", "memory", "s3", "s3a", "gs", "gcs"})
"""Protocols whose package sends a condition with `mode="create"`. Others look first and write then."""

_PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "az": "adlfs",
}


class ObjectStore:
    """The objects of one run, or of a folder of runs.

    Args:
        url: where they are; `/` separates the names below it.

    Attributes:
        url: as given.
        creates_new: whether the store is expected to refuse to create an object that exists.
        requests: how many calls were made.

    Raises:
        RunError: no package knows the URL's protocol, or it cannot be set up.
        MissingExtraError: fsspec is not installed.
    """

    def __init__(self, url: str) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise MissingExtraError("a run in object storage", extra="remote", package="fsspec") from None
        self.url, self.requests = url, 0
        scheme = url.partition(":")[0]
        self.creates_new = scheme in _CREATES_NEW
        self._is_local = scheme in {"file", "local"}
        try:
            # Without caches: what another machine wrote has to be seen.
            found: tuple[Any, str] = url_to_fs(url, skip_instance_cache=True, use_listings_cache=False)
        except ImportError as error:
            package = _PACKAGES.get(scheme)
            hint = f"Install it with: pip install {package}" if package else _first_line(error)
            raise RunError(f"{scheme}:// needs a package that is not installed", where=url, hint=hint) from None
        except Exception as error:  # noqa: BLE001 - packages raise errors of any kind
            raise RunError(f"cannot be opened: {_first_line(error)}", where=url) from None
        self._fs, self._root = found[0], found[1].rstrip("/")

    def names(self, folder: str = "") -> list[str]:
        """The names directly below a folder, sorted; none where there is no such folder."""
        return sorted(self._listed(folder))

    def folders(self, folder: str = "") -> list[str]:
        """The folders directly below a folder, sorted."""
        return sorted(name for name, kind in self._listed(folder).items() if kind == "directory")

    def _listed(self, folder: str) -> dict[str, str]:
        path = self._path(folder)
        with self._one_line("listed", folder):
            try:
                self._fs.invalidate_cache(path)
                found: list[dict[str, str]] = self._fs.ls(path, detail=True)
            except (FileNotFoundError, NotADirectoryError):
                return {}
        listed = {entry["name"].rstrip("/"): entry["type"] for entry in found}
        return {name.rpartition("/")[2]: kind for name, kind in listed.items() if name.strip("/") != path.strip("/")}

    def read(self, name: str) -> bytes:
        """The content of an object. Raises `FileNotFoundError` where there is none."""
        with self._one_line("read", name):
            content: bytes = self._fs.cat_file(self._path(name))
            return content

    def fetch(self, name: str, path: Path) -> None:
        """Write an object to a file. Raises `FileNotFoundError` where there is none."""
        with self._one_line("read", name):
            self._fs.get_file(self._path(name), str(path))

    def upload(self, path: Path, name: str) -> None:
        """Write a file to an object, and compare the size that the store then reports.

        Raises:
            RunError: it cannot be written, or has another size.
        """
        target = self._path(name)
        with self._one_line("written", name, is_new=True):
            if self._is_local:
                Path(target).parent.mkdir(parents=True, exist_ok=True)
            self._fs.put_file(str(path), target)
        with self._one_line("read", name, is_new=True):
            size = self._fs.info(target)["size"]
        if size != path.stat().st_size:
            raise RunError(
                "the store does not hold what was written",
                expected=f"{path.stat().st_size} bytes",
                got=f"{size}",
                where=f"{self.url}/{name}",
            )

    def create(self, name: str, content: bytes) -> bool:
        """Write an object that must be new; whether it was.

        An object with this very content counts as new: the package may have repeated a request that had arrived.
        """
        path = self._path(name)
        with self._one_line("written", name, is_new=True):
            try:
                if self._is_local:
                    _create_file(Path(path), content)
                else:
                    self._fs.pipe_file(path, content, mode="create")
            except OSError:  # packages translate the refusal of some servers into errors that do not say so
                with suppress(FileNotFoundError):
                    return self.read(name) == content
                raise
        return True

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; those that are gone are left out."""
        if names:
            with self._one_line("removed", names[0]), suppress(FileNotFoundError):
                self._fs.rm([self._path(name) for name in names])

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    @contextmanager
    def _one_line(self, done: str, name: str, *, is_new: bool = False) -> Generator[None]:
        self.requests += 1
        try:
            yield
        except FileNotFoundError as error:
            if not is_new:
                raise
            raise RunError(f"cannot be {done}: {_first_line(error)}", where=f"{self.url}/{name}") from None
        except RunError:
            raise
        except Exception as error:  # noqa: BLE001 - packages raise errors of any kind
            raise RunError(f"cannot be {done}: {_first_line(error)}", where=f"{self.url}/{name}") from None


def _create_file(path: Path, content: bytes) -> None:
    """Write a file that must be new, whole at once. Raises `FileExistsError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.write_bytes(content)
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _first_line(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
