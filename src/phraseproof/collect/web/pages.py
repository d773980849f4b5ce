"""The pages' templates: Jinja with escaping, apart from the sandbox in which wordings are rendered."""

from __future__ import annotations

from functools import cache, partial
from gettext import NullTranslations
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import InternationalizationExtension

from phraseproof.collect.web.language import LANGUAGES, shown_date, shown_time, translations
from phraseproof.collect.web.texts import (
    Gettext,
    action_name,
    kind_hint,
    preview_summary,
    problem_text,
    status_name,
    table_hint,
    table_name,
)

TEMPLATES = Path(__file__).with_name("templates")
STATIC = Path(__file__).with_name("static")


class PageTemplates:
    """The templates in every language.

    Args:
        languages: codes of the languages that are offered.
    """

    def __init__(self, languages: tuple[str, ...]) -> None:
        self.languages = tuple(code for code in languages if code in LANGUAGES) or ("en",)
        self._texts = {code: _texts(code) for code in self.languages}
        self._environments = {code: _environment(code) for code in self.languages}

    def render(self, name: str, language: str, /, **values: object) -> str:
        """The text of a page."""
        environment = self._environments[language]
        offered = {code: LANGUAGES[code] for code in self.languages}
        return environment.get_template(name).render(language=language, offered=offered, **values)

    def gettext(self, language: str) -> Gettext:
        """The function that translates the code's sentences."""
        return self._texts[language].gettext


@cache
def _texts(language: str) -> NullTranslations:
    return translations(language)


@cache
def _environment(language: str) -> Environment:
    texts = _texts(language)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[InternationalizationExtension],
    )
    install: object = getattr(environment, "install_gettext_translations")  # noqa: B009 (added by the extension)
    assert callable(install)
    install(texts, newstyle=True)
    gettext = texts.gettext
    environment.filters.update(
        {
            "action_name": partial(action_name, _=gettext),
            "status_name": partial(status_name, _=gettext),
            "table_name": partial(table_name, _=gettext),
            "table_hint": partial(table_hint, _=gettext),
            "kind_hint": partial(kind_hint, _=gettext),
            "problem_text": partial(problem_text, _=gettext),
            "preview_summary": partial(preview_summary, _=gettext),
            "shown_time": partial(shown_time, language=language),
            "shown_date": partial(shown_date, language=language),
        }
    )
    return environment
