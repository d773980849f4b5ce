"""The reference of the YAML files that users write, made of the JSON Schemas that check them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from docs.building.markdown import prose

from phraseproof.cli.schema import SchemaName, schema_of

FOLDER = "reference/yaml"

_TITLES: Final = {
    SchemaName.TASK: ("Task files", "tasks"),
    SchemaName.COLLECTION: ("Collections of wordings", "wordings"),
    SchemaName.RUN: ("Config files", "config"),
}
"""Title, and the page that explains the file."""


def pages() -> dict[str, str]:
    """Paths in the site's source, and their Markdown: a page per kind of file."""
    return {f"{FOLDER}/{name}.md": _page(name) for name in SchemaName}


def _page(name: SchemaName) -> str:
    schema: Any = schema_of(name)
    title, explained = _TITLES[name]
    lines = [
        f"# {title}",
        "",
        f"Every field, made of the JSON Schema that `phraseproof schema {name.value}` prints for editors.",
        f"[{explained}](../../{explained}.md) explains the file with examples.",
        "",
        *_fields(schema, schema.get("$defs", {})),
    ]
    for kind, found in schema.get("$defs", {}).items():
        if "properties" in found:
            lines += [f"## {kind}", "", prose(found.get("description", ""), FOLDER), ""]
            lines += _fields(found, schema["$defs"])
    return "\n".join(lines)


def _fields(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[str]:
    """The fields of a mapping as a definition list."""
    lines: list[str] = []
    for name, found in schema["properties"].items():
        lines += [f"`{name}` *{prose(_type(found, definitions), FOLDER)}*", f":   {_text(found)}"]
        facts: list[str] = []
        if name in schema.get("required", ()):
            facts.append("Required.")
        elif found.get("default") not in (None, "", [], {}) and "$ref" not in found:
            facts.append(f"Default: `{_written(found['default'])}`.")
        if examples := found.get("examples"):
            facts.append(f"Examples: {', '.join(f'`{_written(each)}`' for each in examples)}.")
        if facts:
            lines += ["", f"    {' '.join(facts)}"]
        lines.append("")
    return lines


def _text(found: Mapping[str, Any]) -> str:
    text: str = found.get("description") or ""
    return prose(text[:1].upper() + text[1:] if text.startswith(("the ", "whether ", "an ", "a ")) else text, FOLDER)


def _type(found: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """The type of a field in words."""
    if "$ref" in found:
        name = found["$ref"].rpartition("/")[2]
        values = definitions[name].get("enum")
        return " or ".join(values) if values else f"a mapping ({name})"
    if "const" in found:
        return _written(found["const"])
    if "enum" in found:
        return " or ".join(_written(each) for each in found["enum"])
    if options := found.get("anyOf") or found.get("oneOf"):
        return " or ".join(dict.fromkeys(_type(each, definitions) for each in options if each.get("type") != "null"))
    if found.get("type") == "array":
        items = found.get("items")
        return f"a list ({_type(items, definitions)})" if items else "a list"
    if found.get("type") == "object":
        return "a mapping"
    words = {"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
    return words.get(found.get("type", ""), "any value")


def _written(value: object) -> str:
    """A value as YAML's flow style, which is JSON with fewer quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
