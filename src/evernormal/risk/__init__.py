"""What can go wrong? Indicators of concentration, criticality and dependence.

The names below are the room's door; each is loaded when it is first used.  No file of the room is named
like one of them, so that ``risk.geopolrisk`` is always the function.

>>> from evernormal import risk
>>> float(risk.herfindahl([0.5, 0.5]))
0.5
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evernormal.risk.dependence import n_minus_one, net_import_reliance, remaining_supply, supplier_shares
    from evernormal.risk.disagreement import method_disagreement
    from evernormal.risk.european_union import eu_critical, eu_supply_risk, eu_supply_risk_interval, hhi_wgi_t
    from evernormal.risk.exposure_duty import concentration_duty, neighbours_of
    from evernormal.risk.exposure_report import exposure
    from evernormal.risk.exposure_trend import trend
    from evernormal.risk.focal import supply_risk
    from evernormal.risk.forecast_evaluation import evaluate_forecasts
    from evernormal.risk.forecasting import forecast
    from evernormal.risk.geopolitical import geopolrisk
    from evernormal.risk.hazard_draws import draw_hazards, hazard_measures
    from evernormal.risk.hazard_table import hazards
    from evernormal.risk.importance import economic_importance, economic_importance_interval
    from evernormal.risk.momentum import change_point, dependence_trends
    from evernormal.risk.origin import trace_origin
    from evernormal.risk.origin_algebra import origin_matrix
    from evernormal.risk.package_differences import geopolrisk_differences
    from evernormal.risk.resampling import resample
    from evernormal.risk.shares import concentration, herfindahl
    from evernormal.risk.stability import stability_band, stability_index
    from evernormal.risk.stability_monthly import monthly_stability
    from evernormal.risk.stability_table import supply_stability
    from evernormal.risk.study import eu_criticality_table, eu_economic_importance_table, eu_supply_risk_table
    from evernormal.risk.targets import target_progress
    from evernormal.risk.targets_table import read_targets
    from evernormal.risk.usgs_risk import (
        disruption_potential,
        economic_vulnerability,
        usgs_supply_risk,
        usgs_supply_risk_table,
    )

_HOMES = {
    "change_point": "momentum",
    "concentration": "shares",
    "concentration_duty": "exposure_duty",
    "dependence_trends": "momentum",
    "disruption_potential": "usgs_risk",
    "draw_hazards": "hazard_draws",
    "economic_importance": "importance",
    "economic_importance_interval": "importance",
    "economic_vulnerability": "usgs_risk",
    "eu_critical": "european_union",
    "eu_criticality_table": "study",
    "eu_economic_importance_table": "study",
    "eu_supply_risk": "european_union",
    "eu_supply_risk_interval": "european_union",
    "eu_supply_risk_table": "study",
    "evaluate_forecasts": "forecast_evaluation",
    "exposure": "exposure_report",
    "forecast": "forecasting",
    "geopolrisk": "geopolitical",
    "geopolrisk_differences": "package_differences",
    "hazard_measures": "hazard_draws",
    "hazards": "hazard_table",
    "herfindahl": "shares",
    "hhi_wgi_t": "european_union",
    "method_disagreement": "disagreement",
    "monthly_stability": "stability_monthly",
    "n_minus_one": "dependence",
    "neighbours_of": "exposure_duty",
    "net_import_reliance": "dependence",
    "origin_matrix": "origin_algebra",
    "read_targets": "targets_table",
    "remaining_supply": "dependence",
    "resample": "resampling",
    "stability_band": "stability",
    "stability_index": "stability",
    "supplier_shares": "dependence",
    "supply_risk": "focal",
    "supply_stability": "stability_table",
    "target_progress": "targets",
    "trace_origin": "origin",
    "trend": "exposure_trend",
    "usgs_supply_risk": "usgs_risk",
    "usgs_supply_risk_table": "usgs_risk",
}

__all__ = [
    "change_point",
    "concentration",
    "concentration_duty",
    "dependence_trends",
    "disruption_potential",
    "draw_hazards",
    "economic_importance",
    "economic_importance_interval",
    "economic_vulnerability",
    "eu_critical",
    "eu_criticality_table",
    "eu_economic_importance_table",
    "eu_supply_risk",
    "eu_supply_risk_interval",
    "eu_supply_risk_table",
    "evaluate_forecasts",
    "exposure",
    "forecast",
    "geopolrisk",
    "geopolrisk_differences",
    "hazard_measures",
    "hazards",
    "herfindahl",
    "hhi_wgi_t",
    "method_disagreement",
    "monthly_stability",
    "n_minus_one",
    "neighbours_of",
    "net_import_reliance",
    "origin_matrix",
    "read_targets",
    "remaining_supply",
    "resample",
    "stability_band",
    "stability_index",
    "supplier_shares",
    "supply_risk",
    "supply_stability",
    "target_progress",
    "trace_origin",
    "trend",
    "usgs_supply_risk",
    "usgs_supply_risk_table",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"evernormal.risk.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'evernormal.risk' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
