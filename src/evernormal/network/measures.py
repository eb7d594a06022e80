"""Every kind of measure: a ban, a quota, a licence ... and how hard it is.

What all measures share (dates, targets, forms) is in :mod:`evernormal.network.measure`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from evernormal.network.known import FOCAL, refuse
from evernormal.network.measure import (
    Actor,
    Corridor,
    Measure,
    Parties,
    Party,
    Region,
    Share,
    Text,
    Texts,
    Tonnes,
    exactly_one,
    months_later,
    valid_day,
)
from evernormal.network.policy_hardness import hardness_of
from evernormal.network.uncertain import Uncertain, Within
from evernormal.result import Parameter

__all__ = [
    "KINDS",
    "Accident",
    "AllocationOrder",
    "AnyMeasure",
    "Ban",
    "Buy",
    "CorridorClosure",
    "DemandSurge",
    "Dumping",
    "Inspection",
    "Licence",
    "Loan",
    "Measure",
    "PriceCap",
    "PriceFloor",
    "Quota",
    "StockRelease",
    "Swap",
    "Tariff",
    "Uncertain",
    "describe",
]


class Ban(Measure):
    """Part or all of what ``by`` ships to ``against`` is withheld."""

    kind: Literal["ban"] = "ban"
    by: Region = Field(description="Exporter: ISO 3166 alpha-3, 'focal' or 'world'.")
    severity: Share = Field(description="Share of base shipments that is withheld; 1 is a full stop.")


class Quota(Measure):
    """What ``by`` ships to ``against`` in total is capped."""

    kind: Literal["quota"] = "quota"
    by: Region = Field(description="Exporter: ISO 3166 alpha-3, 'focal' or 'world'.")
    share_of_base: Annotated[Uncertain, Within(0, 10, "share of base shipments")] | None = Field(
        default=None, description="Cap as a share of base shipments; this or tonnes_per_year."
    )
    tonnes_per_year: Annotated[Uncertain, Within(0, None, "t contained per year")] | None = Field(
        default=None, validate_default=True, description="Cap in tonnes contained; this or share_of_base."
    )

    @field_validator("tonnes_per_year")
    @classmethod
    def _one_cap(cls, value: Uncertain | None, info: ValidationInfo) -> Uncertain | None:
        return exactly_one(value, info, "share_of_base")


_MEASURED = ("approval_share", "delay_days")
"""Numbers of a licence for which the record of earlier licences stands in."""


class Licence(Measure):
    """Shipments need a licence: nothing for ``delay_days``, then the approved share.

    Where delay or share is left out, what earlier licences of the exporter took is taken
    (:func:`evernormal.network.policy_hardness.hardness_of`).  Where approvals come slowly, the licensed share
    rises from ``first_approval_share`` to ``approval_share`` in a straight line over ``approval_months``.

    >>> from datetime import date
    >>> licence = Licence(by="CHN", effective=date(2026, 1, 1)).resolved("KOR", "gallium/metal")
    >>> licence.delay_days
    Uncertain(low=45.0, high=60.0, mode=51.0)
    """

    kind: Literal["licence"] = "licence"
    by: Region = Field(description="Exporter: ISO 3166 alpha-3, 'focal' or 'world'.")
    delay_days: Annotated[Uncertain, Within(0, 1825, "days")] | None = Field(
        default=None,
        description="Days from the effective day until the first licensed shipment; left out: as long as "
        "earlier licences took.",
    )
    approval_share: Share | None = Field(
        default=None,
        description="Share of the covered base shipments that is licensed afterwards; left out: as much as "
        "earlier licences let through.",
    )
    first_approval_share: Share | None = Field(
        default=None,
        description="Share licensed right after the delay, where approvals rise slowly to approval_share; "
        "never more than that. Left out: approval_share at once.",
    )
    approval_months: Annotated[Uncertain, Within(0, 60, "months")] | None = Field(
        default=None,
        validate_default=True,
        description="Months from the end of the delay until approval_share is reached; goes with "
        "first_approval_share.",
    )
    covers: Share = Field(
        default=Uncertain(1.0, 1.0, 1.0),
        description="Share of the form's base shipments that needs a licence; less than 1 where only some "
        "products of a basket are controlled.",
    )

    @field_validator("approval_months")
    @classmethod
    def _slow_approvals(cls, value: Uncertain | None, info: ValidationInfo) -> Uncertain | None:
        if "first_approval_share" not in info.data:
            return value
        first, share = info.data["first_approval_share"], info.data.get("approval_share")
        if (value is None) != (first is None):
            has, lacks = "first_approval_share", "approval_months"
            if first is None:
                has, lacks = lacks, has
            refuse(f"{has} without {lacks}", f"Write both, or remove {has!r}.")
        if first is not None and share is not None and first.central() > share.central():
            refuse(
                f"first_approval_share {first.central():g} is above approval_share {share.central():g}",
                "Approvals rise: swap them.",
            )
        return value

    def measured(self, focal: str, form: str) -> tuple[Parameter, ...]:
        """Return delay and approved share where they are left out, as earlier licences had them."""
        by = focal if self.by == FOCAL else self.by
        return tuple(
            parameter
            for parameter in hardness_of(self.kind, by, (self.forms or (form,))[0])
            if parameter.name in _MEASURED and getattr(self, parameter.name) is None
        )


class Inspection(Measure):
    """Extra scrutiny at the border lengthens the way."""

    kind: Literal["inspection"] = "inspection"
    by: Region = Field(description="Exporter: ISO 3166 alpha-3, 'focal' or 'world'.")
    delay_days: Annotated[Uncertain, Within(0, 365, "days")] = Field(description="Extra days on the way.")


class Tariff(Measure):
    """An import tariff: ``by`` levies it on what it buys from ``against``."""

    kind: Literal["tariff"] = "tariff"
    by: Region = Field(description="Importer that levies the tariff: ISO 3166 alpha-3 or 'focal'.")
    rate: Annotated[Uncertain, Within(0, 10, "share of the price")] = Field(
        description="Tariff as a share of the price (ad valorem); 0.25 is 25 %."
    )


class Dumping(Measure):
    """``by`` sells below the base price."""

    kind: Literal["dumping"] = "dumping"
    by: Region = Field(description="Exporter: ISO 3166 alpha-3, 'focal' or 'world'.")
    price_cut: Annotated[Uncertain, Within(0, 0.99, "share of the base price")] = Field(
        description="Cut as a share of the base price."
    )


class CorridorClosure(Measure):
    """A sea passage is closed in part or in whole."""

    targeted: ClassVar[bool] = False
    kind: Literal["corridor_closure"] = "corridor_closure"
    by: Actor = Field(default="unnamed", description="Who or what closes it, in words or as a country code.")
    corridor: Corridor = Field(description="The passage, such as 'malacca'.")
    severity: Share = Field(description="Share of the passage's traffic that cannot pass.")


class Accident(Measure):
    """``by`` loses part of its output (mine, smelter, refinery, power)."""

    targeted: ClassVar[bool] = False
    kind: Literal["accident"] = "accident"
    by: Region = Field(description="Where output is lost: ISO 3166 alpha-3 or 'focal'.")
    capacity_lost: Share = Field(description="Share of base output of the forms that is lost.")


class DemandSurge(Measure):
    """Use rises."""

    targeted: ClassVar[bool] = False
    kind: Literal["demand_surge"] = "demand_surge"
    by: Region = Field(default="world", description="Where it comes from; 'world' unless said.")
    growth: Annotated[Uncertain, Within(0, 100, "share of base use")] = Field(
        description="Rise as a share of base use; 0.5 is half as much again."
    )
    regions: Parties = Field(default=(), description="Where use rises; empty means everywhere.")
    end_use: Text = Field(default="", description="End use of the form that rises; empty means all.")


class StockRelease(Measure):
    """State stock is put on the focal market, evenly from ``effective`` to ``ends``."""

    targeted: ClassVar[bool] = False
    kind: Literal["stock_release"] = "stock_release"
    by: Party = Field(default=FOCAL, description="Whose stock: 'focal' or ISO 3166 alpha-3.")
    share: Share | None = Field(default=None, description="Share of the state stock; this or tonnes.")
    tonnes: Tonnes | None = Field(
        default=None, validate_default=True, description="Tonnes contained; this or share."
    )
    months: int = Field(
        default=1,
        ge=1,
        le=60,
        description="Months over which it is released; sets 'ends'.",
        json_schema_extra={"unit": "months"},
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_end(cls, data: Any) -> Any:
        """Set ``ends`` from ``months`` where it is left out."""
        if not isinstance(data, Mapping) or data.get("ends") is not None:
            return data
        months, effective = data.get("months", 1), data.get("effective")
        first = valid_day(effective)
        if first is None or type(months) is not int or not 1 <= months <= 60:
            return data
        return {**data, "ends": months_later(first, months)}

    @field_validator("tonnes")
    @classmethod
    def _one_amount(cls, value: Uncertain | None, info: ValidationInfo) -> Uncertain | None:
        return exactly_one(value, info, "share")

    @field_validator("months")
    @classmethod
    def _months_fit(cls, value: int, info: ValidationInfo) -> int:
        effective, ends = info.data.get("effective"), info.data.get("ends")
        if effective and ends and ends != months_later(effective, value):
            refuse(
                f"{value} months from {effective} end on {months_later(effective, value)}, not on {ends}",
                "Keep one of 'months' and 'ends'.",
            )
        return value


class Buy(Measure):
    """The state buys for its stock."""

    targeted: ClassVar[bool] = False
    kind: Literal["buy"] = "buy"
    by: Party = Field(default=FOCAL, description="Who buys: 'focal' or ISO 3166 alpha-3.")
    tonnes_per_month: Annotated[Uncertain, Within(0, None, "t contained per month")] = Field(
        description="Tonnes contained bought in each month."
    )


class Swap(Measure):
    """A partner lends material on ``effective``; it goes back on ``ends``."""

    targeted: ClassVar[bool] = False
    kind: Literal["swap"] = "swap"
    by: Party = Field(default=FOCAL, description="Who receives: 'focal' or ISO 3166 alpha-3.")
    partner: Party = Field(description="Who lends: ISO 3166 alpha-3.")
    tonnes: Tonnes = Field(description="Tonnes contained received and later returned.")


class Loan(Measure):
    """The state lends from its stock to firms on ``effective``; they give it back on ``ends``."""

    targeted: ClassVar[bool] = False
    kind: Literal["loan"] = "loan"
    by: Party = Field(default=FOCAL, description="Whose stock: 'focal' or ISO 3166 alpha-3.")
    tonnes: Tonnes = Field(description="Tonnes contained lent and later returned.")


class PriceFloor(Measure):
    """Members of a bloc hold the price of a form at or above a reference (see ``evernormal bloc``)."""

    targeted: ClassVar[bool] = False
    kind: Literal["price_floor"] = "price_floor"
    by: Actor = Field(description="The bloc, in words or as a country code.")
    members: Parties = Field(default=(), description="Members: ISO 3166 alpha-3 codes or 'focal'.")
    share_of_base: Annotated[Uncertain, Within(0, 100, "share of the base price")] | None = Field(
        default=None,
        description="Reference price as a multiple of each member's base price; this or usd_per_tonne.",
    )
    usd_per_tonne: Annotated[Uncertain, Within(0, None, "USD per t contained")] | None = Field(
        default=None, validate_default=True, description="Reference price; this or share_of_base."
    )
    instrument: Literal["levy", "purchase", "contract"] = Field(
        default="levy",
        description="'levy': on goods from outside; 'purchase': members' governments buy at the reference; "
        "'contract': members' makers get the difference from the market.",
    )
    levy: Literal["common", "by_origin"] = Field(
        default="common", description="One levy for all origins, or each origin's own."
    )
    partners: Parties = Field(
        default=(), description="Non-members whose goods enter free: ISO 3166 alpha-3 codes."
    )
    rules_of_origin: Literal["strict", "loose"] = Field(
        default="strict",
        description="'strict': what one member ships to another is free only as far as it made it itself.",
    )
    leakage: Share = Field(
        default=Uncertain(0.0, 0.0, 0.0),
        description="Share of what non-members ship that can be relabelled as made elsewhere; for loose "
        "rules.",
    )
    relabelling_cost: Share = Field(
        default=Uncertain(0.0, 0.0, 0.0),
        description="Cost of relabelling as a share of the exporter's price.",
    )
    through: Parties = Field(default=(), description="Where it is relabelled: ISO 3166 alpha-3 codes.")

    @field_validator("usd_per_tonne")
    @classmethod
    def _one_reference(cls, value: Uncertain | None, info: ValidationInfo) -> Uncertain | None:
        return exactly_one(value, info, "share_of_base")

    @field_validator("leakage")
    @classmethod
    def _nothing_leaks_when_strict(cls, value: Uncertain, info: ValidationInfo) -> Uncertain:
        if value.high > 0 and info.data.get("rules_of_origin") == "strict":
            refuse(
                "strict rules of origin let nothing leak",
                "Write rules_of_origin: loose, or remove leakage.",
            )
        return value


class AllocationOrder(Measure):
    """End uses are served in an ordered sequence (described, not yet simulated)."""

    targeted: ClassVar[bool] = False
    kind: Literal["allocation_order"] = "allocation_order"
    by: Party = Field(default=FOCAL, description="Who orders: 'focal' or ISO 3166 alpha-3.")
    end_uses: Texts = Field(description="End uses, the one served first in front.")


class PriceCap(Measure):
    """A maximum price at home (described, not yet simulated)."""

    targeted: ClassVar[bool] = False
    kind: Literal["price_cap"] = "price_cap"
    by: Party = Field(default=FOCAL, description="Who orders: 'focal' or ISO 3166 alpha-3.")
    usd_per_tonne: Annotated[Uncertain, Within(0, None, "USD per t contained")] = Field(
        description="Maximum price."
    )


AnyMeasure = Annotated[
    Ban
    | Quota
    | Licence
    | Inspection
    | Tariff
    | Dumping
    | CorridorClosure
    | Accident
    | DemandSurge
    | StockRelease
    | Buy
    | Swap
    | Loan
    | PriceFloor
    | AllocationOrder
    | PriceCap,
    Field(discriminator="kind"),
]
"""A measure of any kind, told apart by ``kind``."""

KINDS: Mapping[str, type[Measure]] = {
    str(cls.model_fields["kind"].default): cls for cls in Measure.__subclasses__()
}
"""Kind to class."""


def describe(measure: Measure, language: str = "en", *, focal: str = "KOR", form: str = "") -> str:
    """Return one plain sentence about a measure.

    Args:
        measure: any measure; a resolved one needs neither ``focal`` nor ``form``.
        language: ``en`` or ``ko``.
        focal: who ``focal`` is.
        form: the form meant where the measure names none.

    Raises:
        InputError: another language.
    """
    from evernormal.network.wording import sentence  # noqa: PLC0415  (wording needs the classes above)

    return sentence(measure, language, focal=focal, form=form)
