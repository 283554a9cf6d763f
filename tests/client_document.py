"""The server's own OpenAPI document, read as the operations and types that the client's methods are written from."""

from __future__ import annotations

import keyword
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
BY_ITSELF = frozenset({"authorization", "idempotency-key", "if-none-match"})
"""Headers that the client sets without being asked, or has no use for."""
Json = Mapping[str, Any]


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of a server with nothing in it."""
    from control_plane.app import create_app
    from control_plane.settings import Settings

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(home=Path(folder)))
        try:
            document: dict[str, Any] = app.openapi()
            return document
        finally:
            app.state.plane.close()


@dataclass(frozen=True)
class Argument:
    """One argument of a method: where it goes, its name on the wire and in Python, its type, whether it must be."""

    place: str
    wire: str
    type: str
    required: bool

    @property
    def name(self) -> str:
        """The name in Python."""
        text = re.sub(r"\W", "_", self.wire).lower() if self.place == "header" else re.sub(r"\W", "_", self.wire)
        return f"{text}_" if keyword.iskeyword(text) or text == "body" else text


@dataclass(frozen=True)
class Operation:
    """One operation: how it is called, and the records that it speaks of."""

    group: str
    name: str
    method: str
    path: str
    says: str
    arguments: tuple[Argument, ...]
    answer: str
    paged: bool
    has_body: bool
    records: frozenset[str]


@dataclass
class Types:
    """From schemas to types; `used` collects the records that a type names."""

    schemas: Mapping[str, Json]
    names: Mapping[str, str]
    used: set[str] = field(default_factory=set)

    def of(self, schema: Json, *, argument: bool = False) -> str:
        """Return the type of a schema; what is given is a sequence where what comes back is a tuple."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if isinstance(self.schemas[name].get("enum"), list):
                return self.of(self.schemas[name])
            self.used.add(name)
            return self.names[name]
        if "anyOf" in schema or "oneOf" in schema:
            found = dict.fromkeys(self.of(one, argument=argument) for one in schema.get("anyOf") or schema["oneOf"])
            return " | ".join(sorted(found, key=lambda one: one == "None"))
        if "const" in schema or "enum" in schema:
            values = schema["enum"] if "enum" in schema else [schema["const"]]
            return f"Literal[{', '.join(map(repr, values))}]"
        if isinstance(schema.get("type"), list):
            return " | ".join(self.of({**schema, "type": one}, argument=argument) for one in schema["type"])
        return self._plain(schema, argument=argument)

    def _plain(self, schema: Json, *, argument: bool) -> str:
        kind = schema.get("type")
        if kind == "array":
            if "prefixItems" in schema:
                return f"tuple[{', '.join(self.of(one, argument=argument) for one in schema['prefixItems'])}]"
            inner = self.of(schema.get("items", {}), argument=argument)
            return f"Sequence[{inner}]" if argument else f"tuple[{inner}, ...]"
        if kind == "object":
            inner_schema = schema.get("additionalProperties", True)
            inner = self.of(inner_schema, argument=argument) if isinstance(inner_schema, dict) else "Any"
            return f"Mapping[str, {inner}]"
        if kind == "string":
            formats = {"date-time": "datetime", "date": "date", "binary": "bytes"}
            return formats.get(schema.get("format", ""), "str")
        return {"integer": "int", "number": "float", "boolean": "bool", "null": "None"}.get(str(kind), "Any")


def record_names(schemas: Iterable[str]) -> dict[str, str]:
    """Return the Python name of each schema; a long one is cut to what tells it apart."""
    short = {name: re.sub(r"\W", "", name.split("__")[-1].removesuffix("-Output")) for name in schemas}
    names = {}
    for name, cut in short.items():
        twins = [other for other in short if short[other] == cut]
        above = "" if len(twins) == 1 else "".join(part.title().replace("_", "") for part in name.split("__")[-2:-1])
        names[name] = above + cut
    assert len(set(names.values())) == len(names), "expected a name of its own for each record"
    return names


def operations(document: Json) -> tuple[list[Operation], Types]:
    """Return every operation, and the types that they speak of."""
    schemas = document.get("components", {}).get("schemas", {})
    types = Types(schemas, record_names(schemas))
    found = []
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and is_for_programs(item[method]):
                types.used = set()
                found.append(_operation(types, (method, path), item[method]))
    taken: set[tuple[str, str]] = set()
    for one in found:
        assert (one.group, one.name) not in taken, f"two operations are called {one.group}.{one.name}"
        taken.add((one.group, one.name))
    return found, types


def is_for_programs(told: Json) -> bool:
    """Return whether an operation answers programs of people; one that only redirects is for browsers."""
    return any(status.startswith("2") for status in told["responses"]) and "devices" not in told.get("tags", ())


def _operation(types: Types, where: tuple[str, str], told: Json) -> Operation:
    method, path = where
    arguments = [*_parameters(types, told), *_members(types, told)]
    answer, paged = _answer(types, told, {argument.wire for argument in arguments if argument.place == "query"})
    if paged:
        arguments = [argument for argument in arguments if argument.wire != "cursor"]
    group = re.sub(r"\W", "_", path.split("/")[2])
    return Operation(
        group,
        _name(group, path, told["operationId"], many=answer.startswith("tuple[")),
        method.upper(),
        path,
        told.get("description") or f"{told['summary']}.",
        tuple(arguments),
        answer,
        paged,
        "requestBody" in told,
        frozenset(types.used),
    )


def _name(group: str, path: str, operation_id: str, *, many: bool) -> str:
    """Return the name of a method: that of the route's function, without what the group says already."""
    suffix = re.sub(r"\W", "_", path)
    function = operation_id.rpartition(suffix)[0] or operation_id
    single = group.removesuffix("s")
    if function == f"list_{group}" or (function == group and many):
        return "list"
    if function in {group, single, f"show_{single}", f"get_{single}"}:
        return "get"
    for prefix in (f"{group}_", f"{single}_"):
        function = function.removeprefix(prefix)
    return f"{function}_" if keyword.iskeyword(function) else function


def _parameters(types: Types, told: Json) -> Iterator[Argument]:
    for one in told.get("parameters", ()):
        if one["name"].lower() not in BY_ITSELF:
            kind = types.of(one["schema"], argument=True)
            yield Argument(one["in"], one["name"], kind, one.get("required", False))


def _members(types: Types, told: Json) -> Iterator[Argument]:
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if not body:
        return
    assert "$ref" in body, f"expected a body of its own class in {told['operationId']}"
    schema = types.schemas[body["$ref"].rpartition("/")[2]]
    needed = set(schema.get("required", ())) if told["requestBody"].get("required") else set()
    for name, member in schema.get("properties", {}).items():
        yield Argument("body", name, types.of(member, argument=True), name in needed)


def _answer(types: Types, told: Json, query: set[str]) -> tuple[str, bool]:
    done = next(answer for status, answer in told["responses"].items() if status.startswith("2"))
    content = done.get("content")
    if not content:
        return ("None" if "204" in told["responses"] else "bytes"), False
    if "application/json" not in content:
        return ("str" if next(iter(content)).startswith("text/") else "bytes"), False
    schema = content["application/json"]["schema"]
    return types.of(schema), "cursor" in query and schema.get("type") == "array"
