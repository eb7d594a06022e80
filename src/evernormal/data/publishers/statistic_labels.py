"""What a publisher's label is: which material, which stage and form, and what its figures count.

Two tables say it: ``tables/statistic_materials.csv`` (commodity to material) and
``tables/statistic_labels.csv`` (a line of that commodity to stage, form and basis).  Both are read from the
top, the first pattern that fits wins, case does not matter.  A label that no pattern fits is kept without a
material and told, never dropped.
"""

from __future__ import annotations

import csv
import functools
import re
from dataclasses import dataclass

from evernormal.data.schema import TABLES

__all__ = ["Label", "contained_basis", "label_of"]


@dataclass(frozen=True)
class Label:
    """What a label says.

    Attributes:
        known: whether a pattern fits the commodity, be it one of the materials or not.
        material: material, None where the commodity is none of them.
        stage: ``ore``, ``refined``, ``material`` or ``component``; None where several or none.
        form: form, where the label is exactly one.
        basis: what its figures count when the publisher says nothing else; empty where unknown.
        part_of: the whole of which the line is one part; empty where it is a whole itself.
    """

    known: bool
    material: str | None = None
    stage: str | None = None
    form: str | None = None
    basis: str = ""
    part_of: str = ""


@functools.cache
def label_of(source: str, commodity: str, detail: str) -> Label:
    """Return what a line of a publisher's table is.

    Args:
        source: ``usgs``, ``bgs`` or ``wmd``.
        commodity: commodity as printed.
        detail: statistic and line, such as ``production: Mine production``.

    >>> label_of("usgs", "Gallium", "production: Primary production").form
    'gallium/metal'
    >>> label_of("bgs", "copper, smelter", "production").stage, label_of("usgs", "Unobtainium", "").known
    ('refined', False)
    """
    text = f"{_plain(commodity)}: {_plain(detail)}"
    names = (text, _plain(commodity))
    material = next((m for pattern, m in _materials(source) if any(map(pattern.fullmatch, names))), None)
    if not material:
        return Label(known=material is not None)
    line = f"{_plain(detail)} | {_plain(commodity)}"
    for row in _lines(source):
        if row["material"] in ("*", material) and re.search(row["label"], line):
            form, stage = row["form"] or None, row["stage"] or None
            return Label(True, material, stage, form, row["basis"], row["part_of"])
    return Label(known=True, material=material)


@functools.cache
def contained_basis(material: str) -> str:
    """Return what "contained" means for a material: its element, or the oxide of a group.

    >>> contained_basis("lithium"), contained_basis("rare-earths")
    ('Li', 'REO')
    """
    for row in _read("statistic_materials.csv"):
        if row["material"] == material:
            return row["contained"]
    return ""


@functools.cache
def _materials(source: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple(
        (re.compile(row["commodity"]), row["material"])
        for row in _read("statistic_materials.csv")
        if row["source"] == source
    )


@functools.cache
def _lines(source: str) -> tuple[dict[str, str], ...]:
    return tuple(row for row in _read("statistic_labels.csv") if row["source"] in (source, "*"))


@functools.cache
def _read(name: str) -> tuple[dict[str, str], ...]:
    with (TABLES / name).open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def _plain(text: str) -> str:
    return " ".join(text.replace("—", " ").split()).casefold()
