"""Is this a JSON Schema that the engine can apply? Told before it is stored, so that no job meets a broken one."""

from __future__ import annotations

from typing import Any, Final

from engine.jsonschema import MAX_DEPTH, pointer, resolve
from engine.patterns import UnsafePattern, compiled

TYPES: Final = frozenset({"null", "boolean", "object", "array", "number", "integer", "string"})
MAX_SUBSCHEMAS: Final = 2000
_ONE: Final = frozenset(
    "items additionalItems additionalProperties propertyNames contains not if then else".split()
)
_LISTS: Final = frozenset({"prefixItems", "allOf", "anyOf", "oneOf"})
_MAPS: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_COUNTS: Final = frozenset(
    "minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains".split()
)
_NUMBERS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_REFUSED: Final = frozenset(
    {"unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef", "dependencies"}
)


class _Fault(Exception):
    """The finding: not an error of the program."""


def problem(schema: Any) -> str | None:
    """What is wrong with a schema, with the place as a JSON pointer; None when it can be applied.

    Args:
        schema: JSON values, as they came.
    """
    walk = _Walk(schema)
    if isinstance(schema, dict) and "2020-12" not in str(schema.get("$schema", "2020-12")):
        return "$schema must reference draft 2020-12"
    try:
        walk.visit(schema, ())
        for reference in walk.references:
            walk.follow(reference)
    except _Fault as fault:
        return str(fault)
    return None


class _Walk:
    def __init__(self, root: Any) -> None:
        self.root = root
        self.count = 0
        self.references: list[str] = []

    def visit(self, schema: Any, path: tuple[str | int, ...]) -> None:
        where = pointer(path) or "the schema"
        if isinstance(schema, bool):
            return
        if not isinstance(schema, dict):
            raise _Fault(f"{where} must be an object, true or false")
        self.count += 1
        if self.count > MAX_SUBSCHEMAS or len(path) > 2 * MAX_DEPTH:
            raise _Fault(f"{where} makes the schema too large or too deep")
        for keyword, value in schema.items():
            self.keyword(keyword, value, (*path, keyword))

    def keyword(self, keyword: str, value: Any, path: tuple[str | int, ...]) -> None:
        where = pointer(path)
        if keyword in _REFUSED:
            raise _Fault(f"{where} is not supported by this server")
        if keyword == "$ref":
            if not isinstance(value, str) or not value.startswith("#"):
                raise _Fault(f"{where} must be a local reference such as '#/$defs/address'")
            self.references.append(value)
        elif keyword in _LISTS or (keyword == "items" and isinstance(value, list)):
            if not isinstance(value, list) or (keyword != "items" and not value):
                raise _Fault(f"{where} must be an array of schemas, not empty")
            for index, item in enumerate(value):
                self.visit(item, (*path, index))
        elif keyword in _ONE:
            self.visit(value, path)
        elif keyword in _MAPS:
            if not isinstance(value, dict):
                raise _Fault(f"{where} must be an object of schemas")
            for name, item in value.items():
                if keyword == "patternProperties":
                    _pattern(name, where)
                self.visit(item, (*path, name))
        else:
            _simple(keyword, value, where)

    def follow(self, reference: str) -> None:
        """Refuse what points nowhere, and a chain of references that never arrives at a schema."""
        seen: set[str] = set()
        here: Any = {"$ref": reference}
        while isinstance(here, dict) and isinstance(here.get("$ref"), str):
            target = here["$ref"]
            if target in seen:
                raise _Fault(f"'$ref': '{target:.80}' refers to itself")
            seen.add(target)
            try:
                here = resolve(self.root, target)
            except (LookupError, TypeError):
                raise _Fault(f"'$ref': '{target:.80}' points to nothing") from None
        if not isinstance(here, bool | dict):
            raise _Fault(f"'$ref': '{reference:.80}' does not point to a schema")


def _pattern(text: Any, where: str) -> None:
    if not isinstance(text, str):
        raise _Fault(f"{where} must be a regular expression")
    try:
        compiled(text)
    except UnsafePattern as error:
        raise _Fault(f"{where}: the pattern '{text:.80}' {error}") from None


def _simple(keyword: str, value: Any, where: str) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if keyword == "type":
        names = value if isinstance(value, list) and value else [value]
        if not all(isinstance(name, str) and name in TYPES for name in names):
            raise _Fault(f"{where} must name JSON types: {', '.join(sorted(TYPES))}")
    elif keyword == "enum" and not isinstance(value, list):
        raise _Fault(f"{where} must be an array")
    elif keyword == "required" and not _strings(value):
        raise _Fault(f"{where} must be an array of property names")
    elif keyword == "dependentRequired" and not (
        isinstance(value, dict) and all(_strings(names) for names in value.values())
    ):
        raise _Fault(f"{where} must be an object of arrays of property names")
    elif keyword in _COUNTS and not (number and value >= 0 and int(value) == value):
        raise _Fault(f"{where} must be a whole number, at least 0")
    elif keyword in _NUMBERS and not (number and (keyword != "multipleOf" or value > 0)):
        raise _Fault(f"{where} must be a number" + (" above 0" if keyword == "multipleOf" else ""))
    elif keyword == "pattern":
        _pattern(value, where)
    elif keyword == "format" and not isinstance(value, str):
        raise _Fault(f"{where} must be a string")
    elif keyword == "uniqueItems" and not isinstance(value, bool):
        raise _Fault(f"{where} must be true or false")


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
