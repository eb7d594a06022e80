"""The brief in a real browser: no request, no error in the console, nothing cut off."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

CUT_OFF = """() => [...document.querySelectorAll('figure svg')].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.width > 0 && (box.left < frame.left - 2 || box.right > frame.right + 2
      || box.top < frame.top - 2 || box.bottom > frame.bottom + 2);
  }).map(text => text.textContent);
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_makes_no_request_and_no_error(
    browser: Any, pages: dict[str, str], tmp_path: Path, lang: str
) -> None:
    path = tmp_path / "brief.html"
    path.write_text(pages[lang], "utf-8")
    page = browser.new_page(viewport={"width": 900, "height": 1200})
    requests: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(path.as_uri(), wait_until="networkidle")
    assert requests == [path.as_uri()]
    assert messages == []
    assert page.evaluate("document.querySelectorAll('figure svg[role=img]').length") == 5
    assert page.evaluate(CUT_OFF) == []
    page.close()


def test_a_phone_need_not_scroll_sideways(browser: Any, pages: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "brief.html"
    path.write_text(pages["ko"], "utf-8")
    page = browser.new_page(viewport={"width": 375, "height": 700})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.close()


def test_it_prints_on_a4(browser: Any, pages: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "brief.html"
    path.write_text(pages["ko"], "utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.close()
