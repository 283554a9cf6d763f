"""The methods and records of `control_plane.client`, written from the server's own OpenAPI document.

`make docs` writes them (`python -m tests.client_api --write`); tests/client/test_api.py holds the files to the routes,
so that a route without a method is found. What is written is meant to be read: one function an operation, one frozen
dataclass a record.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.client_document import Argument, Json, Operation, Types, openapi, operations

ROOT = Path(__file__).parent.parent
CLIENT = ROOT / "control_plane" / "client"
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
    """Return the imports that a file needs: for what it says outside of its docstrings."""
    text = re.sub(r'""".*?"""', "", text, flags=re.DOTALL)
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
