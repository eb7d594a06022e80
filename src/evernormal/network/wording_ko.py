"""One plain Korean sentence per measure.

Templates write particles as ``[이/가]``; :func:`with_particles` picks the one that fits the word before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from evernormal.network import measures as m
from evernormal.network.known import FOCAL, WORLD, corridor_name, country_name, form_name
from evernormal.network.phrases import given, is_all, percent, quantity
from evernormal.network.uncertain import Uncertain

__all__ = ["korean", "with_particles"]


def korean(act: m.Measure) -> str:
    """Return the Korean sentence of a measure, particles still as ``[이/가]``."""
    body = _KOREAN[type(act)](act)
    notes = []
    if act.suspended:
        until = f"부터 {_last_ko(act.resumes)}까지" if act.resumes else "부터"
        notes.append(f"{_day_ko(act.suspended)}{until} 시행 유예")
    if act.announced != act.effective:
        notes.insert(0, f"{_day_ko(act.announced)} 발표")
    return f"{body}({', '.join(notes)})." if notes else f"{body}."


def _day_ko(day: date) -> str:
    return f"{day.year}년 {day.month}월 {day.day}일"


def _last_ko(after: date) -> str:
    return _day_ko(after - timedelta(days=1))


def _period_ko(act: m.Measure) -> str:
    end = f" {_last_ko(act.ends)}까지" if act.ends else ""
    return f"{_day_ko(act.effective)}부터{end}"


def _place_ko(code: str) -> str:
    return {WORLD: "전 세계", FOCAL: "대상국"}.get(code) or country_name(code, "ko")


def _places_ko(codes: tuple[str, ...]) -> str:
    return "·".join(_place_ko(code) for code in codes) if codes else "전 세계"


def _targets_ko(act: m.Measure) -> str:
    spared = f"({_places_ko(act.exempt)} 제외)" if act.exempt else ""
    return f"{_places_ko(act.against)}{spared}"


def _goods_ko(act: m.Measure) -> str:
    return "·".join(form_name(name, "ko") for name in act.forms) if act.forms else "해당 품목"


def _subject_ko(act: m.Measure) -> str:
    return f"{_place_ko(act.by)}[이/가] {_period_ko(act)}"


def _exports_ko(act: m.Measure) -> str:
    return f"{_subject_ko(act)} {_targets_ko(act)}에 대한 {_goods_ko(act)} 수출"


def _pct(number: Uncertain) -> str:
    return percent(number, korean=True)


def _qty(number: Uncertain | None, unit: str) -> str:
    return quantity(given(number), korean=True, unit=unit)


def _ban_ko(act: m.Ban) -> str:
    how_much = "전량" if is_all(act.severity) else f"의 {_pct(act.severity)}"
    gap = " " if how_much == "전량" else ""
    return f"{_exports_ko(act)} 물량{gap}{how_much}[을/를] 중단한다"


def _quota_ko(act: m.Quota) -> str:
    if act.share_of_base is not None:
        cap = f"기준 연도의 {_pct(act.share_of_base)}"
    else:
        cap = f"연간 {_qty(act.tonnes_per_year, '톤')}(함유량 기준)"
    return f"{_exports_ko(act)}[을/를] {cap}[으로/로] 제한한다"


def _licence_ko(act: m.Licence) -> str:
    part, those = ("", "기준 물량") if is_all(act.covers) else (f"의 {_pct(act.covers)}", "그 물량")
    wait = "과거 허가 소요 기간 동안"
    if act.delay_days is not None:
        wait = f"{_qty(act.delay_days, '일')}간"
    share = f"{those} 중 과거 허가 비율만큼"
    if act.approval_share is not None:
        share = f"{those}의 {_pct(act.approval_share)}"
    then = f"이후 {share}[이/가] 허가된다"
    if act.first_approval_share is not None and act.approval_months is not None:
        then = (
            f"이후 허가 물량이 {_pct(act.first_approval_share)}에서 "
            f"{_qty(act.approval_months, '개월')}에 걸쳐 {share}까지 늘어난다"
        )
    elif act.approval_share is None:
        then = f"이후 {share} 허가된다"
    return f"{_exports_ko(act)}{part}에 허가제를 시행하여 {wait} 선적이 중단되고 {then}"


def _inspection_ko(act: m.Inspection) -> str:
    return f"{_exports_ko(act)} 검사를 강화하여 운송 기간이 {_qty(act.delay_days, '일')} 늘어난다"


def _tariff_ko(act: m.Tariff) -> str:
    return f"{_subject_ko(act)} {_targets_ko(act)}산 {_goods_ko(act)}에 {_pct(act.rate)}의 관세를 부과한다"


def _dumping_ko(act: m.Dumping) -> str:
    return (
        f"{_subject_ko(act)} {_targets_ko(act)}에 {_goods_ko(act)}[을/를] 기준 가격보다 "
        f"{_pct(act.price_cut)} 낮은 가격에 판매한다"
    )


def _closure_ko(act: m.CorridorClosure) -> str:
    name = corridor_name(act.corridor, "ko")
    how_much = "이" if is_all(act.severity) else f"의 {_pct(act.severity)}[이/가]"
    return f"{_period_ko(act)} {name}[을/를] 지나는 {_goods_ko(act)} 운송{how_much} 통제된다"


def _accident_ko(act: m.Accident) -> str:
    return (
        f"{_period_ko(act)} {_place_ko(act.by)}의 {_goods_ko(act)} 생산 능력 "
        f"{_pct(act.capacity_lost)}[이/가] 상실된다"
    )


def _surge_ko(act: m.DemandSurge) -> str:
    use = f" {act.end_use}용" if act.end_use else ""
    return (
        f"{_period_ko(act)} {_places_ko(act.regions)}의{use} {_goods_ko(act)} 수요가 "
        f"{_pct(act.growth)} 증가한다"
    )


def _release_ko(act: m.StockRelease) -> str:
    if act.share is not None:
        amount = " 전량" if is_all(act.share) else f"의 {_pct(act.share)}"
    else:
        amount = f" {_qty(act.tonnes, '톤')}(함유량 기준)"
    return f"{_subject_ko(act)} {_goods_ko(act)} 비축분{amount}[을/를] 방출한다"


def _buy_ko(act: m.Buy) -> str:
    return (
        f"{_subject_ko(act)} {_goods_ko(act)}[을/를] 매월 {_qty(act.tonnes_per_month, '톤')}(함유량 기준)씩 "
        "구매하여 비축한다"
    )


def _return_ko(act: m.Measure) -> str:
    return f"{_day_ko(act.ends)}에 상환한다" if act.ends else "상환일은 정해지지 않았다"


def _swap_ko(act: m.Swap) -> str:
    return (
        f"{_place_ko(act.by)}[이/가] {_day_ko(act.effective)} {_place_ko(act.partner)}에서 "
        f"{_goods_ko(act)} {_qty(act.tonnes, '톤')}(함유량 기준)[을/를] 스와프로 받고 {_return_ko(act)}"
    )


def _loan_ko(act: m.Loan) -> str:
    back = _return_ko(act).replace("상환한다", "돌려받는다")
    return (
        f"{_place_ko(act.by)}[이/가] {_day_ko(act.effective)} 비축한 {_goods_ko(act)} "
        f"{_qty(act.tonnes, '톤')}(함유량 기준)[을/를] 기업에 대여하고 {back}"
    )


def _floor_ko(act: m.PriceFloor) -> str:
    members = f"({_places_ko(act.members)})" if act.members else ""
    if act.share_of_base is not None:
        reference = f"기준 연도 가격의 {_pct(act.share_of_base)}"
    else:
        reference = f"함유량 톤당 {_qty(act.usd_per_tonne, '달러')}"
    how = {
        "levy": "역외산 조정관세로",
        "purchase": "정부 매입으로",
        "contract": "역내 생산자 차액계약으로",
    }[act.instrument]
    return (
        f"{_actor_ko(act.by)}{members}[이/가] {_period_ko(act)} {_goods_ko(act)}의 기준 가격을 "
        f"{how} {reference} 이상으로 유지한다"
    )


def _order_ko(act: m.AllocationOrder) -> str:
    return f"{_subject_ko(act)} {_goods_ko(act)}[을/를] {', '.join(act.end_uses)} 순으로 공급하도록 명령한다"


def _cap_ko(act: m.PriceCap) -> str:
    price = _qty(act.usd_per_tonne, "달러")
    return f"{_subject_ko(act)} {_goods_ko(act)}의 최고 가격을 함유량 톤당 {price}[으로/로] 정한다"


def _actor_ko(name: str) -> str:
    return _place_ko(name) if re.fullmatch(r"[A-Z]{3}", name) else name


_FINALS, _RIEUL = 28, 8
_PARTICLE = re.compile(r"\[([가-힣]+)/([가-힣]+)\]")
_DIGIT_SOUND = {**dict.fromkeys("036", 1), **dict.fromkeys("178", _RIEUL)}


def with_particles(text: str) -> str:
    """Replace each ``[after a consonant/after a vowel]`` by the form that fits the word before.

    >>> with_particles("중국[이/가] 60%[을/를] 100톤[으로/로] 1일[으로/로]")
    '중국이 60%를 100톤으로 1일로'
    """
    found = _PARTICLE.search(text)
    while found:
        before = re.sub(r"(\s*\([^()]*\)|[\s·.,])+$", "", text[: found.start()])
        last = before[-1:] or "가"
        final = (ord(last) - ord("가")) % _FINALS if "가" <= last <= "힣" else _DIGIT_SOUND.get(last, 0)
        vowel = final == 0 or (final == _RIEUL and found[1] == "으로")
        text = text[: found.start()] + found[2 if vowel else 1] + text[found.end() :]
        found = _PARTICLE.search(text)
    return text


_KOREAN: dict[type[m.Measure], Callable[..., str]] = {
    m.Ban: _ban_ko, m.Quota: _quota_ko, m.Licence: _licence_ko, m.Inspection: _inspection_ko,
    m.Tariff: _tariff_ko, m.Dumping: _dumping_ko, m.CorridorClosure: _closure_ko, m.Accident: _accident_ko,
    m.DemandSurge: _surge_ko, m.StockRelease: _release_ko, m.Buy: _buy_ko, m.Swap: _swap_ko, m.Loan: _loan_ko,
    m.PriceFloor: _floor_ko, m.AllocationOrder: _order_ko, m.PriceCap: _cap_ko,
}  # fmt: skip
