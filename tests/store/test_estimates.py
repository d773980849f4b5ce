"""Draws beside a run: there or not, never half, and no more than are used."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from phraseproof.store.estimates import KeptDraws


def test_what_is_put_is_got_and_what_is_damaged_is_not_there(tmp_path: Path) -> None:
    draws = np.array([[0.25, 1.0], [0.5, 0.125]])
    kept = KeptDraws(tmp_path, "plain")
    assert kept.get("k") is None
    kept.put("k", draws)
    found = KeptDraws(tmp_path, "plain").get("k")
    assert found is not None
    np.testing.assert_array_equal(found, draws)
    assert KeptDraws(tmp_path, "covariates").get("k") is None
    (path,) = (tmp_path / "estimates").iterdir()
    for damage in (b"", path.read_bytes()[:-4], b"\x93NUMPY"):
        path.write_bytes(damage)
        assert KeptDraws(tmp_path, "plain").get("k") is None


def test_tidying_keeps_what_was_asked_for_and_other_sets(tmp_path: Path) -> None:
    one = np.ones((2, 2))
    for prefix, keys in (("plain", "ab"), ("covariates", "a")):
        for key in keys:
            KeptDraws(tmp_path, prefix).put(key, one)
    kept = KeptDraws(tmp_path, "plain")
    kept.get("a")
    kept.tidy()
    names = {path.name for path in (tmp_path / "estimates").iterdir()}
    assert names == {"plain-a.npy", "plain-b.npy", "covariates-a.npy"}, "nothing new, nothing dropped"
    kept.put("c", one)
    kept.tidy()
    names = {path.name for path in (tmp_path / "estimates").iterdir()}
    assert names == {"plain-a.npy", "plain-c.npy", "covariates-a.npy"}
