"""The API's table as an OpenAPI 3.1 document, with the shapes as JSON Schema."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from smartdoh import __version__
from smartdoh.control.api.endpoint import FALSE, REQUIRED, TRUE, Endpoint, Json, Lines, Param
from smartdoh.control.api.shapes import Problem

SHAPES = "#/components/schemas/{model}"
ALWAYS = {  # statuses that any request may get
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The headers are too large.",
}
_KINDS = {str: "string", int: "integer", float: "number"}


@lru_cache(maxsize=1)
def document(endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    """The document; what it holds is shared, and not to be changed."""
    schemas, definitions = _schemas(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "smartdoh",
            "version": __version__,
            "description": "A running smartdoh, looked into and steered over its control socket.",
        },
        "paths": paths,
        "components": {"schemas": definitions},
    }


def _schemas(endpoints: tuple[Endpoint, ...]) -> tuple[dict[int, Any], dict[str, Any]]:
    """The JSON Schema of each shape, by the shape's id, and the definitions that these refer to."""
    shapes = {id(shape): shape for endpoint in endpoints for shape in _shapes_of(endpoint)}
    shapes[id(Problem)] = Problem
    wanted = [(str(key), "serialization", TypeAdapter(shape)) for key, shape in shapes.items()]
    made, defined = TypeAdapter.json_schemas(wanted, ref_template=SHAPES)  # type: ignore[arg-type] # a str is no Literal
    return {int(key): schema for (key, _), schema in made.items()}, defined.get("$defs", {})


def _shapes_of(endpoint: Endpoint) -> list[Any]:
    gives = endpoint.gives
    shapes = [gives.shape] if isinstance(gives, (Json, Lines)) else list(gives.shapes.values())
    return [*shapes, endpoint.body] if endpoint.body is not None else shapes


def _operation(endpoint: Endpoint, schemas: dict[int, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.does,
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.takes:
        said["parameters"] = [_parameter(endpoint, param) for param in endpoint.takes]
    if endpoint.body is not None:
        content = {"application/json": {"schema": schemas[id(endpoint.body)], "example": endpoint.example}}
        said["requestBody"] = {"required": True, "content": content}
    return said


def _responses(endpoint: Endpoint, schemas: dict[int, Any]) -> dict[str, Any]:
    errors = dict(ALWAYS) | dict(endpoint.errors)
    errors.setdefault(HTTPStatus.BAD_REQUEST, "The request makes no sense, for this reason.")
    problem = {"application/json": {"schema": schemas[id(Problem)]}}
    found: dict[str, Any] = {"200": {"description": endpoint.does, "content": _content(endpoint, schemas)}}
    for status in sorted(errors):
        found[str(int(status))] = {"description": errors[status], "content": problem}
    return found


def _content(endpoint: Endpoint, schemas: dict[int, Any]) -> dict[str, Any]:
    """What comes back. A stream is text to OpenAPI 3.1; `x-line` and `x-events` say what its parts are."""
    gives = endpoint.gives
    if isinstance(gives, Json):
        return {"application/json": {"schema": schemas[id(gives.shape)]}}
    text = {"schema": {"type": "string"}}
    if isinstance(gives, Lines):
        return {"application/jsonl": {**text, "x-line": schemas[id(gives.shape)]}}
    events = {name: schemas[id(shape)] for name, shape in gives.shapes.items()}
    return {"text/event-stream": {**text, "x-events": events}}


def _parameter(endpoint: Endpoint, param: Param) -> dict[str, Any]:
    return {
        "name": param.name,
        "in": "path" if endpoint.is_in_path(param) else "query",
        "required": param.default is REQUIRED,
        "description": param.meaning,
        "schema": _schema(endpoint, param),
        **({"example": param.example} if param.example is not None else {}),
    }


def _schema(endpoint: Endpoint, param: Param) -> dict[str, Any]:
    if param.kind is bool:
        return {"type": "string", "enum": [*TRUE, *FALSE], "default": (TRUE if param.default else FALSE)[0]}
    schema: dict[str, Any] = {"type": _KINDS[param.kind]}
    if param.default is not REQUIRED and param.default is not None:
        schema["default"] = param.default
    if endpoint.is_in_path(param):
        schema["minLength"] = 1
    bounds = (("minimum", param.least), ("maximum", param.most))
    schema |= {word: bound for word, bound in bounds if bound is not None}
    return schema | ({"enum": list(param.among)} if param.among else {})
