"""The project audits itself: rooms, documentation, silence, start-up, references, tracked files."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import evernormal
from evernormal import errors

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "evernormal"
ROOMS = ("data", "network", "market", "risk", "prepare", "respond", "report", "app")
ABOVE_ALL = ("__init__", "errors", "result", "units", "elements", "equations", "storage")
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(path.relative_to(PACKAGE)) for path in FILES]


def room_of(path: Path) -> str:
    """Room that a file stands in; empty for a file above all rooms."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def imported(path: Path) -> Iterator[str]:
    """Every module of evernormal that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno} imports relatively; name the whole module"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_room_imports_only_from_rooms_above_it(path: Path) -> None:
    here = room_of(path)
    allowed = {*ABOVE_ALL, "__version__"}
    if here:
        allowed |= set(ROOMS[: ROOMS.index(here) + 1])
    elif path.stem == "__init__":
        allowed |= set(ROOMS)  # the public door names every room, and opens none at import
    for module in imported(path):
        head, _, rest = module.partition(".")
        if head == "evernormal" and rest:
            target = rest.split(".")[0]
            assert target in allowed, (
                f"{path.relative_to(ROOT)} ({here or 'above all rooms'}) imports {module}"
            )


def public_definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Public functions, public classes and their public methods."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    child
                    for child in node.body
                    if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name[0] != "_"
                )


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_everything_public_is_documented(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "the module does not say what it is for"
    silent = [
        f"{node.name} (line {node.lineno})"
        for node in public_definitions(tree)
        if not ast.get_docstring(node)
    ]
    assert not silent, f"without a docstring: {', '.join(silent)}"


@pytest.mark.parametrize("path", [f for f in FILES if room_of(f) != "app"], ids=str)
def test_nothing_but_app_prints_or_reads_clock_or_environment(path: Path) -> None:
    """Pure core: no print, no environment, no clock."""
    forbidden = {
        "print": "prints",
        "os.environ": "reads the environment",
        "os.getenv": "reads the environment",
        "datetime.now": "reads the clock",
        "datetime.today": "reads the clock",
        "date.today": "reads the clock",
        "time.time": "reads the clock",
    }
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        name = ""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
        elif isinstance(node, ast.Attribute):
            name = ast.unparse(node)
        where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', '?')}"
        assert name not in forbidden, f"{where} {forbidden[name]}: {name}"
        assert not (isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names)), (
            f"{where}: star"
        )


HEAVY = ("altair", "duckdb", "piqp", "polars", "pydantic", "scipy", "typer", "vl_convert", "numpy", "rich")


def run_python(code: str, **environment: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return done.stdout


def test_importing_evernormal_loads_nothing_heavy() -> None:
    loaded = run_python(f"import sys, evernormal; print(*[m for m in {HEAVY!r} if m in sys.modules])").split()
    assert not loaded, f"import evernormal also loads {', '.join(loaded)}"


def test_importing_evernormal_takes_under_half_a_second() -> None:
    """Cumulative time of the import itself, as the interpreter measures it; the best of three."""
    code = "import time; t = time.perf_counter(); import evernormal; print(time.perf_counter() - t)"
    assert min(float(run_python(code)) for _ in range(3)) < 0.5


def test_importing_every_module_makes_no_file(tmp_path: Path) -> None:
    """No work at import: no folder appears in the user's home or data directory."""
    modules = [
        ".".join(("evernormal", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
        for path in FILES
        if path.stem != "__main__"
    ]
    home = tmp_path / "home"
    home.mkdir()
    code = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)"
    run_python(code, HOME=str(home), XDG_DATA_HOME=str(home / "data"), XDG_CACHE_HOME=str(home / "cache"))
    assert list(home.rglob("*")) == []


def test_every_public_name_of_the_package_opens() -> None:
    for name in evernormal.__all__:
        assert getattr(evernormal, name) is not None


def documented(page: str) -> str:
    """Text of a page of the docs."""
    path = ROOT / "docs" / page
    assert path.is_file(), f"docs/{page} is missing"
    return path.read_text("utf-8")


def test_the_command_reference_is_current() -> None:
    from evernormal.app.reference import render

    assert documented("reference/commands.md") == render(), (
        "docs/reference/commands.md is stale: python -m evernormal.app.reference docs/reference/commands.md"
    )


def test_every_command_and_option_is_in_the_reference() -> None:
    from evernormal.app.reference import commands

    page = documented("reference/commands.md")
    for name, command in commands():
        assert f"## `{name}`" in page, f"{name} is not documented"
        section = page.split(f"## `{name}`\n")[1].split("\n## ")[0]
        for parameter in command.params:
            if parameter.name != "help":
                spelled = (
                    parameter.opts[0] if parameter.param_type_name == "option" else parameter.name.upper()
                )
                assert spelled in section or (parameter.metavar or "?") in section, f"{name}: {spelled}"
                assert parameter.help, f"{name}: {spelled} does not say what it is"
        assert (command.epilog or "").startswith("Example: evernormal "), f"{name} has no example"
        assert any("--json" in parameter.opts for parameter in command.params), f"{name} has no --json"


def test_every_error_class_is_documented() -> None:
    page = documented("reference/errors.md")
    for name, value in vars(errors).items():
        if inspect.isclass(value) and issubclass(value, errors.EvernormalError):
            assert name in page, f"{name} is not in docs/reference/errors.md"


def tracked_files() -> list[Path]:
    """Files that git tracks; every file when this is no clone."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git clone, or git is not installed")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


# Spelled in parts so that this file does not find itself.
FORBIDDEN = {
    r"/(root|work|home)/[\w.]+": "a path of one machine",
    r"file" + r":///": "a path of one machine",
    r"files\.python"
    + r"hosted\.org|py"
    + r"pi\.org/simple|registry\."
    + r"npmjs|deb\."
    + r"debian\.org": "a registry host",
}


def test_tracked_files_name_no_machine_and_no_registry() -> None:
    found = []
    for path in tracked_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a picture, a Parquet table
        for pattern, meaning in FORBIDDEN.items():
            if match := re.search(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(ROOT)}:{line} holds {meaning}: {match.group()!r}")
    assert not found, "\n".join(found)


def test_no_tracked_file_is_large() -> None:
    """The shipped snapshot is at most 10 MB in all."""
    snapshot = PACKAGE / "data" / "snapshot"
    assert sum(path.stat().st_size for path in snapshot.rglob("*") if path.is_file()) <= 10_000_000


LOCKS = {"requirements.lock": ["office", "build", "install"]} | {
    f"requirements-{group}.lock": [group] for group in ("test", "lint", "docs", "bench")
}


def project() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_every_requirement_with_hashes_and_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert "\n--" not in text
    pinned = re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE)
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pinned)
    assert all("--hash=sha256:" in block for block in blocks)
    said = project()
    tables = {**said["project"]["optional-dependencies"], **said["dependency-groups"]}
    wanted = [name for group in LOCKS[lock] for name in tables[group]]
    wanted += said["project"]["dependencies"] if lock == "requirements.lock" else []
    names = {re.split(r"[<>=!~\[ ;]", name)[0].lower().replace("_", "-") for name in wanted}
    assert names <= set(pinned), f"run `make lock`: {', '.join(sorted(names - set(pinned)))} is not in {lock}"


def test_locks_agree_on_versions() -> None:
    """All locks are installed into one environment, so a package has one version for one Python."""
    seen: dict[tuple[str, str], str] = {}
    for lock in LOCKS:
        text = (ROOT / lock).read_text("utf-8")
        for name, version, marker in re.findall(r"^([\w.-]+)==(\S+)(?: ; ([^\\]+))?", text, re.MULTILINE):
            assert seen.setdefault((name, marker.strip()), version) == version, f"{name} differs in {lock}"


def test_every_make_target_is_explained() -> None:
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert phony
    for target in phony[1].split():
        assert re.search(rf"^{target}:.*## \w", text, re.MULTILINE), (
            f"make {target} does not say what it does"
        )
