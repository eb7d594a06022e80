"""``evernormal data fetch`` and ``data mirror``: what a user types, over recorded exchanges."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from evernormal.app import settings
from evernormal.app.commands import fetch
from evernormal.app.main import run

RECORDED = Path(__file__).parents[1] / "data" / "recorded" / "comtrade"
QUESTION = ("data", "fetch", "comtrade", "--reporter", "KOR", "--from", "2024-05", "--code", "282520")
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """Requests that a command makes; the network answers with what was recorded."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        key = request.headers.get("Ocp-Apim-Subscription-Key")
        name = "key_not_accepted" if key == "wrong" else "imports_202405"
        name = "availability" if "getD" in request.url.path else name
        found = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))["response"]
        return httpx.Response(found["status"], json=found["body"])

    monkeypatch.setattr(fetch, "http_client", lambda: httpx.Client(transport=httpx.MockTransport(answer)))
    monkeypatch.setenv(settings.DATA_DIRECTORY_VARIABLE, str(tmp_path / "store"))
    monkeypatch.setenv(settings.COMTRADE_KEY_VARIABLE, "my-key")
    return requests


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    def run_it(*arguments: str) -> tuple[int, str, str]:
        code = run(list(arguments))
        return code, *capsys.readouterr()

    return run_it


def document(said: tuple[int, str, str], code: int = 0) -> Any:
    assert said[0] == code, said[2]
    return json.loads(said[1])


def test_fetched_declarations_are_stored_and_mirrored(asked: list[httpx.Request], say: Say) -> None:
    added = document(say(*QUESTION, "--json"))
    assert (added["dataset"], added["kind"], added["rows"]) == ("comtrade-monthly-kor-282520", "customs", 15)
    assert asked[0].headers["Ocp-Apim-Subscription-Key"] == "my-key"
    code, out, err = say(
        "data", "mirror", "China", "KOR", "--code", "282520", "--period", "2024-05", "--json"
    )
    rows = json.loads(out)
    assert code == 0
    assert (rows[0]["importer_reports"], rows[0]["exporter_reports"]) == (160e6, None)
    assert "reported by one side alone" in err
    code, out, _ = say("data", "mirror", "CHN", "KOR", "--code", "282520")
    assert code == 0
    assert "How well they report" in out


def test_a_key_stands_in_no_message(
    asked: list[httpx.Request], say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(settings.COMTRADE_KEY_VARIABLE, "wrong")
    code, out, err = say(*QUESTION, "--json")
    assert code == 2
    assert "EVERNORMAL_COMTRADE_KEY" in json.loads(out)["cure"]
    assert "wrong" not in out + err
    assert len(asked) == 1


def test_without_a_key_the_preview_is_asked(
    asked: list[httpx.Request], say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(settings.COMTRADE_KEY_VARIABLE)
    document(say(*QUESTION, "--json"))
    assert asked[0].url.path.startswith("/public/")


def test_what_is_published_is_listed(asked: list[httpx.Request], say: Say) -> None:
    question = ("data", "fetch", "comtrade", "--reporter", "KOR", "--from", "2024-05", "--available")
    rows = document(say(*question, "--json"))
    assert {row["reporter"] for row in rows} == {"KOR", "CHE"}
    assert "2024-08-02" in say(*question)[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--from", "2024-13"), "no span"),
        (("--to", "2023-01"), "later than"),
        (("--reporter", "XYZ"), "unknown country"),
        (("--code", "28252"), "no code"),
    ],
)
def test_a_wrong_question_is_told_before_it_is_asked(
    asked: list[httpx.Request], say: Say, change: tuple[str, str], message: str
) -> None:
    said = document(say(*QUESTION, *change, "--json"), code=2)
    assert message in said["what"]
    assert not asked


def test_mirror_without_declarations_names_the_cure(asked: list[httpx.Request], say: Say) -> None:
    said = document(say("data", "mirror", "CHN", "KOR", "--json"), code=3)
    assert "evernormal data fetch comtrade" in said["cure"]
