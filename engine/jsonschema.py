"""JSON Schema (draft 2020-12): what in a value breaks a schema, as a list of violations, and nothing else.

One function a keyword, in one table. Of draft 7 the array form of ``items`` is read too, since clients send it.
References are local (``#/$defs/…``). A schema is checked by `engine.schemacheck` before it comes here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from engine.patterns import compiled

MAX_VIOLATIONS: Final = 50
MAX_DEPTH: Final = 64
MAX_STEPS: Final = 100_000
"""Schemas applied in one validation: recursive references cannot go on without end."""

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which a value breaks its schema.

    Args:
        path: Where: member names and indices from the outside in; ``()`` is the whole value.
        keyword: The schema's keyword.
        message: What is wrong, in a sentence part that stands alone.
    """

    path: Path
    keyword: str
    message: str

    def to_dict(self, *root: str | int) -> dict[str, str]:
        """The violation as JSON values (OJS JSON Format 12.4).

        Args:
            root: Where the value stands in its document.
        """
        return {"path": jsonpath((*root, *self.path)), "message": self.message, "keyword": self.keyword}


@dataclass(slots=True)
class _Run:
    root: Any
    found: list[Violation] = field(default_factory=list)
    steps: int = 0

    def add(self, path: Path, keyword: str, message: str) -> None:
        if len(self.found) < MAX_VIOLATIONS:
            self.found.append(Violation(path, keyword, message))

    def holds(self, schema: Any, value: Any, path: Path, depth: int) -> bool:
        """Whether a subschema fits, its violations not reported."""
        trial = _Run(self.root, steps=self.steps)
        _apply(trial, schema, value, path, depth + 1)
        self.steps = trial.steps
        return not trial.found


def validate(schema: Any, value: Any) -> list[Violation]:
    """What breaks the schema, at most `MAX_VIOLATIONS`, in the order of the schema's keywords.

    Args:
        schema: A schema that `engine.schemacheck.problem` finds no fault with.
        value: JSON values.
    """
    run = _Run(schema)
    _apply(run, schema, value, (), 0)
    return run.found


def pointer(path: Path) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def jsonpath(path: Path) -> str:
    """A JSONPath (RFC 9535)."""
    return "$" + "".join(
        f"[{part}]"
        if isinstance(part, int)
        else f".{part}"
        if part.isidentifier()
        else f"[{json.dumps(part)}]"
        for part in path
    )


def resolve(root: Any, reference: str) -> Any:
    """What a local reference points to.

    Raises:
        LookupError: Nothing, or it is not local.
    """
    if not reference.startswith("#"):
        raise LookupError(reference)
    here = root
    for part in reference[1:].split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        here = here[int(key)] if isinstance(here, list) and key.isdecimal() else here[key]
    return here


def type_of(value: Any) -> str:
    """JSON Schema's name of a value's type; a whole number is an integer however it is written."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    names = {float: "number", str: "string", list: "array", dict: "object", type(None): "null"}
    return names.get(type(value), "unknown")


def equal(one: Any, other: Any) -> bool:
    """Equality of JSON values: 1 is 1.0, but not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return bool(one == other)


def named(path: Path) -> str:
    """How a message names the value at a path."""
    if not path:
        return "the value"
    last = path[-1]
    return f"item {last}" if isinstance(last, int) else f"property '{last:.60}'"


def _apply(run: _Run, schema: Any, value: Any, path: Path, depth: int) -> None:
    run.steps += 1
    if schema is True or schema == {}:
        return
    if schema is False:
        run.add(path, "false", f"{named(path)} is not allowed")
        return
    if depth > MAX_DEPTH or run.steps > MAX_STEPS:
        run.add(path, "$ref", f"{named(path)} is nested too deeply to be checked")
        return
    for keyword, expected in schema.items():
        check = _KEYWORDS.get(keyword)
        if check is not None:
            check(run, schema, expected, value, path, depth)


Check = Callable[[_Run, dict[str, Any], Any, Any, Path, int], None]


def _ref(run: _Run, _s: Any, expected: Any, value: Any, path: Path, depth: int) -> None:
    _apply(run, resolve(run.root, expected), value, path, depth + 1)


def _type(run: _Run, _s: Any, expected: Any, value: Any, path: Path, _d: int) -> None:
    allowed = expected if isinstance(expected, list) else [expected]
    got = type_of(value)
    if got not in allowed and not (got == "integer" and "number" in allowed):
        run.add(path, "type", f"{named(path)} must be {' or '.join(allowed)}, got {got}")


