"""What MkDocs calls while it builds the site: pages from outside of docs/, reference pages, Markdown as it needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.building import cli_reference, python_reference, yaml_reference
from docs.building.blocks import ROOT
from docs.building.markdown import for_site
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_OTHER_PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "examples/README.md": "examples.md",
}
"""Pages of the repository outside of docs/, and their places in the site."""

_targets: dict[str, str] = {}
_sources: dict[str, str] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the parts of the navigation that are named after a folder of reference pages."""
    for section in config.nav or []:
        for title, items in section.items():
            section[title] = _filled(items)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages outside of docs/, and those that are made of the code."""
    _targets.clear()
    _targets.update({f"docs/{file.src_uri}": file.src_uri for file in files})
    for source, target in _OTHER_PAGES.items():
        path = ROOT / source
        if path.is_file():
            files.append(File.generated(config, target, content=path.read_text(encoding="utf-8")))
            _targets[source] = target
    for target, text in _generated().items():
        files.append(File.generated(config, target, content=text))
    _sources.clear()
    _sources.update({target: source for source, target in _targets.items()})
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page's text as Python-Markdown reads it."""
    del config, files
    target = page.file.src_uri
    if target not in _sources:
        return markdown
    return for_site(markdown, _sources[target], target, _targets)


def _generated() -> dict[str, str]:
    return cli_reference.pages() | python_reference.pages() | yaml_reference.pages()


def _filled(items: object) -> object:
    """Items of the navigation, where `FOLDER/` is replaced by the pages of a folder of the reference."""
    if not isinstance(items, list):
        return items
    found: list[object] = []
    for item in items:
        [(title, target)] = item.items()
        if isinstance(target, str) and target.endswith("/"):
            pages = [page for page in _generated() if page.startswith(target)]
            found.append({title: sorted(pages, key=lambda page: not page.endswith("/index.md"))})
        else:
            found.append({title: _filled(target)})
    return found
