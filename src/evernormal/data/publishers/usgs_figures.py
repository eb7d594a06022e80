"""What a printed figure of the Mineral Commodity Summaries says: number, bounds, marks, unit and basis.

Values are text: ``1,600,000``, ``W`` (withheld), ``NA`` (not available), ``>50``, ``50–300``, a dash for
zero, ``E`` (net exporter), ``s`` or ``Less than ½ unit`` (smaller than what is printed).  Unknown stays
unknown (law 2): a figure that is withheld is a null with its mark, a bound is a bound.
"""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass, field
from fractions import Fraction

__all__ = ["NoFigureError", "PrintedFigure", "PrintedUnit", "basis_in", "figure", "printed_unit", "reliance"]

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_PLAIN = re.compile(rf"([-−‑–?])?\s*({_NUMBER})\s*%?")
_BOUND = re.compile(rf"([<>≤≥])\s*({_NUMBER})\s*%?")
_RANGE = re.compile(rf"({_NUMBER})\s*(?:[-–—−‑]|to)\s*({_NUMBER})\s*%?")
_DASHES = frozenset("-–—−‑") | {"--", "---"}
_MARKS = {"W": "W", "NA": "NA", "N.A.": "NA", "N/A": "NA", "NOT AVAILABLE": "NA", "XX": "XX"} | {
    "NOT APPLICABLE": "XX"
}
_HALF = re.compile(r"less than (?:½|1/2|a half|one-half|0\.5) ?unit", re.IGNORECASE)
_LESS = re.compile(rf"less than ({_NUMBER})[\s\xa0]*(carats|tons|metric tons|kilograms|%)?", re.IGNORECASE)
_WORDS = re.compile(
    r"(very )?(small|moderate|large)( to (moderate|large))?\b.*|adequate\b.*|variable\b.*"
    r"|(considered|categorized|reserves (are|for)|k2o|world reserves|included?s?|revised|excludes?|no |data "
    r"|available information)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_EUROPEAN = re.compile(r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+|\d+,\d{1,2}")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}\.\d{3}")


class NoFigureError(ValueError):
    """A cell is neither a figure nor a mark that the publisher uses."""


