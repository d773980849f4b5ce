"""The hub, as the `datasets` library really fails and succeeds."""

from __future__ import annotations

import sys

import pytest

from phraseproof.errors import MissingExtraError, TaskError
from phraseproof.tasks.hub import load_rows
from support.local_hub import LocalHub


def test_rows_come_in_order_with_the_revision_asked_for(local_hub: LocalHub) -> None:
    local_hub.add("org/set", {"main": {"test": [{"n": 3, "t": ["a"]}, {"n": 1, "t": []}]}})
    rows = load_rows("org/set", config="main", split="test", revision="abc")
    assert rows == [{"n": 3, "t": ["a"]}, {"n": 1, "t": []}]
    assert local_hub.calls == [("org/set", "main", "test", "abc")]


@pytest.mark.parametrize("config", ["other", None])
def test_rows_of_a_script_come_from_the_hubs_parquet_files(local_hub: LocalHub, config: str | None) -> None:
    folders = {"default": {"test": [{"n": 1}]}, "other": {"test": [{"n": 2}], "train": [{"n": 3}]}}
    local_hub.add_script("org/set", folders)
    assert load_rows("org/set", config=config, split="test") == [{"n": 2 if config else 1}]
    assert local_hub.calls == [("org/set", config, "test", None), ("org/set", None, "test", "refs/convert/parquet")]


def test_an_unknown_configuration_or_split_is_one_line(local_hub: LocalHub) -> None:
    local_hub.add("org/set", {"main": {"test": [{"n": 3}]}})
    with pytest.raises(TaskError, match=r"cannot be loaded as asked .*'other' not found.*main"):
        load_rows("org/set", config="other", split="test")
    with pytest.raises(TaskError, match=r"split nope: .*cannot be loaded as asked .*test"):
        load_rows("org/set", config="main", split="nope")


def test_a_hub_out_of_reach_is_one_line_with_a_hint() -> None:
    with pytest.raises(TaskError) as caught:
        load_rows("org/absent", config=None, split="test")
    assert str(caught.value).startswith("hub org/absent, split test: the hub cannot be reached")
    assert str(caught.value).endswith("With a copy on disk, pass --data-dir")


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (RuntimeError("Dataset scripts are no longer supported, but found x.py"), "cannot be loaded as asked"),
        (ConnectionError("Couldn't reach\nthe hub"), "the hub cannot be reached .got Couldn't reach.,"),
        (TimeoutError(), "the hub cannot be reached .got TimeoutError."),
    ],
)
def test_other_failures(monkeypatch: pytest.MonkeyPatch, error: Exception, problem: str) -> None:
    import datasets

    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(TaskError, match=problem.replace(",", "")):
        load_rows("org/set", config=None, split="test")


def test_a_data_set_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets
    from datasets.exceptions import DatasetNotFoundError

    def fail(*args: object, **kwargs: object) -> None:
        raise DatasetNotFoundError("Dataset 'org/set' doesn't exist on the Hub or cannot be accessed.")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(TaskError, match="the hub has no such data set"):
        load_rows("org/set", config=None, split="test")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"phraseproof\[hf\]"):
        load_rows("org/set", config=None, split="test")
