"""How each table of the European Commission's studies on critical raw materials becomes statistics."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from evernormal.data.geography import aliases, named
from evernormal.data.publishers.text import Problems
from evernormal.errors import nearest
from evernormal.result import Finding, Level

__all__ = ["Context", "Row", "groups", "old_results", "results", "scores", "supply", "uses"]

UNION = "EUU"
STAGES = {"E": ("ore", "extraction"), "P": ("refined", "processing")}
_WORDS = {"Extraction": "E", "Processing": "P"}
_BASES = ("GS + EUS", "GS only", "EUS only")
_UNKNOWN = {"", "-", "N/A", "NA", "n.a."}
_MATERIALS = {
    "aluminium/bauxite": "aluminium", "barytes": "baryte", "borate": "boron", "borates": "boron",
    "flourspar": "fluorspar", "kaolin clay": "kaolin", "krupton": "krypton", "lrees": "light-rare-earths",
    "lree": "light-rare-earths", "hrees": "heavy-rare-earths", "hree": "heavy-rare-earths",
    "heavy rare earths elements": "heavy-rare-earths", "natural graphite": "graphite",
    "pgms": "platinum-group", "pgm": "platinum-group", "phosphorous": "phosphorus",
    "silicon metal": "silicon", "titanium ores": "titanium", "zenon": "xenon",
}  # fmt: skip
_SHARE = re.compile(r"([<>]?)\s*(\d+(?:\.\d+)?)\s*%")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Row:
    """One row of a table: its number as a spreadsheet counts, and its cells."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


@dataclass
class Context:
    """What is known of the file, and what its reader notes.

    Attributes:
        file: its name.
        edition: year of the study.
        source: publisher and study.
        known: day on which it was knowable.
        days: day of each edition, for a table that holds several.
        problems: faults.
        found: rows of kind statistics.
        findings: what a reader must know.
        name: name of the table, where its content decides it.
        per_cent: whether shares are in per cent.
        unmarked: shares above 1 without a per cent sign in such a column.
    """

    file: str
    edition: int
    source: str
    known: date
    days: Mapping[int, date]
    problems: Problems
    found: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    name: str = ""
    per_cent: bool = False
    unmarked: list[str] = field(default_factory=list)

    def look_at_unit(self, rows: list[Row]) -> None:
        """Note whether the column of shares is in per cent, as most of its cells then say."""
        self.per_cent = 2 * sum(row["Share"].endswith("%") for row in rows) > len(rows)

    def tell_unmarked(self) -> None:
        """Tell of shares without a per cent sign in a column that has it: above 1 they are no fractions."""
        if self.unmarked:
            text = (
                f"No per cent sign, read as per cent like the rest of the column: {', '.join(self.unmarked)}."
            )
            self.tell("share-without-per-cent-sign", "caution", text, {"rows": list(self.unmarked)})

    @property
    def latest(self) -> date:
        """Day of the latest row."""
        return max((row["as_of"] for row in self.found), default=self.known)

    def note(self, row: Row, label: str, statistic: str, value: float | None, **more: Any) -> None:
        """Note one figure."""
        year = more.pop("year", self.edition)
        as_of = self.days.get(year, self.known)
        common = {"year": year, "country": UNION, "unit": "1", "basis": f"study of {year}", "grade": "B"}
        self.found.append(
            common
            | {"commodity": label, "material": _material(label.partition(";")[0]), "statistic": statistic}
            | {"value": value, "source": self.source, "source_ref": f"{self.file} row {row.number}"}
            | {"as_of": as_of}
            | more
        )

    def tell(self, code: str, level: Level, text: str, values: Mapping[str, Any]) -> None:
        """Note a finding."""
        self.findings.append(Finding(code, level, text, values))


