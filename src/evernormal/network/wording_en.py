"""One plain English sentence per measure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from evernormal.network import measures as m
from evernormal.network.known import FOCAL, WORLD, corridor_name, country_name, form_name
from evernormal.network.phrases import given, is_all, percent, quantity

__all__ = ["english"]

_ARTICLE = {"USA", "GBR", "NLD", "PHL", "ARE", "COD", "CAF", "DOM", "BHS", "GMB", "MDV", "MHL", "SLB", "COM"}


def english(act: m.Measure) -> str:
    """Return the English sentence of a measure."""
    body = _ENGLISH[type(act)](act)
    announced = ""
    if act.announced != act.effective:
        announced = f" (announced {_day_en(act.announced)})"
    text = f"{body}{_period_en(act)}{announced}."
    return text[0].upper() + text[1:]


def _day_en(day: date) -> str:
    months = (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    )  # fmt: skip
    return f"{day.day} {months[day.month - 1]} {day.year}"


def _last_en(after: date) -> str:
    return _day_en(after - timedelta(days=1))


def _period_en(act: m.Measure) -> str:
    if isinstance(act, m.Swap | m.Loan):
        back = f" until {_day_en(act.ends)}" if act.ends else ", with no date of return"
        return f" on {_day_en(act.effective)}{back}"
    text = f" from {_day_en(act.effective)}"
    if act.ends:
        text += f" to {_last_en(act.ends)}"
    if act.suspended:
        text += f", suspended from {_day_en(act.suspended)}"
        if act.resumes:
            text += f" to {_last_en(act.resumes)}"
    return text


def _place_en(code: str) -> str:
    if code == WORLD:
        return "every country"
    if code == FOCAL:
        return "the focal country"
    return f"the {country_name(code)}" if code in _ARTICLE else country_name(code)


def _list_en(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _places_en(codes: tuple[str, ...]) -> str:
    return _list_en([_place_en(code) for code in codes]) if codes else "every country"


def _targets_en(act: m.Measure) -> str:
    spared = f" except {_places_en(act.exempt)}" if act.exempt else ""
    return f"{_places_en(act.against)}{spared}"


def _goods_en(act: m.Measure) -> str:
    if not act.forms:
        return "the form in question"
    return _list_en([_inside_a_sentence(form_name(name)) for name in act.forms])


def _inside_a_sentence(name: str) -> str:
    """Lower the first letter, except of an abbreviation such as NCM."""
    return name[0].lower() + name[1:] if name[1:2].islower() else name


def _ban_en(act: m.Ban) -> str:
    how_much = "all" if is_all(act.severity) else percent(act.severity)
    return (
        f"{_place_en(act.by)} withholds {how_much} of its shipments of {_goods_en(act)} to {_targets_en(act)}"
    )


def _quota_en(act: m.Quota) -> str:
    if act.share_of_base is not None:
        cap = f"{percent(act.share_of_base)} of the base year"
    else:
        cap = f"{quantity(given(act.tonnes_per_year))} t contained a year"
    return f"{_place_en(act.by)} limits its shipments of {_goods_en(act)} to {_targets_en(act)} to {cap}"


def _licence_en(act: m.Licence) -> str:
    part, those = ("", "base shipments") if is_all(act.covers) else (f"{percent(act.covers)} of ", "those")
    wait = "as long as earlier licences took"
    if act.delay_days is not None:
        wait = f"for {quantity(act.delay_days)} days"
    share = f"as much of {those} as they let through"
    if act.approval_share is not None:
        share = f"{percent(act.approval_share)} of {those}"
    if act.first_approval_share is not None and act.approval_months is not None:
        first = percent(act.first_approval_share)
        share = f"{first}, rising over {quantity(act.approval_months)} months to {share}"
    return (
        f"{_place_en(act.by)} requires licences for {part}its shipments of {_goods_en(act)} to "
        f"{_targets_en(act)}, grants none {wait} and then {share},"
    )


def _inspection_en(act: m.Inspection) -> str:
    return (
        f"{_place_en(act.by)} inspects its shipments of {_goods_en(act)} to {_targets_en(act)}, which "
        f"then take {quantity(act.delay_days)} days longer,"
    )


def _tariff_en(act: m.Tariff) -> str:
    return (
        f"{_place_en(act.by)} levies a tariff of {percent(act.rate)} on {_goods_en(act)} from "
        f"{_targets_en(act)}"
    )


def _dumping_en(act: m.Dumping) -> str:
    return (
        f"{_place_en(act.by)} sells its {_goods_en(act)} to {_targets_en(act)} "
        f"{percent(act.price_cut)} below the base price"
    )


def _closure_en(act: m.CorridorClosure) -> str:
    name = f"the {corridor_name(act.corridor)}"
    how_much = "" if is_all(act.severity) else f" {percent(act.severity)} of"
    return f"{name} is closed to{how_much} shipments of {_goods_en(act)}"


def _accident_en(act: m.Accident) -> str:
    return f"{_place_en(act.by)} loses {percent(act.capacity_lost)} of its output of {_goods_en(act)}"


def _surge_en(act: m.DemandSurge) -> str:
    use = f" in {act.end_use}" if act.end_use else ""
    return f"Use of {_goods_en(act)}{use} in {_places_en(act.regions)} rises by {percent(act.growth)}"


def _release_en(act: m.StockRelease) -> str:
    if act.share is not None:
        amount = "all" if is_all(act.share) else percent(act.share)
        amount += f" of its state stock of {_goods_en(act)}"
    else:
        amount = f"{quantity(given(act.tonnes))} t contained of {_goods_en(act)} from its state stock"
    return f"{_place_en(act.by)} releases {amount}"


def _buy_en(act: m.Buy) -> str:
    return (
        f"{_place_en(act.by)} buys {quantity(act.tonnes_per_month)} t contained of {_goods_en(act)} a "
        "month for its state stock"
    )


def _swap_en(act: m.Swap) -> str:
    return (
        f"{_place_en(act.by)} receives {quantity(act.tonnes)} t contained of {_goods_en(act)} from "
        f"{_place_en(act.partner)} in a swap"
    )


def _loan_en(act: m.Loan) -> str:
    return (
        f"{_place_en(act.by)} lends firms {quantity(act.tonnes)} t contained of {_goods_en(act)} from "
        "its state stock"
    )


def _floor_en(act: m.PriceFloor) -> str:
    members = f" ({_places_en(act.members)})" if act.members else ""
    if act.share_of_base is not None:
        reference = f"{percent(act.share_of_base)} of the base price"
    else:
        reference = f"{quantity(given(act.usd_per_tonne))} USD per t contained"
    how = {
        "levy": "a levy on goods from outside",
        "purchase": "government purchases",
        "contract": "contracts for difference with its makers",
    }[act.instrument]
    return (
        f"{_actor_en(act.by)}{members} holds a reference price of {reference} for {_goods_en(act)} by {how}"
    )


def _order_en(act: m.AllocationOrder) -> str:
    return f"{_place_en(act.by)} orders {_goods_en(act)} to serve {', then '.join(act.end_uses)}"


def _cap_en(act: m.PriceCap) -> str:
    return (
        f"{_place_en(act.by)} caps the price of {_goods_en(act)} at {quantity(act.usd_per_tonne)} USD "
        "per t contained"
    )


def _actor_en(name: str) -> str:
    return _place_en(name) if re.fullmatch(r"[A-Z]{3}", name) else name


_ENGLISH: dict[type[m.Measure], Callable[..., str]] = {
    m.Ban: _ban_en, m.Quota: _quota_en, m.Licence: _licence_en, m.Inspection: _inspection_en,
    m.Tariff: _tariff_en, m.Dumping: _dumping_en, m.CorridorClosure: _closure_en, m.Accident: _accident_en,
    m.DemandSurge: _surge_en, m.StockRelease: _release_en, m.Buy: _buy_en, m.Swap: _swap_en, m.Loan: _loan_en,
    m.PriceFloor: _floor_en, m.AllocationOrder: _order_en, m.PriceCap: _cap_en,
}  # fmt: skip
