from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.store.urls import URL_FILE, name_of, require_no_url, url_of


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("s3://bucket/runs/first", "s3://bucket/runs/first"),
        (Path("s3://bucket/runs/first"), "s3://bucket/runs/first"),
        ("gs://bucket/runs/first/", "gs://bucket/runs/first"),
        (Path("file:///mnt/runs/first"), "file:///mnt/runs/first"),
        ("abfs://box@account.dfs.core.windows.net/x", "abfs://box@account.dfs.core.windows.net/x"),
        ("runs/first", None),
        ("/runs/first", None),
        ("C:/runs/first", None),
        ("runs/s3://x", None),
    ],
)
def test_urls_are_known_from_folders(given: str | Path, url: str | None) -> None:
    assert url_of(given) == url


@pytest.mark.parametrize("given", ["sftp://me:geheim@host/runs/x", "s3://key:geheim@bucket/x", "az://box/x?sig=geheim"])
def test_credentials_are_refused_and_not_printed(given: str) -> None:
    with pytest.raises(RunError, match="must not hold credentials") as error:
        url_of(Path(given))
    assert "geheim" not in str(error.value)


def test_a_command_that_writes_folders_names_the_way_to_a_url(tmp_path: Path) -> None:
    require_no_url(tmp_path)
    with pytest.raises(RunError, match=r"s3://bucket/x: .*phraseproof copy"):
        require_no_url(Path("s3://bucket/x"))


def test_a_local_copy_is_called_by_its_url(tmp_path: Path) -> None:
    run = tmp_path / "copy" / "first"
    run.mkdir(parents=True)
    assert name_of(run) == str(run)
    (tmp_path / "copy" / URL_FILE).write_text("s3://bucket/first\n")
    assert name_of(run) == "s3://bucket/first"