def supply(rows: list[Row], context: Context) -> None:
    """Note shares and trade parameters by country and stage; of the world, or of what the Union draws on."""
    world = _is_world(rows, context.file)
    context.name = "world-supply" if world else "union-sourcing"
    context.look_at_unit(rows)
    statistic = "supply_share" if world else "sourcing_share"
    seen: dict[tuple[str, str, str], int] = {}
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for row in rows:
        label, stage = _label(row, "Material", context), _stage(row, "Stage", context)
        country = _country(row, "Country", context)
        share = _share(row, "Share", context)
        factor = _number(row, "t", context, 0, 2)
        if stage is None or country is None or share is None:
            continue
        key = (label, stage, country)
        if key in seen:
            context.problems.add(row.number, "Country", f"{row['Country']!r} is already in row {seen[key]}")
        seen.setdefault(key, row.number)
        rank, word = STAGES[stage]
        place = {"country": country, "stage": rank}
        context.note(row, f"{label}; {word}", statistic, share.value, **place, **share.ends)
        if factor is None:
            context.problems.add(row.number, "t", "is empty")
        context.note(row, f"{label}; {word}", "trade_parameter", factor, **place)
        total = sums[label, word]
        total[0] += share.value or 0.0
        total[1] += share.low - share.half
        total[2] += share.high + share.half
    context.tell_unmarked()
    _tell_sums(context, sums, " The study prints sourcing shares of 1 per cent and more only." * (not world))


def uses(rows: list[Row], context: Context) -> None:
    """Note shares of use by application and sector, with the sector's value added as the row prints it."""
    context.look_at_unit(rows)
    kept = _without_reprints(rows, context)
    seen: dict[tuple[str, ...], int] = {}
    values: dict[str, dict[float, list[int]]] = defaultdict(lambda: defaultdict(list))
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for row in kept:
        label, sector = _label(row, "Material", context), row["NACE sector"].partition(" - ")[0]
        key = (label, row["Application"], sector)
        if key in seen:
            context.problems.add(row.number, "Application", f"the use is already in row {seen[key]}")
        seen.setdefault(key, row.number)
        share = _share(row, "Share", context)
        added = _number(row, "VA in million €", context, 0, 1e8)
        if share is None:
            continue
        name = f"{label}; {row['Application']}"
        flag = sector or None
        context.note(row, name, "use_share", share.value, flag=flag, **share.ends)
        basis = row["NACE sector"] or "no sector given"
        context.note(row, name, "value_added", added, flag=flag, unit="million EUR", basis=basis)
        if added is not None:
            values[sector][added].append(row.number)
        total = sums[label, "uses"]
        total[0] += share.value or 0.0
        total[1] += share.low - share.half
        total[2] += share.high + share.half
    context.tell_unmarked()
    _tell_sums(context, sums, "")
    _tell_sectors(context, values)


def scores(rows: list[Row], context: Context) -> None:
    """Note supply risk and economic importance of each study; ``-`` was not assessed."""
    seen: dict[tuple[str, str], int] = {}
    for row in rows:
        label, year = _label(row, "Material", context), _number(row, "Year", context, 2000, 2100)
        key = (label, row["Year"])
        if key in seen:
            context.problems.add(row.number, "Material", f"{label} {key[1]} is already in row {seen[key]}")
        seen.setdefault(key, row.number)
        if year is None:
            context.problems.add(row.number, "Year", "is empty")
            continue
        for column, statistic in (("SR", "supply_risk"), ("EI", "economic_importance")):
            value = _number(row, column, context, 0, 20)
            flag = None if value is not None else "not assessed"
            context.note(row, label, statistic, value, year=int(year), flag=flag)


def groups(rows: list[Row], context: Context) -> None:
    """Note the group of each material under each way of grouping; the flag holds its name."""
    for row in rows:
        label = _label(row, "screened_material", context)
        for column, group in row.cells.items():
            if column.startswith("perm_"):
                context.note(
                    row, label, "group", None, flag=group or None, basis=f"grouping {column}", unit="none"
                )


