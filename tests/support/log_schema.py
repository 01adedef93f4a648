"""A line of the event log against the published schema: just the part of JSON schema that it uses."""

import re
from functools import cache
from typing import Any

from holdfast.observe.schema import schema

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "null": (type(None),),
}


@cache
def _definitions() -> dict[str, Any]:
    found: dict[str, Any] = schema()["$defs"]
    return found


def fits(line: dict[str, Any]) -> list[str]:
    """Return what is wrong with a line; stricter than the schema: no field that it does not name."""
    definitions = _definitions()
    kind = "stub" if "stub" in line else line.get("event", "")
    if kind not in definitions:
        return [f"there is no event {kind}"]
    known = {} if kind == "stub" else definitions["envelope"]["properties"]
    shapes = {**known, **definitions[kind]["properties"]}
    required = [*definitions[kind]["required"], *(definitions["envelope"]["required"] if kind != "stub" else ())]
    wrong = [f"{name} is missing" for name in required if name not in line]
    for name, value in line.items():
        if name not in shapes:
            wrong.append(f"{name} is not in the schema")
        elif said := _misfit(value, {**known.get(name, {}), **shapes[name]}):
            wrong.append(f"{name} {said}")
    return wrong


def _misfit(value: Any, shape: dict[str, Any]) -> str:
    if "anyOf" in shape:
        return "" if any(not _misfit(value, one) for one in shape["anyOf"]) else "is of no allowed type"
    if "const" in shape and value != shape["const"]:
        return f"is not {shape['const']}"
    if "enum" in shape and value not in shape["enum"]:
        return f"is none of {shape['enum']}"
    kind = shape.get("type")
    if kind is not None and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return f"is no {kind}"
    if "pattern" in shape and not re.search(shape["pattern"], value):
        return "does not match"
    return "; ".join(filter(None, (_misfit(one, shape["items"]) for one in value))) if kind == "array" else ""
