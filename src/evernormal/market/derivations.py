"""How every column of a simulation was made: what ``explain`` walks along."""

from __future__ import annotations

from evernormal.result import Derivation

__all__ = ["DERIVATIONS"]

_CURVES = (
    "parameter:use_elasticity",
    "parameter:use_elasticity_growth",
    "parameter:use_elasticity_months",
    "parameter:choke_ratio",
)
_OTHER = (
    "parameter:other_supply_limit",
    "parameter:other_supply_start",
    "parameter:other_supply_full",
    "parameter:other_supply_months",
)
_ROUTES = (
    "parameter:substitution_short",
    "parameter:substitution_long",
    "parameter:rerouting_months",
    "parameter:new_route_premium",
    "parameter:new_route_size",
)
_OUTPUT = (
    "parameter:supply_elasticity",
    "parameter:spare_capacity",
    "parameter:idle_discount",
    "parameter:absorption_discount",
)
_STOCKS = ("parameter:convenience_slope", "parameter:commercial_stock_scale")

DERIVATIONS: tuple[Derivation, ...] = (
    Derivation(
        "base_rows",
        "contained_t",
        "E47",
        ("base_rows.quantity_t", "base_rows.content"),
        "Gross times content.",
    ),
    Derivation(
        "implied_flows",
        "implied_t",
        "E27",
        (
            "implied_flows.exports_t",
            "implied_flows.use_t",
            "implied_flows.visible_imports_t",
            "implied_flows.production_t",
            "implied_flows.surplus_t",
            "parameter:recovered_share",
        ),
        "What a supplier that ships more than it makes must buy, from those with a surplus.",
    ),
    *(
        Derivation("implied_flows", column, "E27", (), "What publications and statistics say of the country.")
        for column in ("exports_t", "use_t", "visible_imports_t", "production_t", "recovered_t", "surplus_t")
    ),
    Derivation(
        "imports",
        "base_imports_t",
        "E1",
        ("base_rows.contained_t", "adjustments"),
        "A twelfth of the base year.",
    ),
    Derivation(
        "imports",
        "imports_t",
        "E48",
        ("imports.base_imports_t", "measures", *_ROUTES),
        "Arrivals by supplier.",
    ),
    Derivation("supply", "imports_t", "E48", ("imports.imports_t",), "Sum of arrivals over suppliers."),
    Derivation("supply", "base_imports_t", "E1", ("imports.base_imports_t",), "Sum over suppliers."),
    Derivation(
        "supply", "domestic_t", "E45", ("regions.production_t", *_OUTPUT), "Output in the focal region."
    ),
    Derivation(
        "supply",
        "base_use_t",
        "E1",
        ("base_rows.contained_t", "adjustments"),
        "Use of the balanced base year.",
    ),
    Derivation(
        "supply",
        "other_supply_t",
        "E58",
        ("supply.base_use_t", "supply.price_ratio", *_OTHER),
        "Domestic output, recycling and other forms that no statistic of the base year shows.",
    ),
    Derivation(
        "supply", "use_t", "E41", ("supply.base_use_t", "supply.price_ratio", *_CURVES), "Use at the price."
    ),
    Derivation("supply", "shortage_t", "E51", ("supply.base_use_t", "supply.use_t"), "Base use less use."),
    Derivation(
        "supply", "commercial_stock_t", "E45", ("supply.imports_t", "supply.use_t", *_STOCKS), "Firms' stock."
    ),
    Derivation("supply", "release_t", "E45", ("measures",), "Put on the market by the focal state."),
    Derivation("supply", "state_stock_t", "E45", ("supply.release_t",), "What the state still holds."),
    Derivation(
        "supply",
        "cover_days",
        "E53",
        ("supply.commercial_stock_t", "supply.state_stock_t", "supply.base_use_t"),
        "Stock over daily base use.",
    ),
    Derivation(
        "supply", "price_ratio", "E50", ("supply.use_t", *_CURVES, *_OUTPUT, *_ROUTES), "Dual of the balance."
    ),
    Derivation(
        "supply",
        "price_usd_t",
        "E50",
        ("supply.price_ratio", "base_rows.value_usd"),
        "Ratio times base price.",
    ),
    Derivation("supply", "loss_usd", "E52", ("end_use.loss_usd",), "Sum over end uses."),
    Derivation("end_use", "shortage_t", "E51", ("end_use.base_use_t", "end_use.use_t"), "Base use less use."),
    Derivation("end_use", "base_use_t", "E1", ("supply.base_use_t",), "Share of the end use in base use."),
    Derivation("end_use", "use_t", "E41", ("end_use.base_use_t", "supply.price_ratio"), "Use at the price."),
    Derivation(
        "end_use",
        "loss_usd",
        "E52",
        ("end_use.shortage_t", "parameter:value_added", "parameter:substitutable"),
        "Shortage times value added per tonne times what cannot be substituted.",
    ),
    Derivation(
        "runway",
        "stock_t",
        "E55",
        ("supply.imports_t", "supply.domestic_t", "supply.base_use_t"),
        "Day by day.",
    ),
    Derivation(
        "runway", "cover_days", "E53", ("runway.stock_t", "supply.base_use_t"), "Stock over daily base use."
    ),
    Derivation(
        "rerouting",
        "change_t",
        "E54",
        ("imports.imports_t", "imports.base_imports_t"),
        "While measures bite.",
    ),
    Derivation("bands", "p50", "E56", ("parameters",), "Percentile over the draws of all parameters."),
    Derivation("summary", "shortage_t", "E51", ("supply.shortage_t",), "Sum over the horizon."),
    Derivation(
        "summary", "shortage_share", "E51", ("supply.shortage_t", "supply.base_use_t"), "Share of base use."
    ),
    Derivation("summary", "loss_usd", "E52", ("supply.loss_usd",), "Sum over the horizon."),
    Derivation("summary", "peak_price_ratio", "E50", ("supply.price_ratio",), "Highest month."),
    Derivation("summary", "min_cover_days", "E53", ("supply.cover_days",), "Lowest month."),
    Derivation(
        "summary",
        "imports_lost_t",
        "E54",
        ("supply.base_imports_t", "supply.imports_t"),
        "While measures bite.",
    ),
    Derivation(
        "summary", "base_imports_year_t", "E1", ("base_rows.contained_t", "adjustments"), "Base year."
    ),
    Derivation("summary", "base_use_year_t", "E1", ("base_rows.contained_t", "adjustments"), "Base year."),
    Derivation(
        "summary", "stop_date_with_release", "E55", ("runway.stock_t",), "First day below the base rate."
    ),
    Derivation(
        "summary", "stop_date_without_release", "E55", ("runway.stock_t",), "First day below the base rate."
    ),
    Derivation(
        "summary",
        "first_shortage_month",
        "E51",
        ("supply.shortage_t",),
        "First month above 0.1 % of base use.",
    ),
    Derivation("summary", "lowest_use_possible", "E55", ("runway.use_possible",), "Lowest day."),
    Derivation(
        "summary", "gross_per_contained", "E47", ("base_rows.content",), "Inverse of the mean content."
    ),
)
