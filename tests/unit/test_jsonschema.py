"""The JSON Schema validator: each keyword accepts what it should, and says precisely what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from engine.jsonschema import validate
from engine.schemacheck import problem

CASES: list[tuple[Any, Any, Any]] = [
    # schema, a value that fits, one that does not
    ({"type": "string"}, "a", 1),
    ({"type": "integer"}, 2.0, 2.5),
    ({"type": "number"}, 2, True),
    ({"type": ["null", "boolean"]}, None, 0),
    ({"enum": [1, "a"]}, 1.0, True),
    ({"const": {"a": [1]}}, {"a": [1.0]}, {"a": [2]}),
    ({"minimum": 1}, 1, 0.5),
    ({"maximum": 1}, 1, 2),
    ({"exclusiveMinimum": 1}, 1.5, 1),
    ({"exclusiveMaximum": 1}, 0, 1),
    ({"multipleOf": 0.1}, 0.3, 0.35),
    ({"multipleOf": 3}, 9, 10),
    ({"minLength": 2}, "ab", "a"),
    ({"maxLength": 2}, "ab", "abc"),
    ({"pattern": "^[A-Z]{3}$"}, "EUR", "eur"),
    ({"pattern": "^a$"}, "a", "a\n"),
    ({"format": "email"}, "a@example.com", "not-an-email"),
    ({"format": "date-time"}, "2026-01-01T00:00:00Z", "2026-01-01"),
    ({"format": "date"}, "2026-02-28", "2026-02-30"),
    ({"format": "time"}, "12:00:00Z", "25:00:00Z"),
    ({"format": "duration"}, "PT5M", "5 minutes"),
    ({"format": "uri"}, "https://example.com/a", "no uri"),
    ({"format": "uuid"}, "019503e1-7b2a-7000-8000-000000000001", "019503e1"),
    ({"format": "ipv4"}, "10.0.0.1", "10.0.0.256"),
    ({"format": "ipv6"}, "::1", "1"),
    ({"format": "hostname"}, "a-b.example", "-a"),
    ({"minItems": 1}, [0], []),
    ({"maxItems": 1}, [0], [0, 0]),
    ({"uniqueItems": True}, [1, True], [1, 1.0]),
    ({"prefixItems": [{"type": "string"}], "items": False}, ["a"], ["a", 1]),
    ({"items": [{"type": "string"}], "additionalItems": False}, ["a"], ["a", 1]),
    ({"items": {"type": "integer"}}, [1, 2], [1, "2"]),
    ({"contains": {"const": 1}, "maxContains": 1}, [1, 2], [1, 1]),
    ({"required": ["a"]}, {"a": None}, {}),
    ({"properties": {"a": {"type": "string"}}}, {"b": 1}, {"a": 1}),
    ({"properties": {"a": True}, "additionalProperties": False}, {"a": 1}, {"b": 1}),
    (
        {"patternProperties": {"^x": {"type": "null"}}, "additionalProperties": False},
        {"xa": None},
        {"y": None},
    ),
    ({"propertyNames": {"maxLength": 1}}, {"a": 1}, {"ab": 1}),
    ({"minProperties": 1, "maxProperties": 1}, {"a": 1}, {}),
    ({"dependentRequired": {"a": ["b"]}}, {"a": 1, "b": 1}, {"a": 1}),
    ({"dependentSchemas": {"a": {"required": ["b"]}}}, {"b": 1}, {"a": 1}),
    ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, 2, 3),
    ({"anyOf": [{"type": "null"}, {"minimum": 1}]}, None, 0),
    ({"oneOf": [{"minimum": 1}, {"maximum": 5}]}, 6, 3),
    ({"not": {"type": "string"}}, 1, "a"),
    ({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"minimum": 1}}, "a", 0),
    ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}, "a", 1),
    (False, None, 1),
]


@pytest.mark.parametrize(("schema", "good", "bad"), CASES[:-1])
def test_each_keyword_tells_what_fits_from_what_does_not(schema: Any, good: Any, bad: Any) -> None:
    assert problem(schema) is None
    assert validate(schema, good) == []
    assert len(validate(schema, bad)) >= 1


def test_false_allows_nothing() -> None:
    assert [one.keyword for one in validate(False, 1)] == ["false"]


def test_violations_name_place_keyword_and_reason() -> None:
    schema = {
        "type": "array",
        "prefixItems": [
            {
                "type": "object",
                "required": ["currency"],
                "properties": {"amount": {"type": "integer"}},
                "additionalProperties": False,
            }
        ],
    }
    found = [one.to_dict() for one in validate(schema, [{"amount": "9", "a/b": 1}])]
    assert found == [
        {
            "path": "$[0].currency",
            "message": "required property 'currency' is missing",
            "keyword": "required",
        },
        {
            "path": "$[0].amount",
            "message": "property 'amount' must be integer, got string",
            "keyword": "type",
        },
        {
            "path": '$[0]["a/b"]',
            "message": "property 'a/b' is not allowed",
            "keyword": "additionalProperties",
        },
    ]


def test_recursive_schemas_check_recursive_values() -> None:
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["id"]}
    assert problem(schema) is None
    assert validate(schema, {"id": 1, "next": {"id": 2}}) == []
    assert validate(schema, {"id": 1, "next": {}})[0].path == ("next", "id")


def test_violations_are_bounded() -> None:
    assert len(validate({"items": {"type": "string"}}, [1] * 1000)) == 50


@pytest.mark.parametrize(
    ("schema", "part"),
    [
        ("text", "must be an object"),
        ({"type": "text"}, "/type must name JSON types"),
        ({"properties": {"a": 1}}, "/properties/a must be an object"),
        ({"required": "a"}, "/required"),
        ({"minLength": -1}, "/minLength"),
        ({"multipleOf": 0}, "/multipleOf"),
        ({"pattern": "("}, "/pattern"),
        ({"pattern": "(a+)+$"}, "exponential"),
        ({"$ref": "https://example.com/schema"}, "/$ref must be a local reference"),
        ({"$ref": "#/$defs/none"}, "points to nothing"),
        ({"$ref": "#"}, "refers to itself"),
        ({"unevaluatedProperties": False}, "not supported"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "draft 2020-12"),
        ({"allOf": []}, "not empty"),
        ({"enum": "a"}, "/enum"),
    ],
)
def test_a_broken_schema_is_told_with_its_place(schema: Any, part: str) -> None:
    assert part in str(problem(schema))
