"""The documentation is part of the program: complete, true, and without a request to any other server."""

from __future__ import annotations

import ast
import contextlib
import doctest
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

import evernormal
from evernormal.app.settings import DATA_DIRECTORY_VARIABLE
from evernormal.equations import EQUATIONS
from evernormal.network.scenario import read_scenario

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "src" / "evernormal"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_extensions" not in path.parts)
SOURCES = sorted(PACKAGE.rglob("*.py"))
PAGE_SECONDS = 30.0
QUICK = ("--draws", "4", "--workers", "1")
"""What the examples of `evernormal brief` get in a test: few draws, no further process."""


def name_of(path: Path) -> str:
    """Path as a reader of the repository writes it."""
    return path.relative_to(ROOT).as_posix()


# Equations ----------------------------------------------------------------------------------------


def cited(text: str) -> set[str]:
    """Equation keys in a text; ``E42 to E44`` and ``E42-E44`` name all three."""
    keys = set(re.findall(r"\bE\d+\b", text))
    for first, last in re.findall(r"\bE(\d+)\s*(?:to|-|–)\s*E(\d+)", text):
        keys |= {f"E{number}" for number in range(int(first), int(last) + 1) if f"E{number}" in EQUATIONS}
    return keys


def citations() -> dict[str, set[str]]:
    """Equation key to the files that cite it."""
    found: dict[str, set[str]] = {}
    for path in SOURCES:
        if path.name != "equations.py":
            for key in cited(path.read_text("utf-8")):
                found.setdefault(key, set()).add(name_of(path))
    return found


def test_every_cited_equation_exists() -> None:
    """A number in the code leads to an equation in the documentation."""
    unknown = {key: sorted(where) for key, where in citations().items() if key not in EQUATIONS}
    assert not unknown, f"cited but not in equations.py: {unknown}"


def test_every_equation_is_cited_where_it_is_computed() -> None:
    """An equation that no code cites is either not computed or not told."""
    where = citations()
    silent = sorted(key for key in EQUATIONS if key not in where)
    assert not silent, f"cited nowhere in src: {', '.join(silent)}"


@pytest.mark.parametrize("equation", EQUATIONS.values(), ids=list(EQUATIONS))
def test_every_equation_names_a_place_that_exists(equation: object) -> None:
    """``where`` is a module, function, class or method that can be opened."""
    parts = str(equation.where).split(".")  # type: ignore[attr-defined]
    for cut in range(len(parts), 0, -1):
        with contextlib.suppress(ImportError):
            __import__(".".join(parts[:cut]))
            target = sys.modules[".".join(parts[:cut])]
            break
    else:
        pytest.fail(f"{equation.where} cannot be imported")  # type: ignore[attr-defined]
    for part in parts[cut:]:
        target = getattr(target, part)
    assert target is not None


# Everything public is documented ------------------------------------------------------------------


def modules() -> Iterator[str]:
    """Every module with something public outside ``app``, by dotted name."""
    for path in SOURCES:
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] == "app" or path.name == "__main__.py":
            continue
        assigned = [
            node
            for node in ast.parse(path.read_text("utf-8")).body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and "__all__" in ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
        ]
        if assigned:
            yield ".".join(("evernormal", *parts)).removesuffix(".__init__")


def test_every_public_function_has_a_page_that_shows_how() -> None:
    """The doors of the package are used in a runnable example."""
    shown = "\n".join(block for path in PAGES for _, block in blocks(path, "python"))
    missing = [
        name for name in evernormal.__all__ if not re.search(rf"evernormal\.{re.escape(name)}\b", shown)
    ]
    assert set(missing) <= {"Result", "__version__"}, f"no example uses {', '.join(missing)}"


def test_every_room_has_a_page() -> None:
    """One page per room, and it says what comes in and what goes out."""
    for room in sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")):
        page = (DOCS / "rooms" / f"{room}.md").read_text("utf-8")
        assert "This room is empty" in page or "| comes in | goes out |" in page, room


def test_every_law_is_told() -> None:
    """Twelve laws, each with its guards drawn from the tests."""
    page = (DOCS / "laws.md").read_text("utf-8")
    for number in range(1, 13):
        assert f"(law-{number})=" in page
        assert f"{{generated}} guards {number}\n" in page


