"""What the columns of a Korean trade table are: read from its headings, its unit line and the lines above.

The Korea Customs Service, its public-data site and the traders' association write the same figures under
headings of one or two rows, with the unit in the heading or in a line ``(단위 : 톤, 천 달러)`` above it.
A unit that stands nowhere is a fault: a number without unit is no quantity (law 4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from evernormal.data.publishers.korea_grid import Grid
from evernormal.data.publishers.text import Problems
from evernormal.errors import SourceFormatError

__all__ = ["Column", "Layout", "layout_of", "period_of"]

_ROLES = {
    "period": r"기간|기준\s*(년월|연월)|년월|연월|연도|년도|year",
    "country": r"국가(명)?|상대국|수출입\s*국가|statCdCntnKor1",
    "code": r"HS\s*K?\s*(코드|부호|code)?|품목\s*(코드|번호)|세번|세번부호|코드|hsCd",
    "description": r"품목명|품명|HS\s*품명|statKor",
}
_MEASURES = {"quantity": r"중량|물량", "value": r"금액|수출액|수입액|실적"}
_FLOWS = {"export": "수출", "import": "수입"}
_IGNORED = r"증감|증가율|비중|점유율|수지|건수|조업|순번|순위|단가|^no\.?$|balPayments|국가코드|statCd"
_THOUSAND = r"천\s*(불|달러|미불|\$|USD)|(USD|US\$|\$)\s*1,?000(?![,\d])|1,?000\s*(USD|US\$|\$|달러|불)"
_MILLION = r"백만\s*(불|달러|미불|\$|USD)|(USD|US\$|\$)\s*1,?000,?000"
_DOLLAR = r"달러|미불|불|USD|US\$|\$"
_WON = r"원화|천\s*원|백만\s*원|억\s*원|KRW|₩"
_KILOGRAM, _TONNE = r"킬로그램|kg|㎏", r"톤|ton|(?<![a-z])m?/?t(?![a-z])"
_UNIT_LINE = re.compile(r"단위\s*[:：]?\s*(.*)")
_FACT = re.compile(r"^(기간|조회\s*기간|국가|국가명|수출입\s*구분|구분)\s*[:：]\s*(.+)$")
_PERIOD = re.compile(
    r"((?:19|20)\d\d)(?:\s*\.\s*(\d{1,2})|\s*(?:[\-/]|년\s*\(?)\s*(\d{1,2})\s*(?:월\s*\)?)?|(\d\d)|\s*년)?"
)
_LOOK_IN = 30
_CURE = (
    "Write the unit into the heading, like 수입 중량(톤) and 수입 금액(천 달러), as the site shows it above"
    " the table, or download the workbook, which has it."
)


@dataclass(frozen=True)
class Column:
    """One column of figures: which flow, value or quantity, the factor to USD or t, and its own period."""

    index: int
    label: str
    flow: str
    measure: str
    factor: float
    period: str | None


@dataclass(frozen=True)
class Layout:
    """Where everything stands in a table.

    Attributes:
        first: number of the first row of data.
        roles: period, country, code and description to the index of their column.
        columns: the columns of figures.
        facts: what the lines above the table say: ``period``, ``country``.
        unread: headings that were not understood.
    """

    first: int
    roles: dict[str, int]
    columns: tuple[Column, ...]
    facts: dict[str, str]
    unread: tuple[str, ...]


def period_of(text: str, *, two_digits: bool = True) -> str | None:
    """Return a year or month as ISO 8601, or None when the text is neither.

    Args:
        text: as written.
        two_digits: months have two digits, as the publisher writes them: ``2024.1`` is then October, whose
            zero a spreadsheet has dropped.

    >>> [period_of(text) for text in ("2024.05", "2024년 5월", "202405", "2024-1", "2024.1", "2024")]
    ['2024-05', '2024-05', '2024-05', '2024-01', '2024-10', '2024']
    >>> period_of("2024.1", two_digits=False)
    '2024-01'
    >>> period_of("총계") is None
    True
    """
    found = _PERIOD.fullmatch(text.strip())
    if not found:
        return None
    dotted, written, packed = found[2], found[3], found[4]
    if dotted == "1" and two_digits:
        dotted = "10"
    month = dotted or written or packed
    if month is None:
        return found[1]
    return f"{found[1]}-{int(month):02d}" if 1 <= int(month) <= 12 else None


def layout_of(grid: Grid) -> Layout:
    """Return where everything stands.

    Raises:
        SourceFormatError: no row of headings with a code and a figure, a figure without unit, or in won.
    """
    lines = grid.rows[:_LOOK_IN]
    for place, (_, cells) in enumerate(lines):
        roles = _roles(cells)
        if "code" not in roles:
            continue
        below = lines[place + 1][1] if place + 1 < len(lines) else []
        two = _is_heading(below) and any(_measure(text) for text in below)
        labels = _labels(cells, below if two else [])
        named = {label: index for index, label in enumerate(labels) if _measure(label)}
        if not named:
            continue
        heading = grid.rows[place][0]
        columns, unread = _columns(labels, roles, lines[:place], heading, grid.name)
        first = place + (2 if two else 1)
        return Layout(first, roles, columns, _facts(lines[:place]), unread)
    raise SourceFormatError(
        "no row of headings with HS코드 and 수출/수입 금액 or 중량 was found in the first rows",
        where=grid.name,
        cure="Give the table by 품목 and 국가 as the Korea Customs Service's site saves it.",
    )


def _roles(cells: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for index, text in enumerate(cells):
        for role, shape in _ROLES.items():
            if role not in found and re.fullmatch(shape, text.strip(), re.IGNORECASE):
                found[role] = index
                break
    return found


def _is_heading(cells: list[str]) -> bool:
    """Return whether a row has words only: the second row of headings."""
    said = [text for text in cells if text]
    return bool(said) and not any(re.fullmatch(r"[-\d.,]+", text) for text in said)


def _labels(cells: list[str], below: list[str]) -> list[str]:
    """Return one heading per column; a heading over several columns holds for each of them."""
    if not below:
        return cells
    labels, over = [], ""
    for index in range(max(len(cells), len(below))):
        top = cells[index] if index < len(cells) else ""
        under = below[index] if index < len(below) else ""
        over = top or over
        labels.append(over if not under or under == over else f"{over} {under}")
    return labels


def _measure(label: str) -> str | None:
    if re.search(_IGNORED, label, re.IGNORECASE):
        return None
    found = [name for name, shape in _MEASURES.items() if re.search(shape, label)]
    return found[0] if found else None


def _columns(
    labels: list[str], roles: dict[str, int], above: list[tuple[int, list[str]]], row: int, name: str
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    units = " ".join(
        found[1] for _, cells in above for text in cells if (found := _UNIT_LINE.search(text)) is not None
    )
    said = _facts(above).get("flow", "")
    problems = Problems(name)
    columns, unread = [], []
    for index, label in enumerate(labels):
        measure = _measure(label)
        if measure is None or index in roles.values():
            if label and index not in roles.values() and not re.search(_IGNORED, label, re.IGNORECASE):
                unread.append(label)
            continue
        flow = next((flow for flow, word in _FLOWS.items() if word in label or word in said), None)
        factor = _factor(measure, label) or _factor(measure, units)
        if re.search(_WON, label) or (measure == "value" and factor is None and re.search(_WON, units)):
            problems.add(row, label, "in won, expected dollars")
        elif flow is None:
            problems.add(row, label, "neither 수출 nor 수입 is said")
        elif factor is None:
            problems.add(row, label, "the unit is said neither in the heading nor above the table")
        else:
            named = re.search(_PERIOD, label)
            columns.append(
                Column(index, label, flow, measure, factor, period_of(named[0]) if named else None)
            )
    problems.raise_if_any(_CURE)
    return tuple(columns), tuple(unread)


def _factor(measure: str, text: str) -> float | None:
    """Return what turns a figure into USD or t, or None when the text does not say its unit."""
    shapes = {
        "value": ((_MILLION, 1e6), (_THOUSAND, 1e3), (_DOLLAR, 1.0)),
        "quantity": ((_KILOGRAM, 1e-3), (_TONNE, 1.0)),
    }[measure]
    inside = text
    if measure == "quantity":  # the heading itself has no unit outside its brackets
        inside = (
            " ".join(re.findall(r"[(（\[](.*?)[)）\]]", text)) if "중량" in text or "물량" in text else text
        )
    return next((factor for shape, factor in shapes if re.search(shape, inside, re.IGNORECASE)), None)


def _facts(above: list[tuple[int, list[str]]]) -> dict[str, str]:
    names = {"기간": "period", "조회기간": "period", "국가": "country", "국가명": "country"}
    names |= {"수출입구분": "flow", "구분": "flow"}
    found: dict[str, str] = {}
    for _, cells in above:
        said = [text for text in cells if text]
        for text in [*said, ":".join(said[:2])]:
            fact = _FACT.match(text)
            if fact:
                found.setdefault(names["".join(fact[1].split())], fact[2].strip())
    return found