def _enum(run: _Run, _s: Any, expected: Any, value: Any, path: Path, _d: int) -> None:
    if not any(equal(value, one) for one in expected):
        run.add(path, "enum", f"{named(path)} must be one of {_shown(expected)}")


def _const(run: _Run, _s: Any, expected: Any, value: Any, path: Path, _d: int) -> None:
    if not equal(value, expected):
        run.add(path, "const", f"{named(path)} must be {_shown(expected)}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "…"


def _bound(keyword: str, words: str, fits: Callable[[Any, Any], bool]) -> Check:
    def check(run: _Run, _s: Any, expected: Any, value: Any, path: Path, _d: int) -> None:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and not fits(value, expected):
            run.add(path, keyword, f"{named(path)} must be {words} {expected}")

    return check


def _size(keyword: str, kind: type, words: str, fits: Callable[[int, int], bool]) -> Check:
    def check(run: _Run, _s: Any, expected: Any, value: Any, path: Path, _d: int) -> None:
        if isinstance(value, kind) and not fits(len(value), expected):  # type: ignore[arg-type]
            run.add(path, keyword, f"{named(path)} must have {words.format(expected)}")

    return check


def _multiple(value: Any, step: Any) -> bool:
    if isinstance(value, int) and isinstance(step, int):
        return bool(value % step == 0)
    share = value / step
    return bool(abs(share - round(share)) < 1e-9)


def _pattern(run: _Run, _s: Any, expected: Any, value: Any, path: Path, _d: int) -> None:
    if not isinstance(value, str):
        return
    pattern = compiled(expected)
    if len(value) > pattern.limit:
        text = f"{named(path)} is too long for this pattern: at most {pattern.limit} characters are matched"
        run.add(path, "pattern", text)
    elif not pattern.matches(value):
        run.add(path, "pattern", f"{named(path)} does not match the pattern {expected}")


def _format(run: _Run, _s: Any, expected: Any, value: Any, path: Path, _d: int) -> None:
    if isinstance(value, str):
        from engine.formats import fits  # noqa: PLC0415 - few schemas name formats

        if not fits(expected, value):
            run.add(path, "format", f"{named(path)} does not match format '{expected}'")


def _required(run: _Run, _s: Any, expected: Any, value: Any, path: Path, _d: int) -> None:
    if isinstance(value, dict):
        for name in expected:
            if name not in value:
                run.add((*path, name), "required", f"required property '{name:.60}' is missing")


def _properties(run: _Run, _s: Any, expected: Any, value: Any, path: Path, depth: int) -> None:
    if isinstance(value, dict):
        for name, schema in expected.items():
            if name in value:
                _apply(run, schema, value[name], (*path, name), depth + 1)


def _pattern_properties(run: _Run, _s: Any, expected: Any, value: Any, path: Path, depth: int) -> None:
    if isinstance(value, dict):
        for text, schema in expected.items():
            for name in value:
                if _named_by(text, name):
                    _apply(run, schema, value[name], (*path, name), depth + 1)


def _named_by(text: str, name: str) -> bool:
    pattern = compiled(text)
    return len(name) <= pattern.limit and pattern.matches(name)


def _additional(run: _Run, schema: dict[str, Any], expected: Any, value: Any, path: Path, depth: int) -> None:
    if not isinstance(value, dict):
        return
    declared, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, item in value.items():
        if name in declared or any(_named_by(text, name) for text in patterns):
            continue
        if expected is False:
            run.add((*path, name), "additionalProperties", f"property '{name:.60}' is not allowed")
        else:
            _apply(run, expected, item, (*path, name), depth + 1)


def _property_names(run: _Run, _s: Any, expected: Any, value: Any, path: Path, depth: int) -> None:
    if isinstance(value, dict):
        for name in value:
            if not run.holds(expected, name, path, depth):
                run.add((*path, name), "propertyNames", f"the name '{name:.60}' is not allowed")


def _prefix_items(run: _Run, _s: Any, expected: Any, value: Any, path: Path, depth: int) -> None:
    if isinstance(value, list):
        for index, (item, schema) in enumerate(zip(value, expected, strict=False)):
            _apply(run, schema, item, (*path, index), depth + 1)


def _items(run: _Run, schema: dict[str, Any], expected: Any, value: Any, path: Path, depth: int) -> None:
    if not isinstance(value, list):
        return
    if isinstance(expected, list):
        _prefix_items(run, schema, expected, value, path, depth)
        return
    first = len(schema.get("prefixItems", ()))
    for index in range(first, len(value)):
        if expected is False:
            run.add((*path, index), "items", f"item {index} is one too many: at most {first} are allowed")
        else:
            _apply(run, expected, value[index], (*path, index), depth + 1)


def _additional_items(
    run: _Run, schema: dict[str, Any], expected: Any, value: Any, path: Path, depth: int
) -> None:
    if isinstance(value, list) and isinstance(schema.get("items"), list):
        for index in range(len(schema["items"]), len(value)):
            _apply(run, expected, value[index], (*path, index), depth + 1)


def _contains(run: _Run, schema: dict[str, Any], expected: Any, value: Any, path: Path, depth: int) -> None:
    if isinstance(value, list):
        count = sum(run.holds(expected, item, path, depth) for item in value)
        least, most = schema.get("minContains", 1), schema.get("maxContains")
        if count < least or (most is not None and count > most):
            limit = f"at least {least}" if count < least else f"at most {most}"
            run.add(path, "contains", f"{named(path)} must contain {limit} matching items, has {count}")


def _unique(run: _Run, _s: Any, expected: Any, value: Any, path: Path, _d: int) -> None:
    if expected and isinstance(value, list):
        for index, item in enumerate(value[:1000]):
            if any(equal(item, earlier) for earlier in value[:index]):
                run.add((*path, index), "uniqueItems", f"item {index} repeats an earlier item")


def _all_of(run: _Run, _s: Any, expected: Any, value: Any, path: Path, depth: int) -> None:
    for schema in expected:
        _apply(run, schema, value, path, depth + 1)


def _any_of(run: _Run, _s: Any, expected: Any, value: Any, path: Path, depth: int) -> None:
    if not any(run.holds(schema, value, path, depth) for schema in expected):
        run.add(path, "anyOf", f"{named(path)} fits none of the {len(expected)} alternatives")


def _one_of(run: _Run, _s: Any, expected: Any, value: Any, path: Path, depth: int) -> None:
    count = sum(run.holds(schema, value, path, depth) for schema in expected)
    if count != 1:
        run.add(
            path, "oneOf", f"{named(path)} must fit exactly one of {len(expected)} alternatives, fits {count}"
        )


def _not(run: _Run, _s: Any, expected: Any, value: Any, path: Path, depth: int) -> None:
    if run.holds(expected, value, path, depth):
        run.add(path, "not", f"{named(path)} fits what the schema excludes")


def _if(run: _Run, schema: dict[str, Any], expected: Any, value: Any, path: Path, depth: int) -> None:
    branch = "then" if run.holds(expected, value, path, depth) else "else"
    _apply(run, schema.get(branch, True), value, path, depth + 1)


def _dependent_required(run: _Run, _s: Any, expected: Any, value: Any, path: Path, depth: int) -> None:
    if isinstance(value, dict):
        for name, needed in expected.items():
            if name in value:
                _required(run, {}, needed, value, path, depth)


def _dependent_schemas(run: _Run, _s: Any, expected: Any, value: Any, path: Path, depth: int) -> None:
    if isinstance(value, dict):
        for name, schema in expected.items():
            if name in value:
                _apply(run, schema, value, path, depth + 1)


_KEYWORDS: Final[dict[str, Check]] = {
    "$ref": _ref,
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": _bound("minimum", "at least", lambda value, limit: value >= limit),
    "maximum": _bound("maximum", "at most", lambda value, limit: value <= limit),
    "exclusiveMinimum": _bound("exclusiveMinimum", "more than", lambda value, limit: value > limit),
    "exclusiveMaximum": _bound("exclusiveMaximum", "less than", lambda value, limit: value < limit),
    "multipleOf": _bound("multipleOf", "a multiple of", _multiple),
    "minLength": _size("minLength", str, "at least {} characters", lambda size, limit: size >= limit),
    "maxLength": _size("maxLength", str, "at most {} characters", lambda size, limit: size <= limit),
    "minItems": _size("minItems", list, "at least {} items", lambda size, limit: size >= limit),
    "maxItems": _size("maxItems", list, "at most {} items", lambda size, limit: size <= limit),
    "minProperties": _size(
        "minProperties", dict, "at least {} properties", lambda size, limit: size >= limit
    ),
    "maxProperties": _size("maxProperties", dict, "at most {} properties", lambda size, limit: size <= limit),
    "pattern": _pattern,
    "format": _format,
    "required": _required,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "propertyNames": _property_names,
    "prefixItems": _prefix_items,
    "items": _items,
    "additionalItems": _additional_items,
    "contains": _contains,
    "uniqueItems": _unique,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
}
