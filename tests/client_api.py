"""The methods and records of `control_plane.client`, written from the server's own OpenAPI document.

`make docs` writes them (`python -m tests.client_api --write`); tests/client/test_api.py holds the files to the routes,
so that a route without a method is found. What is written is meant to be read: one function an operation, one frozen
dataclass a record.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
CLIENT = ROOT / "control_plane" / "client"
METHODS = ("get", "post", "put", "patch", "delete")
BY_ITSELF = frozenset({"authorization", "idempotency-key", "if-none-match"})
"""Headers that the client sets without being asked, or has no use for."""
NOT_SHOWN = frozenset({"HTTPValidationError", "ValidationError"})
LONGEST = 116
MOST_IN_A_FILE = 16
_AS_TYPE = r"(?:\[|: |\| |, |-> ){}(?=[\],)|:\n]| [|=])"
STANDARD = {
    "collections.abc": {"Mapping": r"\bMapping\[", "Sequence": r"\bSequence\["},
    "dataclasses": {"dataclass": "@dataclass", "field": r"= field\("},
    "datetime": {"date": _AS_TYPE.format("date"), "datetime": _AS_TYPE.format("datetime")},
    "typing": {"Any": _AS_TYPE.format("Any"), "Literal": r"\bLiteral\["},
}
"""What files import of the standard library, and by what it shows that they use it."""
CALLS = (
    *("AsyncGroup", "Call", "Group", "Paged"),
    *("given", "later", "later_items", "now", "now_items", "segment"),
)
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
    """Return whether an operation answers programs; one that only redirects is for browsers."""
    return any(status.startswith("2") for status in told["responses"])


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


def files(document: Json) -> dict[str, str]:
    """Return the text of every file of the client that is written from the document, by its path in the client."""
    found, types = operations(document)
    groups: dict[str, list[Operation]] = {}
    for one in found:
        groups.setdefault(one.group, []).append(one)
    homes = _homes(types, groups)
    made: dict[str, str] = {}
    for group, ones in groups.items():
        made |= _group_files(group, ones, (types, homes))
    made["api/__init__.py"] = _api_index(groups)
    for home in sorted(set(homes.values())):
        made[f"records/{home}.py"] = _records_file(types, homes, home)
    made["records/__init__.py"] = _records_index(types, homes)
    return _formatted(made)


def _homes(types: Types, groups: Mapping[str, list[Operation]]) -> dict[str, str]:
    """Return the module of each record: that of its group, or `shared` where several groups speak of it."""
    homes: dict[str, str] = {}
    for group, ones in groups.items():
        for name in _reached(types, {record for one in ones for record in one.records} - NOT_SHOWN):
            homes[name] = group if homes.get(name, group) == group else "shared"
    return homes


def _reached(types: Types, names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    todo = set(names)
    while todo:
        name = todo.pop()
        found.add(name)
        types.used = set()
        for member in types.schemas[name].get("properties", {}).values():
            types.of(member)
        todo |= types.used - found
    return found


def _imports(text: str, types: Types, homes: Mapping[str, str], *, here: str = "") -> str:
    """Return the imports that a file needs."""
    standard = []
    for module, names in STANDARD.items():
        found = [name for name, used in names.items() if re.search(used, text)]
        standard += [f"from {module} import {', '.join(found)}"] * bool(found)
    ours = []
    calls = [name for name in CALLS if re.search(rf"\b{name}[\[()]", text)]
    ours += [f"from control_plane.client.calls import {', '.join(calls)}"] * ("Call(" in text)
    by_home: dict[str, list[str]] = {}
    for name, home in homes.items():
        if home != here and re.search(rf"\b{types.names[name]}\b", text):
            by_home.setdefault(home, []).append(types.names[name])
    ours += [
        f"from control_plane.client.records.{home} import {', '.join(sorted(by_home[home]))}"
        for home in sorted(by_home)
    ]
    blocks = [["from __future__ import annotations"], standard, ours]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n\n"


def _group_files(group: str, ones: list[Operation], known: tuple[Types, dict[str, str]]) -> dict[str, str]:
    """Return the files of a group: one, or with many operations a second one for those that only read."""
    title, where = f"{_title(group)}Api", ones[0].path.split("/")[2]
    apart = [one for one in ones if one.method == "GET"] if len(ones) > MOST_IN_A_FILE else []
    functions = {one.name: f"reading.read_{one.name}" if one in apart else f"_{one.name}" for one in ones}
    lines = {
        word: "\n".join(f"    {one.name} = {word}{'_items' * one.paged}({functions[one.name]})" for one in ones)
        for word in ("now", "later")
    }
    classes = (
        f'class {title}(Group):\n    """`/v1/{where}`, one call after the other."""\n\n{lines["now"]}\n\n\n'
        f'class Async{title}(AsyncGroup):\n    """The same for `await`."""\n\n{lines["later"]}\n'
    )
    text = "\n\n".join([*(_function(one, f"_{one.name}") for one in ones if one not in apart), f"\n{classes}"])
    head = f'"""`/v1/{where}`: each operation as a call. Written by `tests.client_api`."""\n\n'
    imports = _imports(text, *known)
    if apart:
        ours = "from control_plane.client.api import " + f"{group}_reading as reading\n"
        imports = imports.replace("from control_plane.client.calls", f"{ours}from control_plane.client.calls")
    first, second = sorted([title, f"Async{title}"])
    files = {f"api/{group}.py": f'{head}{imports}__all__ = ["{first}", "{second}"]\n\n\n{text}'}
    if apart:
        text = "\n\n".join(_function(one, f"read_{one.name}") for one in apart)
        listed = ", ".join(f'"read_{name}"' for name in sorted(one.name for one in apart))
        head = f'"""`/v1/{where}`: what only reads. Written by `tests.client_api`."""\n\n'
        files[f"api/{group}_reading.py"] = f"{head}{_imports(text, *known)}__all__ = [{listed}]\n\n\n{text}"
    return files


def _title(group: str) -> str:
    return group.title().replace("_", "")


def _function(one: Operation, name: str) -> str:
    by_place = [a for a in one.arguments if a.place == "path"]
    rest = [a for a in one.arguments if a.place != "path"]
    rest = [a for a in rest if a.required] + [a for a in rest if not a.required]
    signature = [f"{a.name}: {a.type}" for a in by_place]
    signature += ["*"] * bool(rest) + [_declared(a) for a in rest]
    path = one.path
    for argument in by_place:
        path = path.replace("{" + argument.wire + "}", "{segment(" + argument.name + ")}")
    text = f'f"{path}"' if by_place else f'"{path}"'
    answer = one.answer
    parts = [repr(one.method), text, "type(None)" if answer == "None" else answer]
    parts += [f"query={_values(rest, 'query')}"] * any(a.place == "query" for a in rest)
    parts += [f"headers={_values(rest, 'header')}"] * any(a.place == "header" for a in rest)
    parts += [f"body={_values(rest, 'body')}"] * one.has_body
    inner = re.fullmatch(r"tuple\[(.*), \.\.\.\]", answer) if one.paged else None
    kind = f"Paged[{inner[1]}]" if inner else f"Call[{answer}]"
    made = f"Call({', '.join(parts)})"
    made = f"Paged({made})" if inner else made
    return f"def {name}({', '.join(signature)}) -> {kind}:\n{_docstring(one.says, 4)}\n    return {made}\n"


def _declared(argument: Argument) -> str:
    if argument.required:
        return f"{argument.name}: {argument.type}"
    kind = argument.type if argument.type.endswith("None") else f"{argument.type} | None"
    return f"{argument.name}: {kind} = None"


def _values(arguments: Iterable[Argument], place: str) -> str:
    ones = [a for a in arguments if a.place == place]
    if all(a.name == a.wire for a in ones):
        return f"given({', '.join(f'{a.name}={a.name}' for a in ones)})"
    return "given(**{" + ", ".join(f'"{a.wire}": {a.name}' for a in ones) + "})"


def _docstring(text: str, indent: int) -> str:
    space = " " * indent
    first, *rest = [line.strip() for line in text.replace("\\", "\\\\").strip().split("\n")]
    wrapped = textwrap.wrap(first, LONGEST - indent) or [""]
    lines = [*wrapped, *(w for line in rest for w in (textwrap.wrap(line, LONGEST - indent) or [""]))]
    if len(lines) == 1:
        return f'{space}"""{lines[0]}"""'
    if lines[1]:
        lines.insert(1, "") if lines[0].endswith(".") else None
    return (
        f'{space}"""' + "\n".join([lines[0], *(space + line if line else "" for line in lines[1:])]) + f'\n{space}"""'
    )


def _records_file(types: Types, homes: Mapping[str, str], home: str) -> str:
    names = sorted((name for name in homes if homes[name] == home), key=lambda name: types.names[name])
    text = "\n\n".join(_record(types, name) for name in names)
    where = "several parts of `/v1`" if home == "shared" else f"`/v1/{home}`"
    head = f'"""The records of {where}. Written by `tests.client_api`."""\n\n'
    listed = ", ".join(f'"{types.names[name]}"' for name in names)
    return head + _imports(text, types, homes, here=home) + f"__all__ = [{listed}]\n\n\n" + text


def _record(types: Types, name: str) -> str:
    schema = types.schemas[name]
    needed = schema.get("required", ())
    members = {key: types.of(member) for key, member in schema.get("properties", {}).items()}
    ordered = sorted(members, key=lambda key: key not in needed)
    lines = [
        f"    {key}: {members[key]}"
        + ("" if key in needed else f" = {_default(schema['properties'][key], members[key])}")
        for key in ordered
    ]
    says = schema.get("description") or f"{types.names[name]}."
    body = "\n".join(lines)
    return f"@dataclass(frozen=True, slots=True)\nclass {types.names[name]}:\n{_docstring(says, 4)}\n\n{body}\n"


def _default(schema: Json, kind: str) -> str:
    """Return what a member is where the server leaves it out."""
    value = schema.get("default")
    if isinstance(value, list) or (value is None and kind.startswith("tuple")):
        return "()"
    if isinstance(value, dict) or (value is None and kind.startswith("Mapping")):
        return "field(default_factory=dict)"
    if isinstance(value, str) and len(value) > LONGEST // 2:
        return '""'
    if value is None and not kind.endswith(("Any", "None")):
        return {"str": '""', "int": "0", "bool": "False", "float": "0.0"}[kind]
    return repr(value)


def _api_index(groups: Mapping[str, list[Operation]]) -> str:
    titles = {group: f"{_title(group)}Api" for group in sorted(groups)}
    imports = "\n".join(
        f"from control_plane.client.api.{group} import {', '.join(sorted([title, f'Async{title}']))}"
        for group, title in titles.items()
    )
    now_lines = "\n".join(f"        self.{group} = {title}(sender)" for group, title in titles.items())
    later_lines = "\n".join(f"        self.{group} = Async{title}(sender)" for group, title in titles.items())
    return (
        '"""Every operation of `/v1`, by the first word of its path. Written by `tests.client_api`."""\n\n'
        "from __future__ import annotations\n\n"
        f"{imports}\nfrom control_plane.client.calls import AsyncSender, Sender\n\n"
        '__all__ = ["AsyncOperations", "Operations"]\n\n\n'
        f'class Operations:\n    """The operations, one call after the other."""\n\n'
        f"    def __init__(self, sender: Sender) -> None:\n{now_lines}\n\n\n"
        f'class AsyncOperations:\n    """The operations, for `await`."""\n\n'
        f"    def __init__(self, sender: AsyncSender) -> None:\n{later_lines}\n"
    )


def _records_index(types: Types, homes: Mapping[str, str]) -> str:
    by_home: dict[str, list[str]] = {}
    for name, home in homes.items():
        by_home.setdefault(home, []).append(types.names[name])
    imports = "\n".join(
        f"from control_plane.client.records.{home} import {', '.join(sorted(names))}"
        for home, names in sorted(by_home.items())
    )
    listed = ", ".join(f'"{name}"' for name in sorted(types.names[name] for name in homes))
    head = '"""The records that a server answers with. Written by `tests.client_api`."""'
    return f"{head}\n\n{imports}\n\n__all__ = [{listed}]\n"


def _formatted(made: Mapping[str, str]) -> dict[str, str]:
    """Return the files as ruff writes them."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in made.items():
            (Path(folder) / path).parent.mkdir(exist_ok=True)
            (Path(folder) / path).write_text(text, encoding="utf-8")
        options = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", "--quiet"]
        subprocess.run([sys.executable, "-m", "ruff", "format", *options, folder], check=True)
        return {path: (Path(folder) / path).read_text("utf-8") for path in made}


def stale(made: Mapping[str, str]) -> list[str]:
    """Return the files of the client that are not what the document says."""
    there = {str(path.relative_to(CLIENT)) for part in ("api", "records") for path in (CLIENT / part).glob("*.py")}
    wrong = [path for path, text in made.items() if path not in there or (CLIENT / path).read_text("utf-8") != text]
    return sorted({*wrong, *(there - set(made))})


def write(made: Mapping[str, str]) -> None:
    """Write the files, and remove those that no route needs any more."""
    for path in stale(made):
        if path in made:
            (CLIENT / path).write_text(made[path], encoding="utf-8")
        else:
            (CLIENT / path).unlink()


if __name__ == "__main__":
    written = files(openapi())
    if "--write" in sys.argv:
        write(written)
    else:
        sys.stdout.write("\n".join(stale(written)))
