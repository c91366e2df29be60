"""What a new schema version takes away from those who wrote for the one before (OJS Schema Registry 8).

Compared are the schemas' own words, place by place; what cannot be compared (combinations, references) counts as
compatible, so that a finding is always a real one.
"""

from __future__ import annotations

from typing import Any, Final

from engine.jsonschema import pointer

_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


def breaking(old: Any, new: Any) -> list[str]:
    """Breaking changes from one schema to the next, each as a sentence part.

    Args:
        old: The earlier schema.
        new: The later one.
    """
    found: list[str] = []
    _compare(old, new, (), found)
    return found


def _compare(old: Any, new: Any, path: tuple[str, ...], found: list[str]) -> None:
    if not isinstance(old, dict) or not isinstance(new, dict):
        if new is False and old is not False:
            found.append(f"{_at(path)} is no longer allowed")
        return
    _types(old, new, path, found)
    _limits(old, new, path, found)
    _objects(old, new, path, found)
    for keyword in ("items", "additionalProperties"):
        if isinstance(old.get(keyword), dict) and isinstance(new.get(keyword), dict):
            _compare(old[keyword], new[keyword], (*path, keyword), found)
    for before, after in zip(_tuple(old), _tuple(new), strict=False):
        _compare(before, after, (*path, "items"), found)


def _at(path: tuple[str, ...]) -> str:
    return f"'{pointer(path)}'" if path else "the value"


def _tuple(schema: dict[str, Any]) -> list[Any]:
    items = schema.get("prefixItems", schema.get("items"))
    return items if isinstance(items, list) else []


def _allowed(schema: dict[str, Any]) -> set[str] | None:
    kind = schema.get("type")
    if kind is None:
        return None
    names = set(kind) if isinstance(kind, list) else {kind}
    return names | {"integer"} if "number" in names else names


def _types(old: dict[str, Any], new: dict[str, Any], path: tuple[str, ...], found: list[str]) -> None:
    before, after = _allowed(old), _allowed(new)
    if after is not None and (before is None or not before <= after):
        was = "anything" if before is None else " or ".join(sorted(before))
        found.append(f"The type of {_at(path)} changed from {was} to {' or '.join(sorted(after))}")
    before_values, after_values = old.get("enum"), new.get("enum")
    if after_values is not None and (
        before_values is None or any(value not in after_values for value in before_values)
    ):
        found.append(f"Values of {_at(path)} were taken from its enum")


def _limits(old: dict[str, Any], new: dict[str, Any], path: tuple[str, ...], found: list[str]) -> None:
    upper = [name for name in _UPPER if name in new and (name not in old or new[name] < old[name])]
    lower = [name for name in _LOWER if name in new and (name not in old or new[name] > old[name])]
    texts = [name for name in ("pattern", "format", "const") if name in new and new[name] != old.get(name)]
    found.extend(f"'{name}' of {_at(path)} was narrowed to {new[name]}" for name in upper + lower)
    found.extend(f"'{name}' of {_at(path)} was added or changed" for name in texts)


def _objects(old: dict[str, Any], new: dict[str, Any], path: tuple[str, ...], found: list[str]) -> None:
    needed = set(old.get("required", ()))
    found.extend(
        f"Required field '{name}' was added" for name in new.get("required", ()) if name not in needed
    )
    if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
        found.append(f"'additionalProperties' of {_at(path)} was set to false")
    before, after = old.get("properties", {}), new.get("properties", {})
    for name, schema in before.items():
        if name not in after:
            found.append(f"Field '{name}' was removed")
        else:
            _compare(schema, after[name], (*path, name), found)