@dataclass(frozen=True)
class PrintedFigure:
    """A printed figure: value, bounds and the publisher's marks."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    marks: tuple[str, ...] = ()

    def times(self, factor: Fraction) -> PrintedFigure:
        """Return the figure in another unit."""
        if factor == 1:
            return self
        value, low, high = (None if x is None else float(Fraction(x) * factor) for x in self._numbers)
        return PrintedFigure(value, low, high, self.marks)

    @property
    def _numbers(self) -> tuple[float | None, float | None, float | None]:
        return self.value, self.low, self.high


def figure(
    text: str, notes: str = "", smallest: float | None = None, *, price: bool = False
) -> PrintedFigure:
    """Return what a cell says.

    Args:
        text: the cell.
        notes: the publisher's notes on it: they say what ``s`` stands for.
        smallest: what "less than N tons" of the notes is in the printed unit; None for half a unit.
        price: whether it is a price, which may have three decimals; 839.000 of anything else is a European
            839,000.

    Raises:
        NoFigureError: the cell is no figure; says what was expected.

    >>> figure("1,600,000").value, figure(">50").low, figure("<0.1"), figure("W").marks
    (1600000.0, 50.0, PrintedFigure(value=None, low=0.0, high=0.1, marks=('<',)), ('W',))
    >>> figure("−84").value, figure("—").value, figure("s", "Less than ½ unit."), figure("50–300").high
    (-84.0, 0.0, PrintedFigure(value=None, low=0.0, high=0.5, marks=('s',)), 300.0)
    """
    cell = text.replace("\xa0", " ").strip()
    if cell in _DASHES:
        return PrintedFigure(0.0, marks=("—",))
    if cell.upper() in _MARKS:
        return PrintedFigure(marks=(_MARKS[cell.upper()],))
    if cell == "E":
        return PrintedFigure(high=0.0, marks=("E",))
    if cell == "s" or _HALF.fullmatch(cell.rstrip(".")) or _LESS.match(cell):
        return _smaller(cell, notes, smallest)
    if cell[:1] == "e" and _PLAIN.fullmatch(cell[1:].strip()):
        return PrintedFigure(_number(cell[1:].strip()), marks=("e",))
    if _EUROPEAN.fullmatch(cell) or (not price and _THOUSANDS.fullmatch(cell)):
        raise NoFigureError(f"{cell!r} has European separators; write 1,234.5 (or 1234.5)")
    return _numeric(cell)


def _numeric(cell: str) -> PrintedFigure:
    if found := _BOUND.fullmatch(cell):
        number = _number(found[2])
        return (
            PrintedFigure(low=number, marks=(">",))
            if found[1] in ">≥"
            else PrintedFigure(low=0.0, high=number, marks=("<",))
        )
    if found := _PLAIN.fullmatch(cell):
        sign = -1.0 if found[1] else 1.0
        return PrintedFigure(sign * _number(found[2]), marks=("?",) if found[1] == "?" else ())
    if found := _RANGE.fullmatch(cell):
        return PrintedFigure(low=_number(found[1]), high=_number(found[2]), marks=("range",))
    if _WORDS.fullmatch(cell) and not cell[:1].isdigit():
        return PrintedFigure(marks=(" ".join(cell.split())[:160],))
    raise NoFigureError(
        f"{cell[:40]!r} is neither a number like 1,600,000 nor one of W, NA, E, XX, s, >, <, —"
    )


def _smaller(cell: str, notes: str, smallest: float | None) -> PrintedFigure:
    """Return the bound of a figure that is smaller than what the publisher prints, if the notes say it."""
    if smallest is not None:
        return PrintedFigure(low=0.0, high=smallest, marks=("s",))
    if _HALF.search(cell) or _HALF.search(notes):
        return PrintedFigure(low=0.0, high=0.5, marks=("s",))
    return PrintedFigure(marks=("s",))


def less_than(text: str) -> tuple[float, str] | None:
    """Return number and unit of "Less than 500 carats", where a text says it.

    >>> less_than("Estimated. -- Less than 100,000 tons.")
    (100000.0, 'tons')
    """
    found = _LESS.search(text)
    return None if found is None or _HALF.search(text) else (_number(found[1]), (found[2] or "").lower())


def reliance(found: PrintedFigure) -> PrintedFigure:
    """Return a net import reliance with the bound that its definition gives: at most 100 %."""
    high = 100.0 if found.low is not None and found.high is None else found.high
    return PrintedFigure(found.value, found.low, high, found.marks)


def _number(text: str) -> float:
    number = float(text.replace(",", ""))
    if not math.isfinite(number):
        raise NoFigureError(f"{text[:40]!r}... is no figure")
    return number


# --- units ----------------------------------------------------------------------


@dataclass(frozen=True)
class PrintedUnit:
    """A printed unit: the unit that is stored, and how many of it make one printed."""

    unit: str
    factor: Fraction = field(default=Fraction(1))
    known: bool = True


_MASS = {
    "t": Fraction(1),
    "metric tons": Fraction(1),
    "metric ton": Fraction(1),
    "tons": Fraction(1),
    "metric dry tons": Fraction(1),
    "kg": Fraction(1, 1000),
    "kilograms": Fraction(1, 1000),
    "carats": Fraction(1, 5_000_000),
    "ct": Fraction(1, 5_000_000),
    "kt": Fraction(1000),
    "mt": Fraction(10**6),
    "mmt": Fraction(10**6),
    "kct": Fraction(1, 5000),
    "mct": Fraction(1, 5),
}
_OTHER = {
    "percent": PrintedUnit("%"),
    "pct": PrintedUnit("%"),
    "number": PrintedUnit("1"),
    "num": PrintedUnit("1"),
    "index": PrintedUnit("index"),
    "million cubic meters": PrintedUnit("million m3"),
    "mcm": PrintedUnit("million m3"),
    "million liters": PrintedUnit("million m3", Fraction(1, 1000)),
    "million dollars": PrintedUnit("MUSD"),
    "mdol": PrintedUnit("MUSD"),
    "msqft": PrintedUnit("million square feet"),
}
_PRICES = {
    "dt": "dollars per metric ton",
    "dkg": "dollars per kilogram",
    "dlb": "dollars per pound",
    "ctslb": "cents per pound",
    "dto": "dollars per troy ounce",
    "dtoz": "dollars per troy ounce",
    "dg": "dollars per gram",
    "dst": "dollars per short ton",
    "dct": "dollars per carat",
    "df": "dollars per flask",
}
_PER = {
    "metric ton": ("t", 1),
    "ton": ("t", 1),
    "kilogram": ("kg", 1),
    "pound": ("lb", 1),
    "troy ounce": ("oz t", 1),
    "gram": ("g", 1),
    "carat": ("ct", 1),
    "short ton": ("short ton", 1),
    "dry metric ton unit": ("mtu", 1),
    "metric ton unit": ("mtu", 1),
    "flask": ("flask", 1),
    "10 grams": ("g", 10),
    "25 grams": ("g", 25),
    "50 grams": ("g", 50),
}
_PRICE = re.compile(r"(dollars|cents) per (.+)")


@functools.cache
def printed_unit(text: str) -> PrintedUnit | None:
    """Return the unit that a printed unit is stored in: tonnes for every mass; None where none is printed.

    A unit that is not known is kept as printed (``known`` is false).

    >>> printed_unit("thousand metric tons")
    PrintedUnit(unit='t', factor=Fraction(1000, 1), known=True)
    >>> printed_unit("cents per pound")
    PrintedUnit(unit='USD/lb', factor=Fraction(1, 100), known=True)
    """
    unit = " ".join(text.replace("-", " ").replace("\xa0", " ").lower().split())
    unit = _PRICES.get(unit, unit)
    if not unit:
        return None
    if unit in _OTHER:
        return _OTHER[unit]
    if found := _PRICE.fullmatch(unit):
        name, amount = _PER.get(found[2], (found[2], 1))
        cents = 1 if found[1] == "dollars" else 100
        return PrintedUnit(f"USD/{name}", Fraction(1, cents * amount), known=found[2] in _PER)
    scale = 1
    for word, size in (("thousand", 1000), ("thousands of", 1000), ("million", 10**6)):
        if unit.startswith(word + " "):
            scale, unit = size, unit.removeprefix(word + " ").removeprefix("of ")
            break
    unit = unit.removeprefix("s of ")
    if unit in _MASS:
        return PrintedUnit("t", _MASS[unit] * scale)
    return PrintedUnit(text.strip(), known=False)


# --- what the figures count -----------------------------------------------------

_SUBSTANCES = {
    "antimony": "Sb", "arsenic": "As", "beryllium": "Be", "bromine": "Br", "chromium": "Cr", "cobalt": "Co",
    "copper": "Cu", "gallium": "Ga", "germanium": "Ge", "gold": "Au", "helium": "He", "indium": "In",
    "iodine": "I", "elemental iodine": "I", "iron": "Fe", "lead": "Pb", "lithium": "Li", "manganese": "Mn",
    "mercury": "Hg", "molybdenum": "Mo", "nickel": "Ni", "niobium": "Nb", "nitrogen": "N", "palladium": "Pd",
    "platinum": "Pt", "rhenium": "Re", "selenium": "Se", "silicon": "Si", "silver": "Ag", "strontium": "Sr",
    "sulfur": "S", "tantalum": "Ta", "tellurium": "Te", "thorium": "Th", "tin": "Sn", "tungsten": "W",
    "vanadium": "V", "zinc": "Zn", "tio2": "TiO2", "titanium dioxide": "TiO2", "zro2": "ZrO2",
    "zirconium oxide": "ZrO2", "k2o": "K2O", "potassium oxide": "K2O", "mgo": "MgO", "magnesium oxide": "MgO",
    "cr2o3": "Cr2O3", "y2o3": "Y2O3", "yttrium oxide": "Y2O3", "boric oxide": "B2O3", "reo": "REO",
    "rare earth oxide": "REO", "v2o5": "V2O5", "pgm": "PGM", "platinum group metal": "PGM",
}  # fmt: skip
_NAMES = "|".join(sorted(map(re.escape, _SUBSTANCES), key=len, reverse=True))
_CONTENT = re.compile(
    rf"\b({_NAMES})(?:[ -]*[\[(][\w -]+[\])])? (?:content|equivalent)|contained ({_NAMES})\b"
    rf"|\b({_NAMES}) - contained content|\b({_NAMES}), metric tons contained"
    rf"|recoverable ({_NAMES})\b|^({_NAMES}) content\b"
)
_GROSS = re.compile(r"gross+ weight|^crude ore|crude iron ore|calcined equivalent|dry tons|usable ore")


@functools.cache
def basis_in(text: str) -> str:
    """Return what a text says that figures count: ``gross``, ``contained Ga``; empty where it says nothing.

    >>> basis_in("(Data in metric tons, rare-earth-oxide (REO) equivalent, unless otherwise specified)")
    'contained REO'
    >>> basis_in("Gallium arsenide wafers (gross weight)"), basis_in("Refinery production")
    ('gross', '')
    """
    plain = " ".join(text.lower().replace("-oxide", " oxide").replace("rare-earth", "rare earth").split())
    gross, content = _GROSS.search(plain), _CONTENT.search(plain)
    if gross and (content is None or gross.start() < content.start()):
        return "gross"
    if content is None:
        return ""
    return f"contained {_SUBSTANCES[next(group for group in content.groups() if group)]}"