def results(rows: list[Row], context: Context) -> None:
    """Note scores and their inputs as tables 3, 18 and 19 of the study of 2017 print them."""
    _results(rows, context, {
        "SR_2017": ("supply_risk", 1), "EI_2017": ("economic_importance", 1),
        "IR_pct": ("import_reliance", 100), "EoL_RIR_pct": ("eol_recycling_input_rate", 100),
        "SI_EI": ("substitution_economic_importance", 1), "SI_SR": ("substitution_supply_risk", 1),
        "HHIWGIt_GS": ("concentration_global", 1), "HHIWGIt_EU": ("concentration_union", 1),
    }, "supply_used")  # fmt: skip


def old_results(rows: list[Row], context: Context) -> None:
    """Note scores, import reliance and recycling input rate of the study of 2017."""
    _results(rows, context, {
        "SR": ("supply_risk", 1), "EI": ("economic_importance", 1),
        "import_reliance_pct": ("import_reliance", 100), "EoL_RIR_pct": ("eol_recycling_input_rate", 100),
    }, "supply_basis")  # fmt: skip


def _results(rows: list[Row], context: Context, columns: Mapping[str, tuple[str, int]], basis: str) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        label = _label(row, "material", context)
        if label in seen:
            context.problems.add(row.number, "material", f"{label!r} is already in row {seen[label]}")
        seen.setdefault(label, row.number)
        stage = _WORDS.get(row["stage"])
        if stage is None:
            context.problems.add(
                row.number, "stage", f"{row['stage']!r} is neither Extraction nor Processing"
            )
            continue
        if row[basis] and row[basis] not in _BASES:
            close = nearest(row[basis], _BASES) or _BASES
            context.problems.add(row.number, basis, f"{row[basis]!r} is none of {', '.join(close)}")
        rank, word = STAGES[stage]
        for column, (statistic, scale) in columns.items():
            value = _number(row, column, context, 0, 100 if scale == 100 else 20)
            scaled = None if value is None else float(Decimal(row[column]) / scale)
            flag = "N/A" if value is None else (row[basis] or None)
            context.note(row, f"{label}; {word}", statistic, scaled, stage=rank, flag=flag)


@dataclass(frozen=True)
class _Share:
    """A printed share: a number, or the interval that is all that is printed; half of its last digit."""

    value: float | None
    low: float
    high: float
    half: float
    open: bool = False

    @property
    def ends(self) -> dict[str, float | None]:
        """Ends to store; none where a number is printed."""
        if self.value is not None:
            return {}
        return {"low": self.low, "high": None if self.open else self.high}


def _share(row: Row, column: str, context: Context) -> _Share | None:
    text = row[column]
    match = _SHARE.fullmatch(text)
    if match is None and context.per_cent and _NUMBER.fullmatch(text) and float(text) > 1:
        context.unmarked.append(f"row {row.number} ({text})")
        match = _SHARE.fullmatch(f"{text}%")
    if match is None:
        why = "is empty (merged cells leave blanks: write the share in every row)" if not text else (
            f"{text!r} has no unit: a share is printed like 93.8%" if _NUMBER.fullmatch(text)
            else f"{text!r} is no share (write 93.8% or <0.1%)"
        )  # fmt: skip
        context.problems.add(row.number, column, why)
        return None
    sign, digits = match.groups()
    value = float(Decimal(digits) / 100)
    if value > 1:
        context.problems.add(row.number, column, f"{text!r} is more than all")
        return None
    if sign == "<":
        return _Share(None, 0.0, value, 0.0)
    if sign == ">":
        return _Share(None, value, value, 0.0, open=True)
    half = 0.5 * 10.0 ** (-len(digits.partition(".")[2]) - 2)
    return _Share(value, value, value, half)


def _number(row: Row, column: str, context: Context, low: float, high: float) -> float | None:
    text = row[column]
    if text in _UNKNOWN:
        return None
    if not _NUMBER.fullmatch(text):
        hint = "no thousands separator" if re.fullmatch(r"\d{1,3}([,. ]\d{3})+", text) else "write 1234.5"
        context.problems.add(row.number, column, f"{text!r} is no number ({hint})")
        return None
    value = float(text)
    if not low <= value <= high:
        context.problems.add(row.number, column, f"must be from {low:g} to {high:g}, got {text}")
        return None
    return value


