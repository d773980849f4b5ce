from __future__ import annotations

from importlib.metadata import version

import phraseproof
from phraseproof.version import __version__


def test_the_package_and_its_metadata_name_one_version() -> None:
    assert phraseproof.__version__ == __version__ == version("phraseproof")
