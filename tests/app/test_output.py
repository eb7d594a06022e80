"""What is printed: columns for people, exactly one JSON document for programs, bars only on terminals."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from evernormal.app import output, progress
from evernormal.result import Finding


def test_json_turns_what_is_not_finite_into_null(capsys: pytest.CaptureFixture[str]) -> None:
    """Law 2: unknown is not zero."""
    table = pl.DataFrame({"month": [date(2024, 1, 1)], "imports_t": [math.nan], "price_usd_t": [None]})
    output.print_json({"rows": table, "path": Path("out") / "brief.html", "limit": math.inf})
    assert json.loads(capsys.readouterr().out) == {
        "rows": [{"month": "2024-01-01", "imports_t": None, "price_usd_t": None}],
        "path": str(Path("out") / "brief.html"),
        "limit": None,
    }


def test_json_writes_dataclasses_by_field(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json([Finding("few-rows", "caution", "Only 2 rows.", {"rows": 2})])
    assert json.loads(capsys.readouterr().out) == [
        {"code": "few-rows", "level": "caution", "message": "Only 2 rows.", "values": {"rows": 2}}
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_korean_survives_every_encoding_in_json(encoding: str) -> None:
    code = (
        "from evernormal.app import output; output.prepare_streams();"
        "output.print_json({'name': '수산화리튬'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )
    assert json.loads(done.stdout.decode(encoding)) == {"name": "수산화리튬"}


def test_a_narrow_encoding_does_not_stop_a_table() -> None:
    code = (
        "import polars as pl; from evernormal.app import output; output.prepare_streams();"
        "output.print_table(pl.DataFrame({'form': ['lithium/hydroxide'], 'name_ko': ['수산화리튬']}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
    )
    assert b"lithium/hydroxide" in done.stdout


def test_a_table_that_is_piped_is_never_folded_and_keeps_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    long = "reported by the exporter [estimated] " * 20
    output.print_table(
        pl.DataFrame({"supplier": ["CHN"], "share": [0.8123], "note": [long]}), units={"share": "fraction"}
    )
    out = capsys.readouterr().out
    assert long.strip() in out
    assert "81.2 %" in out
    assert len(out.splitlines()) == 3


def test_unknown_numbers_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Law 2: unknown is not zero."""
    output.print_table(
        pl.DataFrame({"stock_t": [None, 0.0]}, schema={"stock_t": pl.Float64}), units={"stock_t": "t"}
    )
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "stock_t (t)"
    assert lines[-2:] == ["unknown", "0"]


def test_findings_come_gravest_first(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_findings([Finding("a", "info", "First."), Finding("b", "warning", "Second.")])
    assert capsys.readouterr().out == "warning: Second.\ninfo: First.\n"


def test_a_record_prints_values_then_tables(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_record(
        {"form": "tin/refined", "note": "", "codes": [{"code": "800110", "revision": "HS1992"}]}
    )
    out = capsys.readouterr().out
    assert out.startswith("form  tin/refined\n")
    assert "800110" in out
    assert "note" not in out


def watched(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, delay: float) -> io.StringIO:
    """Let the progress bar write to a stream that is a terminal or is not."""
    stream = io.StringIO()
    screen = Console(file=stream, force_terminal=terminal, width=80)
    monkeypatch.setattr(output, "console", lambda *, error=False: screen)
    monkeypatch.setattr(progress, "DELAY_SECONDS", delay)
    return stream


def test_a_bar_appears_on_a_terminal_when_work_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = watched(monkeypatch, terminal=True, delay=0.01)
    with progress.progress("Simulating") as advance:
        advance(1, 2)
        time.sleep(0.4)
    assert "Simulating" in stream.getvalue()


@pytest.mark.parametrize(
    ("terminal", "delay", "quiet"), [(False, 0.01, False), (True, 60.0, False), (True, 0.01, True)]
)
def test_no_bar_when_piped_quick_or_quiet(
    terminal: bool, delay: float, quiet: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = watched(monkeypatch, terminal=terminal, delay=delay)
    with progress.progress("Simulating", quiet=quiet) as advance:
        advance(1, 2)
        time.sleep(0.05)
    assert "Simulating" not in stream.getvalue()
