"""The program's beginning: `python -m phraseproof`, and the command `phraseproof`."""

import sys
from typing import NoReturn

INTERRUPTED = 130


def start() -> NoReturn:
    """Run the command line. Ctrl-C while modules are still imported ends without a traceback, too."""
    try:
        from phraseproof.garbage_collection import importing, own_process

        own_process()
        with importing("phraseproof.cli"):
            from phraseproof.cli import main
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    main()


if __name__ == "__main__":
    start()
