"""The languages of the form: gettext catalogues from `.po` files, read at start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import negotiate_locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""Code -> how the language calls itself. The texts in the code are English."""
LOCALE = Path(__file__).with_name("locale")


def translations(language: str) -> NullTranslations:
    """The texts of a language; English has no catalogue."""
    path = LOCALE / language / "messages.po"
    if not path.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as stream:
        write_mo(compiled, read_po(stream, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def chosen_language(offered: Sequence[str], cookie: str | None, accepted: str | None) -> str:
    """The language of a page: the one that the visitor chose, else the browser's first choice that is offered.

    Args:
        offered: codes of the project's languages, the default first.
        cookie: the code that the visitor chose.
        accepted: the browser's Accept-Language.
    """
    if cookie in offered:
        return str(cookie)
    return negotiate_locale(_preferred(accepted or ""), offered, sep="-") or offered[0]


def _preferred(accepted: str) -> list[str]:
    """Codes of an Accept-Language, the most wanted first."""
    ranked: list[tuple[float, str]] = []
    for part in accepted[:500].split(","):
        code, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if code and weight > 0:
            ranked.append((-weight, code))
    return [code for _, code in sorted(ranked, key=lambda pair: pair[0])]


def shown_time(moment: datetime, language: str) -> str:
    """A time in UTC, as the language writes it."""
    return f"{format_datetime(moment, 'medium', locale=language)} UTC"


def shown_date(moment: datetime, language: str) -> str:
    """A date, as the language writes it."""
    return format_date(moment, "long", locale=language)
