"""Whatever goes wrong: one clear message, the documented exit code, no traceback."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evernormal import errors
from evernormal.app import failure
from evernormal.app.main import run

Raise = Callable[[BaseException], None]


@pytest.fixture
def oracles_raise(monkeypatch: pytest.MonkeyPatch) -> Raise:
    """Let ``evernormal verify`` meet whatever a test wants to be raised."""

    def plant(error: BaseException) -> None:
        def run_oracles() -> None:
            raise error

        module = types.ModuleType("evernormal.market.oracles")
        module.run_oracles = run_oracles  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "evernormal.market.oracles", module)

    return plant


def every_error() -> Iterator[type[errors.EvernormalError]]:
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, errors.EvernormalError):
            yield value


@pytest.mark.parametrize("kind", [*every_error()], ids=lambda kind: kind.__name__)
def test_a_deliberate_error_names_what_where_and_cure(
    kind: type[errors.EvernormalError], oracles_raise: Raise, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 12: an error names what was wrong, where, and what would be right."""
    error = kind.__new__(kind)
    errors.EvernormalError.__init__(error, "severity is -1", where="s.yaml:12", cure="Give 0 to 1.")
    oracles_raise(error)
    assert run(["verify"]) == kind.exit_code
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Error: severity is -1\n  where: s.yaml:12\n  cure:  Give 0 to 1.\n"
    assert kind.exit_code in failure.EXIT_CODES


def test_with_json_the_error_is_the_one_document(
    oracles_raise: Raise, capsys: pytest.CaptureFixture[str]
) -> None:
    oracles_raise(errors.UnknownNameError("form", "lithium/hydroxyde", ["lithium/hydroxide"]))
    assert run(["verify", "--json"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "error": "UnknownNameError",
        "what": "unknown form 'lithium/hydroxyde'",
        "where": "",
        "cure": "Did you mean 'lithium/hydroxide'?",
    }
    assert "Did you mean 'lithium/hydroxide'?" in err


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (errno.ENOSPC, 5, "no space left on device"),
        (errno.EACCES, 5, "permission denied"),
        (errno.EROFS, 5, "read-only file system"),
        (errno.ENOENT, 5, "no such file or directory"),
    ],
)
def test_a_failing_disk_is_a_storage_error(
    number: int, code: int, says: str, oracles_raise: Raise, capsys: pytest.CaptureFixture[str]
) -> None:
    oracles_raise(OSError(number, os.strerror(number), "out/brief.html"))
    assert run(["verify"]) == code
    err = capsys.readouterr().err
    assert says in err
    assert "where: out/brief.html" in err
    assert "cure:" in err


def test_a_table_library_that_tells_of_a_full_disk_in_words_is_understood(
    oracles_raise: Raise, capsys: pytest.CaptureFixture[str]
) -> None:
    oracles_raise(RuntimeError("IO Error: could not write: No space left on device (os error 28)"))
    assert run(["verify"]) == 5
    assert "no space left on device" in capsys.readouterr().err


def test_a_defect_asks_for_a_report_and_shows_the_traceback_only_on_demand(
    oracles_raise: Raise, capsys: pytest.CaptureFixture[str]
) -> None:
    oracles_raise(ZeroDivisionError("division\nby zero"))
    assert run(["verify"]) == 1
    err = capsys.readouterr().err
    assert "this is a defect of evernormal (ZeroDivisionError: division by zero)" in err
    assert "evernormal --debug verify" in err
    assert "Traceback" not in err
    for arguments in (["--debug", "verify"], ["verify", "--debug"]):
        assert run(arguments) == 1
        assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_ends_with_130_and_no_traceback(
    oracles_raise: Raise, capsys: pytest.CaptureFixture[str]
) -> None:
    oracles_raise(KeyboardInterrupt())
    assert run(["verify"]) == 130
    assert capsys.readouterr().err.startswith("Interrupted")
    assert run(["verify", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["error"] == "Interrupted"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["breif"], "No such command 'breif'"),
        (["verify", "--jsn"], "--json"),
        (["form", "show"], "Missing argument"),
        (["network", "show", "lithium/hydroxide", "--year", "soon"], "Invalid value for '--year'"),
    ],
)
def test_a_wrong_command_line_exits_with_2(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert "--help" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("arguments", [[], ["form"], ["scenario"]])
def test_a_group_without_a_command_shows_its_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert "Usage: evernormal" in out + err
    assert "Error" not in out + err


COMMAND = [sys.executable, "-m", "evernormal.app.main"]


def test_a_reader_that_stops_reading_is_no_error() -> None:
    with subprocess.Popen(
        [*COMMAND, "version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
    assert said == ""
    assert process.returncode == failure.PIPE_CLOSED


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_output_onto_a_full_disk_is_a_storage_error(flags: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "version", *flags], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 5
    assert done.stderr.startswith("Error: no space left on device\n")
    assert "Traceback" not in done.stderr


def test_ctrl_c_stops_a_running_command() -> None:
    code = (
        "import sys, time, types; from evernormal.app.main import main\n"
        "module = types.ModuleType('evernormal.market.oracles'); sys.modules[module.__name__] = module\n"
        "def run_oracles(): print('working', file=sys.stderr, flush=True); time.sleep(60)\n"
        "module.run_oracles = run_oracles; sys.argv = ['evernormal', 'verify']; main()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "working\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == failure.INTERRUPTED
    assert said.startswith("Interrupted")
    assert "Traceback" not in said


def test_a_name_of_a_thousand_letters_is_not_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Law 12: one clear message."""
    assert run(["network", "show", "a" * 5000]) == 2
    assert len(capsys.readouterr().err) < 300
