"""The garbage collector rests while modules are imported, and only then."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from phraseproof import evaluate
from phraseproof.garbage_collection import importing

MISSING = "phraseproof.no_such_module"


@pytest.fixture(autouse=True)
def _collector() -> Generator[None]:
    yield
    gc.enable()


def test_it_rests_while_a_module_is_imported() -> None:
    with importing(MISSING):
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_does_not_rest_for_modules_that_are_imported_already() -> None:
    with importing("gc", "json"):
        assert gc.isenabled()


def test_it_works_again_after_an_import_that_fails() -> None:
    with pytest.raises(ImportError), importing(MISSING):
        raise ImportError
    assert gc.isenabled()


def test_it_stays_off_where_the_caller_has_switched_it_off() -> None:
    gc.disable()
    with importing(MISSING):
        pass
    assert not gc.isenabled()


def test_a_program_of_a_user_keeps_all_its_objects_under_the_collector() -> None:
    gc.unfreeze()  # frozen objects that die would change the count
    with importing(MISSING):
        pass
    assert gc.get_freeze_count() == 0


PROGRAM = """
import gc, json, weakref
from phraseproof.garbage_collection import importing, own_process

class Node: pass

def circle():
    node = Node(); node.itself = node
    return weakref.ref(node)

own_process()
with importing("phraseproof.errors"):
    import phraseproof.errors
frozen = gc.get_freeze_count()
with importing("phraseproof.errors"):  # imported already: nothing more is set aside
    made_later = circle()
gc.collect()
print(json.dumps([frozen, gc.get_freeze_count(), made_later() is None]))
"""


def test_the_command_line_sets_imported_objects_aside_once_and_frees_later_ones() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    frozen, frozen_later, is_freed = json.loads(found.stdout)
    assert frozen > 1000
    assert frozen_later <= frozen
    assert is_freed


def test_the_process_of_a_command_ends_in_silence(tmp_path: Path) -> None:
    """Libraries with compiled classes, such as DuckDB, report objects that the last search did not find."""
    run = str(tmp_path / "run")
    evaluate("scripted", "everyday/tickets", {"observed": "everyday-observed"}, run, limit=2)
    command = [sys.executable, "-m", "phraseproof", "table", run]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stderr == ""


def test_a_process_that_has_imported_duckdb_first_ends_in_silence() -> None:
    program = (
        "from phraseproof.garbage_collection import importing, own_process\n"
        "own_process()\n"
        "import duckdb\n"
        "duckdb.sql('select 1').fetchall()\n"
        "with importing('xml.dom.minidom'):\n"
        "    import xml.dom.minidom\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stderr == ""
