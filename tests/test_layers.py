"""The layers: one direction of imports, one module for each heavy library, a light `import edge_runtime`."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("audit", "control_plane", "edge_runtime")
HEAVY = (
    *("jinja2", "jsonschema", "litellm", "numpy", "onnxruntime", "phonenumbers", "starlette", "stdnum", "tokenizers"),
    *("mcp", "mcp_types", "opentelemetry", "tuf", "uvicorn"),
)
ROOMS = {"tuf": "delivery"}
"""Where a library takes more than one file, the one folder that may import it."""
COMES_WITH = {
    "stdnum": "python-stdnum",
    "yaml": "pyyaml",
    "click": "typer",
    "font_source_sans_pro": "font-source-sans-pro",
    "fontTools": "fpdf2",
    "fpdf": "fpdf2",
    "certifi": "litellm",
    "httpcore": "litellm",
    "httpx": "litellm",
    "mcp_types": "mcp",
    "openai": "litellm",
    "opentelemetry": "opentelemetry-api",
    "referencing": "jsonschema",
    "securesystemslib": "tuf",
    "urllib3": "tuf",
    "pydantic": "fastapi",
    "rich": "typer",
    "sqlalchemy": "sqlmodel",
    "starlette": "fastapi",
}
"""Import names whose distribution is called otherwise, or which come with a library and belong to its use."""
NEVER_LOADED = (
    *("fastapi", "jinja2", "jsonschema", "litellm", "numpy", "onnxruntime", "opentelemetry", "phonenumbers"),
    *("mcp", "mcp_types", "sqlalchemy", "sqlmodel", "starlette", "stdnum", "tokenizers", "tuf", "uvicorn", "yaml"),
)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the import contracts over the packages in `folder`."""
    program = "from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def imported_names(path: Path) -> set[str]:
    """Return the top-level names that a file imports, wherever in it the import stands."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def modules_importing(folder: Path, library: str) -> set[str]:
    """Return the modules below `folder` that import `library`."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*.py") if library in imported_names(path)}


def test_the_import_contracts_hold() -> None:
    """Every contract of pyproject.toml holds for the packages as they are."""
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("edge_runtime/core/canonical.py", "import control_plane", "the edge never imports the server"),
        ("edge_runtime/core/dsse.py", "import os", "the core is pure"),
        ("audit/merkle.py", "import edge_runtime", "audit imports nothing of ours"),
        ("control_plane/__init__.py", "import edge_runtime.runtime", "the server uses the shared core"),
    ],
)
def test_a_planted_import_breaks_its_contract(tmp_path: Path, module: str, line: str, contract: str) -> None:
    """An import against the direction, planted in a copy, is found and named."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    planted = tmp_path / module
    planted.write_text(planted.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    result = lint_imports(tmp_path)
    verdict = re.search(rf"{contract}.*?(KEPT|BROKEN)", " ".join(result.stdout.split()))
    assert result.returncode != 0
    assert verdict is not None, result.stdout + result.stderr
    assert verdict[1] == "BROKEN"


def test_importing_the_runtime_loads_nothing_heavy() -> None:
    """`import edge_runtime` in a fresh process loads no server, no YAML and no heavy library."""
    program = (
        "import sys, edge_runtime; edge_runtime.EdgeRuntime; print(' '.join({m.split('.')[0] for m in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(loaded.stdout.split()) & {*NEVER_LOADED, "control_plane"} == set()


@pytest.mark.parametrize("library", HEAVY)
def test_each_heavy_library_is_imported_by_one_module(library: str) -> None:
    """Whoever wants to know how we use a heavy library has one module to read, or one small folder."""
    modules = modules_importing(ROOT / "edge_runtime", library)
    room = ROOMS.get(library)
    assert len({module.split("/")[0] if module.split("/")[0] == room else module for module in modules}) == 1


def test_the_client_of_stores_is_in_one_module() -> None:
    """Whoever wants to know what goes to a bucket has one module to read."""
    naming = [path for path in (ROOT / "control_plane").rglob("*.py") if b"boto" in path.read_bytes()]
    assert [path.relative_to(ROOT / "control_plane").as_posix() for path in naming] == ["bucket/s3.py"]


def test_the_scan_sees_late_imports(tmp_path: Path) -> None:
    """An import inside a function counts as one."""
    (tmp_path / "late.py").write_text("def f():\n    from tuf.api import metadata\n", encoding="utf-8")
    (tmp_path / "other.py").write_text("from .tuf import x\nimport tufa\n", encoding="utf-8")
    assert modules_importing(tmp_path, "tuf") == {"late.py"}


@pytest.mark.parametrize(
    ("package", "extras"),
    [("audit", ()), ("edge_runtime", ("cloud", "otel", "serve", "mcp")), ("control_plane", ("client", "s3", "server"))],
)
def test_every_library_that_is_imported_is_declared(package: str, extras: tuple[str, ...]) -> None:
    """Each third-party import of a package stands in the dependencies, or in the extras that it may use."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    declared = {re.split(r"[^\w-]", line, maxsplit=1)[0].lower() for line in lines}
    imported = {
        name
        for path in (ROOT / package).rglob("*.py")
        if not path.name.startswith("hook-")  # PyInstaller itself runs these
        for name in imported_names(path)
        if name not in sys.stdlib_module_names and name not in {*PACKAGES, "prompt_library"}
    }
    assert {name for name in imported if not {name.lower(), COMES_WITH.get(name)} & declared} == set()
