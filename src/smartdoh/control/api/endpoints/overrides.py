"""Endpoints about overrides: what the file has, and changes that are written back to it and in force at once."""

from __future__ import annotations

import json
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException

from smartdoh.app.overrides import OverridesFile
from smartdoh.app.overrides_writing import Change, UnwritableError
from smartdoh.control.api import overriding
from smartdoh.control.api.endpoint import Asked, Endpoint, Json, Param
from smartdoh.control.api.shapes import OverrideChange, OverridesShown, OverrideValue
from smartdoh.errors import ConfigError
from smartdoh.rules.overrides import Key, parse_key
from smartdoh.rules.overrides_text import with_value, without

NO_FILE = "no overrides file is configured: set routing.overrides"
NO_VALUE = 'the body is not an object like {"value": "block"}'


async def show(asked: Asked) -> OverridesShown:
    """What the file has, in its order."""
    return await overriding.shown(_file(asked), asked.server.runtime.decisions.overrides)


async def put(asked: Asked) -> OverrideChange:
    """One key gets a value, as the file would have it."""
    value = _value(asked.body)
    return await _change(asked, partial(with_value, value=value))


async def remove(asked: Asked) -> OverrideChange:
    """One key goes."""
    return await _change(asked, without)


async def _change(asked: Asked, make: Any) -> OverrideChange:
    file, key = _file(asked), _key(asked)
    change = overriding.Changed(str(file.path), key, partial(make, key=key))
    await _edit(file, change)
    return change.told()


async def _edit(file: OverridesFile, change: Change) -> None:
    try:
        await file.edit(change)
    except UnwritableError as error:
        raise HTTPException(HTTPStatus.CONFLICT, str(error)) from None
    except KeyError as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"{error} is not overridden") from None


def _file(asked: Asked) -> OverridesFile:
    file = asked.server.runtime.overrides
    if file is None:
        raise HTTPException(HTTPStatus.CONFLICT, NO_FILE)
    return file


def _key(asked: Asked) -> Key:
    try:
        return parse_key(asked.text("key"))
    except ValueError as error:
        raise ConfigError(repr(asked.text("key")), str(error)) from None


def _value(body: bytes) -> object:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise ConfigError("value", NO_VALUE) from None
    if not isinstance(said, dict) or set(said) != {"value"}:
        raise ConfigError("value", NO_VALUE)
    return said["value"]


_KEY = Param(
    "key", "A name with all below it, or with a leading = for itself alone.", example="ads.example.com"
)
_ERRORS: dict[int, str] = {
    HTTPStatus.CONFLICT: "There is no file for overrides, or it is broken or cannot be written."
}

ENDPOINTS = (
    Endpoint(
        "GET",
        "/overrides",
        show,
        "The overrides as their file has them, in its order.",
        Json(OverridesShown),
        errors={HTTPStatus.CONFLICT: "There is no file for overrides."},
    ),
    Endpoint(
        "PUT",
        "/overrides/{key}",
        put,
        "Overrides a name, or gives its override another value: in the file, and in force at once.",
        Json(OverrideChange),
        takes=(_KEY,),
        body=OverrideValue,
        example={"value": "block"},
        errors=_ERRORS,
        workers="own",
    ),
    Endpoint(
        "DELETE",
        "/overrides/{key}",
        remove,
        "Removes the override of a name, from the file and at once.",
        Json(OverrideChange),
        takes=(_KEY,),
        errors={**_ERRORS, HTTPStatus.NOT_FOUND: "The name has no override of its own."},
        workers="own",
    ),
)