def _label(row: Row, column: str, context: Context) -> str:
    if not row[column]:
        context.problems.add(row.number, column, "is empty (merged cells leave blanks: repeat the name)")
    return row[column]


def _stage(row: Row, column: str, context: Context) -> str | None:
    if row[column] not in STAGES:
        context.problems.add(
            row.number, column, f"{row[column]!r} is neither E (extraction) nor P (processing)"
        )
        return None
    return row[column]


def _country(row: Row, column: str, context: Context) -> str | None:
    name = row[column]
    found = aliases("eu-crm").get(name) or named(name)
    if found is None:
        close = nearest(name, aliases("eu-crm"))
        hint = f"; nearest is {close[0]!r}" if close else ""
        context.problems.add(row.number, column, f"{name!r} is no country of this study{hint}")
    return found


def _material(label: str) -> str:
    name = label.strip().casefold()
    return _MATERIALS.get(name, re.sub(r"[^a-z0-9]+", "-", name).strip("-"))


def _is_world(rows: list[Row], file: str) -> bool:
    """Whether shares are of the world: the file's name says it, else the digits: sourcing has few."""
    name = file.casefold()
    if re.search(r"global|world", name):
        return True
    if re.search(r"eu_?supply|sourcing|(^|[^a-z])eu_?share", name):
        return False
    fine = sum("." in row["Share"] or "<" in row["Share"] for row in rows)
    return 2 * fine > len(rows)


def _without_reprints(rows: list[Row], context: Context) -> list[Row]:
    """Leave out a row that is printed twice, word for word, when the shares add up without it only."""
    kept: list[Row] = []
    first: dict[tuple[str, ...], int] = {}
    again: list[str] = []
    totals: dict[str, float] = defaultdict(float)
    for row in rows:
        match = _SHARE.fullmatch(row["Share"])
        totals[row["Material"]] += float(match.group(2)) if match else 0.0
    for row in rows:
        key = tuple(row.cells.values())
        match = _SHARE.fullmatch(row["Share"])
        share = float(match.group(2)) if match else 0.0
        if key in first and share > 0 and abs(totals[row["Material"]] - share - 100) <= 2:
            again.append(
                f"row {row.number} repeats row {first[key]} ({row['Material']}, {row['Application']})"
            )
            continue
        first.setdefault(key, row.number)
        kept.append(row)
    if again:
        text = (
            f"Printed twice and counted once, because the shares add up to 1 without it: {'; '.join(again)}."
        )
        context.tell("row-printed-twice", "caution", text, {"rows": again})
    return kept


def _tell_sums(context: Context, sums: Mapping[tuple[str, str], list[float]], more: str) -> None:
    """Tell of shares that cannot add up to 1, whatever rounding did."""
    wrong = {
        f"{label} {word}": round(total, 4)
        for (label, word), (total, low, high) in sums.items()
        if not low - 1e-9 <= 1 <= high + 1e-9
    }
    if wrong:
        worst = sorted(wrong, key=lambda name: (-abs(wrong[name] - 1), name))
        shown = ", ".join(f"{name} {wrong[name]:.1%}" for name in worst[:8])
        rest = f" and {len(worst) - 8} more" if len(worst) > 8 else ""
        text = f"The shares do not add up to 1, rounding allowed for: {shown}{rest}.{more}"
        context.tell("shares-do-not-add-up", "caution", text, {"sums": wrong})


def _tell_sectors(context: Context, values: Mapping[str, Mapping[float, list[int]]]) -> None:
    """Tell of a sector whose value added is printed in two ways."""
    for sector, by_value in sorted(values.items()):
        if sector and len(by_value) > 1:
            usual = max(by_value, key=lambda value: len(by_value[value]))
            odd = {value: numbers for value, numbers in by_value.items() if value != usual}
            shown = "; ".join(f"{v:g} in row {', '.join(map(str, n))}" for v, n in sorted(odd.items()))
            text = f"Value added of sector {sector} is {usual:g} million EUR, but {shown}; kept as printed."
            context.tell("sector-value-added-differs", "caution", text, {"sector": sector, "usual": usual})