# Examples -----------------------------------------------------------------------------------------


def blocks(path: Path, language: str) -> list[tuple[int, str]]:
    """Fenced blocks of one language as (line of the first line inside, text)."""
    text = path.read_text("utf-8")
    return [
        (text.count("\n", 0, match.start(1)) + 1, match.group(1))
        for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


PYTHON_PAGES = [path for path in (*PAGES, ROOT / "README.md") if blocks(path, "python")]
CONSOLE_PAGES = [path for path in PAGES if blocks(path, "console")]
YAML_PAGES = [path for path in PAGES if blocks(path, "yaml")]


@pytest.mark.parametrize("path", PYTHON_PAGES, ids=name_of)
def test_python_examples_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python blocks of a page run from top to bottom, in their own folder, within a time limit."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(DATA_DIRECTORY_VARIABLE, str(tmp_path / "data"))
    namespace: dict[str, object] = {"__name__": "example"}
    started = time.monotonic()
    for line, block in blocks(path, "python"):
        place = f"{name_of(path)}:{line}"
        if block.lstrip().startswith(">>>"):
            example = doctest.DocTestParser().get_doctest(block, namespace, place, str(path), line)
            assert doctest.DocTestRunner().run(example, clear_globs=False).failed == 0, place
        else:
            exec(compile("\n" * (line - 1) + block, str(path), "exec"), namespace)
    assert time.monotonic() - started < PAGE_SECONDS, f"{name_of(path)} takes too long"


@pytest.mark.parametrize("path", YAML_PAGES, ids=name_of)
def test_scenario_examples_are_sound(path: Path) -> None:
    """A scenario file that a page shows is one that the program accepts and can simulate."""
    for line, block in blocks(path, "yaml"):
        scenario = read_scenario(block, where=f"{name_of(path)}:{line}")
        network = evernormal.load_network(scenario.form, focal=scenario.focal, year=scenario.base_year)
        assert evernormal.simulate(network, scenario, draws=0)["supply"].height == scenario.months


def commands(path: Path) -> Iterator[tuple[int, str, int]]:
    """Command lines of the console blocks as (line, command, expected exit code)."""
    for first, block in blocks(path, "console"):
        for offset, text in enumerate(block.splitlines()):
            if text.startswith("$ evernormal "):
                command, _, note = text[2:].partition("  # exit ")
                yield first + offset, command.strip(), int(note or 0)


@pytest.mark.parametrize("path", CONSOLE_PAGES, ids=name_of)
def test_console_examples_run(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands of a page end with the exit code that the page promises (0 when it says nothing)."""
    from evernormal.app.main import run

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(DATA_DIRECTORY_VARIABLE, str(tmp_path / "data"))
    for line, command, expected in commands(path):
        code = run([*shlex.split(command)[1:], *(QUICK if " brief " in command else ())])
        shown = capsys.readouterr()
        assert code == expected, f"{name_of(path)}:{line}: {command} ended with {code}\n{shown.err[-2000:]}"
        if expected:
            assert "Error: " in shown.err and "Traceback" not in shown.err, command


# Project pages ------------------------------------------------------------------------------------


def test_the_changelog_has_the_current_version() -> None:
    """Keep a Changelog: a heading for this version and one for what is coming."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## \[{re.escape(evernormal.__version__)}\]", text, re.MULTILINE)
    assert "## [Unreleased]" in text


def test_the_citation_file_is_valid_and_current() -> None:
    """The required keys of Citation File Format 1.2.0, with this version and licence."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"] and citation["title"] and citation["authors"]
    assert citation["type"] == "software"
    assert citation["version"] == evernormal.__version__
    assert citation["license"] == "Apache-2.0"
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= set(reference)


def test_links_between_project_pages_resolve() -> None:
    """README, CONTRIBUTING and the rest point to files that exist."""
    for path in sorted(ROOT.glob("*.md")):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text("utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (path.parent / target).exists(), f"{path.name} points to {target}"


def test_files_that_the_pages_name_exist() -> None:
    """A path in code font inside the project pages leads somewhere."""
    for path in [ROOT / "CONTRIBUTING.md", ROOT / "README.md", DOCS / "laws.md"]:
        for target in re.findall(r"`((?:docs|tests|src|bench)/[\w./-]+)`", path.read_text("utf-8")):
            if "<" not in target:
                assert (ROOT / target).exists(), f"{path.name} names {target}"


def test_tests_that_contributing_names_exist() -> None:
    """Each layer of tests in the table is there."""
    for folder in ("tests/laws", "tests/test_docs.py", "bench"):
        assert (ROOT / folder).exists()


# The built pages ----------------------------------------------------------------------------------


class _References(HTMLParser):
    """Collects what a browser would fetch and where links lead."""

    FETCHED: ClassVar = {
        ("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src"),
        ("video", "src"), ("audio", "src"), ("embed", "src"), ("object", "data"), ("use", "href"),
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if given.get("id"):
            self.anchors.add(str(given["id"]))
        for element, attribute in self.FETCHED:
            if tag == element and given.get(attribute) and given.get("rel") not in ("canonical", "search"):
                self.fetched.append(str(given[attribute]))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))


def build_site(out: Path) -> Path:
    """Build the documentation with warnings as errors."""
    pytest.importorskip(
        "sphinx", reason="the documentation builder is not installed; `make docs` installs it"
    )
    command = ["-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", str(DOCS), str(out)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-4000:]
    return out


def read(page: Path) -> _References:
    """Parse one built page."""
    parser = _References()
    parser.feed(page.read_text("utf-8"))
    return parser


def test_the_built_pages(tmp_path: Path, subtests: pytest.Subtests) -> None:
    """The documentation builds without a warning, fetches nothing, links rightly and holds what it must."""
    site = build_site(tmp_path / "site")
    for check in (_fetches_nothing, _links_resolve, _has_every_module, _equations_are_mathml, _opens_quietly):
        with subtests.test(check.__name__):
            check(site)


def _fetches_nothing(site: Path) -> None:
    """No script, style, font or picture comes from elsewhere, nor does what a style sheet imports."""
    for page in sorted(site.rglob("*.html")):
        outside = [target for target in read(page).fetched if re.match(r"(https?:)?//", target)]
        assert not outside, f"{page.name} fetches {outside}"
    for style in sorted(site.rglob("*.css")):
        assert not re.search(r"(url\(|@import\s+)[\"']?(https?:)?//", style.read_text("utf-8")), style.name


def _links_resolve(site: Path) -> None:
    """Every link to another page or heading of the documentation leads there."""
    pages = {page: read(page) for page in sorted(site.rglob("*.html"))}
    for page, parsed in pages.items():
        for link in parsed.links:
            if re.match(r"[a-z]+:|//", link):
                continue
            target, _, anchor = link.partition("#")
            goal = (page.parent / target).resolve() if target else page
            assert goal.is_file(), f"{page.relative_to(site)} links to {link}"
            if anchor and goal in pages and page.name not in ("genindex.html", "search.html"):
                assert anchor in pages[goal].anchors, f"{page.relative_to(site)} links to {link}"


def _has_every_module(site: Path) -> None:
    """Public functions are documented because their module is in the Python reference."""
    told = "\n".join(page.read_text("utf-8") for page in (site / "reference" / "python").glob("*.html"))
    missing = [name for name in modules() if f'id="module-{name}"' not in told]
    assert not missing, f"not in the Python reference: {', '.join(missing)}"


def _equations_are_mathml(site: Path) -> None:
    """Equations are in the page itself: one block for each, no script to draw them."""
    text = (site / "equations.html").read_text("utf-8")
    assert text.count('display="block"') == len(EQUATIONS)
    for key in EQUATIONS:
        assert f'id="{key.lower()}"' in text, f"{key} has no anchor"
    assert "mathjax@" not in text.lower() and "katex" not in text.lower()


def _opens_quietly(site: Path) -> None:
    """A real browser asks no server for anything and reports no error."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    asked: list[str] = []
    errors: list[str] = []
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        for name in ("index", "equations", "search", "ko/index"):
            page.goto((site / f"{name}.html").as_uri())
        browser.close()
    assert [url for url in asked if not url.startswith("file:")] == []
    assert errors == []
