"""Fixtures of the report room."""

from __future__ import annotations

import pytest
from synthetic import synthetic_result

from evernormal.report.brief import render_html
from evernormal.result import Result


@pytest.fixture(scope="session")
def result() -> Result:
    return synthetic_result()


@pytest.fixture(scope="session")
def pages(result: Result) -> dict[str, str]:
    """The brief in both languages."""
    return {lang: render_html(result, lang) for lang in ("en", "ko")}


@pytest.fixture(scope="session")
def calm() -> Result:
    """No measure bites."""
    return synthetic_result(severity=0.0)
