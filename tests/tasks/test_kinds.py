from __future__ import annotations

import pytest

from phraseproof.core import Example, Kind
from phraseproof.errors import TaskError
from phraseproof.tasks.kinds import WITH_OPTIONS, infer_kind, require_options


def examples(*choices: tuple[str, ...]) -> list[Example]:
    return [Example(str(index), {}, each, (1.0,) + (0.0,) * (len(each) - 1)) for index, each in enumerate(choices)]


def test_the_kind_that_options_imply() -> None:
    assert infer_kind(examples(("a", "b"), ("b", "a"))) is Kind.BINARY
    assert infer_kind(examples(("a", "b", "c"), ("c", "a", "b"))) is Kind.MULTI_CLASS
    assert infer_kind(examples(("a", "b"), ("a", "c"))) is Kind.MULTIPLE_CHOICE


@pytest.mark.parametrize("kind", Kind)
def test_free_text_is_refused(kind: Kind) -> None:
    if kind in WITH_OPTIONS:
        require_options(kind, "t.yaml:2, kind")
    else:
        with pytest.raises(TaskError, match=rf"t\.yaml:2, kind: tasks of the kind {kind.value} are not supported"):
            require_options(kind, "t.yaml:2, kind")
