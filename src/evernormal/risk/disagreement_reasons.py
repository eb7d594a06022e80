"""Why two methods rank a form differently, told from what each of them looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["COMPONENTS", "METHODS", "Component", "Method", "Reason", "reason_of"]


@dataclass(frozen=True)
class Component:
    """One thing that methods look at; more is worse.

    Attributes:
        name: stable name.
        text_en: a noun phrase.
        text_ko: the same in Korean.
    """

    name: str
    text_en: str
    text_ko: str


@dataclass(frozen=True)
class Method:
    """One way to rank forms.

    Attributes:
        name: stable name.
        title: name for people.
        title_ko: the same in Korean.
        sees: the components that it looks at.
        worse: 1 when a higher score is worse, -1 when a lower one is.
        equation: key of its equation.
    """

    name: str
    title: str
    title_ko: str
    sees: frozenset[str]
    worse: int
    equation: str


COMPONENTS = {
    one.name: one
    for one in (
        Component("production", "concentration of world supply", "세계 생산 편중도"),
        Component("imports", "concentration of the country's imports", "수입국 편중도"),
        Component("governance", "instability of its suppliers", "공급국의 정치 불안정"),
        Component("producers", "instability of the world's producers", "생산국의 정치 불안정"),
        Component("reliance", "net import reliance", "순수입 의존도"),
        Component("vulnerability", "price against value added", "부가가치 대비 가격 부담"),
        Component("price", "price against its own history", "과거 대비 가격"),
        Component("tightness", "supply and imports against their own history", "과거 대비 공급·수입 여건"),
    )
}
"""What methods look at, by name."""

METHODS = {
    one.name: one
    for one in (
        Method("geopolrisk", "GeoPolRisk", "GeoPolRisk",
               frozenset({"production", "governance"}), 1, "E102"),
        Method("eu-supply-risk", "EU supply risk", "EU 공급위험",
               frozenset({"production", "imports", "governance", "producers", "reliance"}), 1, "E104"),
        Method("usgs-supply-risk", "USGS-style supply risk", "USGS식 공급위험",
               frozenset({"production", "producers", "reliance", "vulnerability"}), 1, "E120"),
        Method("hhi", "import concentration (HHI)", "수입 집중도(HHI)",
               frozenset({"imports"}), 1, "E100"),
        Method("n-minus-one", "N-1", "N-1", frozenset({"imports", "reliance"}), -1, "E107"),
        Method("largest-share", "largest supplier's share", "최대 수입국 비중",
               frozenset({"imports"}), 1, "E11"),
        Method("stability", "supply stability", "수급안정화지수",
               frozenset({"price", "tightness"}), -1, "E123"),
    )
}  # fmt: skip
"""Ways to rank forms, by name."""


@dataclass(frozen=True)
class Reason:
    """What tells two ranks of a form apart.

    Attributes:
        component: the component; empty where both methods look at the same or nothing stands out.
        strength: how far from the middle of all forms it stands, 0 to 0.5, towards the difference.
        text_en: one sentence.
        text_ko: the same in Korean.
    """

    component: str
    strength: float
    text_en: str
    text_ko: str


def reason_of(worst: Method, best: Method, places: Mapping[str, float]) -> Reason:
    """Return what explains that one method ranks a form worse than another (equation E132).

    Of the components that only one of the two looks at, the one that stands furthest on the side of the
    difference: high, and seen by the method that ranks the form worse only; or low, and seen by the other
    only.

    Args:
        worst: the method that ranks the form worse.
        best: the method that ranks it better.
        places: component to its place among all forms, 0 (least) to 1 (most); unknown ones are left out.

    >>> reason_of(METHODS["hhi"], METHODS["geopolrisk"], {"imports": 0.9, "production": 0.3}).component
    'imports'
    """
    found: list[tuple[float, str, bool]] = []
    for name in COMPONENTS:
        place = places.get(name)
        if place is None or (name in worst.sees) == (name in best.sees):
            continue
        high = name in worst.sees
        found.append((place - 0.5 if high else 0.5 - place, name, high))
    strong = max(found, key=lambda one: (one[0], one[1]), default=(0.0, "", True))
    if strong[0] <= 0:
        return Reason(
            "",
            0.0,
            f"{worst.title} and {best.title} combine what they look at differently.",
            f"{worst.title_ko}, {best.title_ko} 간 산식 차이에 따른 결과임.",
        )
    strength, name, high = strong
    component, seer, other = COMPONENTS[name], worst if high else best, best if high else worst
    level_en, level_ko = ("high", "높으며") if high else ("low", "낮으며")
    return Reason(
        name,
        strength,
        f"{component.text_en[0].upper()}{component.text_en[1:]} is {level_en}; {seer.title} looks at it,"
        f" {other.title} does not.",
        f"{component.text_ko}: 다른 품목보다 {level_ko}, {seer.title_ko}에는 반영되나"
        f" {other.title_ko}에는 반영되지 않음.",
    )
