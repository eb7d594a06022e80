"""Korean particles that follow the last sound of a word.

A template writes ``{country}[이/가]``: the first form after a closing consonant, the second after a vowel.
"""

from __future__ import annotations

import re

__all__ = ["choose_particles", "ends_in_consonant"]

_MARK = re.compile(r"\[([가-힣]+)/([가-힣]+)\]")
_TRAILING = " \t\n\r)]}>\"'’”·.,\N{NARROW NO-BREAK SPACE}\N{NO-BREAK SPACE}"
_HANGUL_FIRST, _HANGUL_LAST, _FINALS, _RIEUL = 0xAC00, 0xD7A3, 28, 8
# How the last character is read aloud: final consonant or not; "rieul" matters for 으로/로.
_READ = {
    **dict.fromkeys("036MNmn", "consonant"),
    **dict.fromkeys("178LRlr", "rieul"),
}  # fmt: skip


def choose_particles(text: str) -> str:
    """Replace every ``[a/b]`` mark by the particle that fits the word before it.

    >>> choose_particles("중국[이/가] 수산화리튬[을/를] 60%[으로/로]")
    '중국이 수산화리튬을 60%로'
    >>> choose_particles("일본[은/는] 5월 1일[로/으로]")
    '일본은 5월 1일로'
    """
    parts: list[str] = []
    position = 0
    for mark in _MARK.finditer(text):
        parts.append(text[position : mark.start()])
        parts.append(_choose("".join(parts), mark[1], mark[2]))
        position = mark.end()
    parts.append(text[position:])
    return "".join(parts)


def _choose(before: str, first: str, second: str) -> str:
    sound = _last_sound(before)
    if {first, second} == {"으로", "로"}:
        return "으로" if sound == "consonant" else "로"
    return second if sound == "vowel" else first


def ends_in_consonant(word: str) -> bool:
    """Return whether a word is read with a closing consonant.

    >>> ends_in_consonant("한국"), ends_in_consonant("호주"), ends_in_consonant("30")
    (True, False, True)
    """
    return _last_sound(word) != "vowel"


def _last_sound(word: str) -> str:
    bare = word.rstrip(_TRAILING)
    if "(" in bare and word.rstrip(_TRAILING.replace(")", "")).endswith(")"):
        bare = bare[: bare.rindex("(")].rstrip(_TRAILING) or bare
    if not bare:
        return "vowel"
    last = bare[-1]
    code = ord(last)
    if _HANGUL_FIRST <= code <= _HANGUL_LAST:
        final = (code - _HANGUL_FIRST) % _FINALS
        return "vowel" if final == 0 else "rieul" if final == _RIEUL else "consonant"
    return _READ.get(last, "vowel")
