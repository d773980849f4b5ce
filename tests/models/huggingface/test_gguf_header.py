"""Headers of GGUF files, compared with what the package `gguf` reads."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest

from phraseproof.errors import ModelError
from phraseproof.models.huggingface.gguf_header import read_header
from support import tiny_gguf


def test_metadata_and_tensors_equal_those_of_the_package(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf", ("Q8_0", "Q5_1", "F16"))
    header = read_header(tmp_path / "tiny.gguf")
    reader = gguf.GGUFReader(tmp_path / "tiny.gguf")
    expected = {name: field for name, field in reader.fields.items() if not name.startswith("GGUF.")}
    assert header.metadata.keys() == expected.keys()
    for name, field in expected.items():
        value = field.contents()
        assert header.metadata[name] == (len(value) if isinstance(value, list) and isinstance(value[0], str) else value)
    assert [tuple(tensor) for tensor in header.tensors] == [
        (tensor.name, tensor.tensor_type.name, tensor.data_offset, tensor.data_offset + tensor.n_bytes)
        for tensor in reader.tensors
    ]


@pytest.mark.parametrize("size", [4, 7, 20, 24, 60, 1000])
def test_a_cut_header(tmp_path: Path, size: int) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf")
    (tmp_path / "cut.gguf").write_bytes((tmp_path / "tiny.gguf").read_bytes()[:size])
    with pytest.raises(ModelError, match="cannot be read"):
        read_header(tmp_path / "cut.gguf")


def test_another_version(tmp_path: Path) -> None:
    (tmp_path / "old.gguf").write_bytes(b"GGUF" + (1).to_bytes(4, "little") + bytes(16))
    with pytest.raises(ModelError, match="version 1 of the format"):
        read_header(tmp_path / "old.gguf")
