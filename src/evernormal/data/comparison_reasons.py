"""Why two sources may differ: what their own words say about definition, year, estimate and kind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from evernormal.data.comparison_rows import Said

__all__ = ["reasons"]

_KINDS = {
    "smelter": "smelter",
    "refiner": "refined",
    "refined": "refined",
    "processing": "refined",
    "mine": "mine",
    "extraction": "mine",
    "sulfate": "sulphate",
    "sulphate": "sulphate",
    "sponge": "sponge",
    "pigment": "pigment",
    "ilmenite": "ilmenite",
    "rutile": "rutile",
    "carbonate": "carbonate",
    "hydroxide": "hydroxide",
    "oxide": "oxide",
    "secondary": "secondary",
}
_TOLD = re.compile(
    r"exclud|includ|quota|undocumented|basis|only|content|gross|low-purity|not reported", re.IGNORECASE
)
_MARKS = re.compile(r"^(e|p|r|W|NA|XX|s|—|<|>|\?|range|blank|E)$")


def reasons(a: Said, b: Said) -> list[str]:
    """Return the likely reasons for a difference between two figures, those of definition first.

    The reasons are read off the figures themselves; none is made up: an empty list says that no definition
    explains the difference.
    """
    return list(dict.fromkeys([*_definitional(a, b), *_of_time(a, b), *_of_marks(a, b)]))


def _definitional(a: Said, b: Said) -> Iterator[str]:
    masses = a.tonnes is not None and b.tonnes is not None
    if a.basis != b.basis and (masses or "gross" in (a.basis, b.basis)):
        yield f"basis: {a.basis or 'not said'} and {b.basis or 'not said'}"
    if a.form != b.form and a.form and b.form:
        yield f"stage: {a.form} and {b.form}"
    kinds = [{kind for word, kind in _KINDS.items() if word in one.series.lower()} for one in (a, b)]
    if all(kinds) and kinds[0] != kinds[1] and not (a.form and a.form == b.form):
        yield f"kind: {a.series!r} and {b.series!r}"
    if (a.share is None) != (b.share is None) and not (a.withheld or b.withheld):
        yield "one gives a share, the other tonnes of its own world total"


def _of_time(a: Said, b: Said) -> Iterator[str]:
    if a.period != b.period:
        yield f"year: {a.period} and {b.period}"
    for one in (a, b):
        if one.basis.startswith("study"):
            yield f"year: {one.basis} gives averages of earlier years"
    if a.publisher == b.publisher and a.source != b.source:
        yield "edition: the later one revises the earlier"


def _of_marks(a: Said, b: Said) -> Iterator[str]:
    marks = [[part.strip() for part in one.flag.split(";")] for one in (a, b)]
    for one, own in zip((a, b), marks, strict=True):
        if one.withheld:
            yield f"no figure in {one.source} ({own[0] or 'blank'})"
    estimated = [
        bool({"e", "p"} & set(own)) or one.grade != "A" for one, own in zip((a, b), marks, strict=True)
    ]
    if estimated[0] or estimated[1]:
        who = "both" if all(estimated) else a.source if estimated[0] else b.source
        yield f"estimate: {who}"
    if any(one.low is not None or one.high is not None for one in (a, b)):
        yield "bound: one is an interval"
    for one, own in zip((a, b), marks, strict=True):
        for part in own:
            if not _MARKS.match(part) and _TOLD.search(part):
                yield f"note of {one.source}: {part[:120].rstrip('.')}"
