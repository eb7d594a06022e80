# ruff: noqa: E501  tables
"""Places that `build_transit.py` connects: ports by UN/LOCODE, passages, inland hubs, land borders with trade.

Positions of ports come from `searoute`; hubs and passages are typed here (longitude, latitude).
"""

from __future__ import annotations

Point = tuple[float, float]

# Passage: where it is, English and Korean name, days spent waiting and passing, why.  Passages are those of the
# IMF PortWatch list that matter to Korea, Europe or America.
_FREE = "assumption: no queue"
GATES: dict[str, tuple[Point, str, str, float, str]] = {
    "babelmandeb": ((43.3, 12.7), "Bab el-Mandeb", "바브엘만데브 해협", 0.0, _FREE),
    "bosporus": (
        (29.042328, 41.050547),
        "Turkish Straits",
        "터키 해협(보스포루스·다르다넬스)",
        1.0,
        "assumption: one day of queue",
    ),
    "cape-of-good-hope": ((18.0, -35.0), "Cape of Good Hope", "희망봉", 0.0, _FREE),
    "gibraltar": ((-5.354867, 35.968819), "Strait of Gibraltar", "지브롤터 해협", 0.0, _FREE),
    "hormuz": ((56.547226, 26.511054), "Strait of Hormuz", "호르무즈 해협", 0.0, _FREE),
    "lombok": ((115.75, -8.6), "Lombok Strait", "롬복 해협", 0.0, _FREE),
    "magellan": ((-69.175415, -52.362183), "Strait of Magellan", "마젤란 해협", 0.0, _FREE),
    "malacca": ((100.6, 3.2), "Strait of Malacca", "말라카 해협", 0.0, _FREE),
    "panama": (
        (-79.689331, 9.10639),
        "Panama Canal",
        "파나마 운하",
        5.0,
        "assumption: booking, queue and locks; so large that Asia to Europe goes round the Cape when Suez is closed, "
        "as it did from December 2023 (Notteboom, Pallis and Rodrigue, Port Economics, Management and Policy)",
    ),
    "suez": ((32.382202, 30.318359), "Suez Canal", "수에즈 운하", 1.0, "assumption: one day of convoy"),
    "sunda": (
        (105.754542, -5.979226),
        "Sunda Strait",
        "순다 해협",
        2.0,
        "assumption: shallow and reef-bound, so that ships take Malacca while it is open",
    ),
    "taiwan-strait": ((119.5, 24.5), "Taiwan Strait", "대만 해협", 0.0, _FREE),
}

# Tags of the sea network's edges that lie in a passage.
PASSAGE_TAGS = {
    "babalmandab": "babelmandeb",
    "bosporus": "bosporus",
    "dardanelles": "bosporus",
    "chili": "magellan",
    "gibraltar": "gibraltar",
    "malacca": "malacca",
    "ormuz": "hormuz",
    "panama": "panama",
    "south_africa": "cape-of-good-hope",
    "suez": "suez",
    "sunda": "sunda",
}

# Passages that the sea network does not tag: every edge that crosses the line is in the passage.
PASSAGE_LINES: dict[str, tuple[Point, Point]] = {
    "lombok": ((115.2, -8.5), (116.5, -8.5)),
    "taiwan-strait": ((118.0, 24.9), (121.0, 24.3)),
}

# Ports by country; a route uses whichever pair is quickest.
PORTS: dict[str, tuple[str, ...]] = {
    "AGO": ("AOLOB",), "ALB": ("ALDRZ",), "ARE": ("AEJEA",), "ARG": ("ARBUE",),
    "AUS": ("AUFRE", "AUBNE", "AUMEL"), "BEL": ("BEANR",), "BEN": ("BJCOO",), "BGD": ("BDCGP",),
    "BGR": ("BGVAR",), "BHR": ("BHBAH",), "BRA": ("BRSSZ", "BRIOA"), "BRN": ("BNMUA",),
    "CAN": ("CAVAN", "CAMTR"), "CHL": ("CLANF", "CLSAI"), "CHN": ("CNSHA", "CNTAO", "CNYTN"),
    "CIV": ("CIABJ",), "CMR": ("CMDLA",), "COG": ("CGPNR",), "COL": ("COBUN", "COCTG"),
    "CRI": ("CRLIO",), "CUB": ("CUHAV",), "CYP": ("CYLMS",), "DEU": ("DEHAM",), "DJI": ("DJJIB",),
    "DNK": ("DKAAR",), "DOM": ("DOCAU",), "DZA": ("DZALG",), "ECU": ("ECGYE",), "EGY": ("EGALY", "EGSOK"),
    "ERI": ("ERMSW",), "ESP": ("ESBIO", "ESVLC"), "EST": ("EETLL",), "FIN": ("FIKTK",),
    "FRA": ("FRLEH", "FRFOS"), "GAB": ("GALBV",), "GBR": ("GBFXT",), "GEO": ("GEPTI",), "GHA": ("GHTEM",),
    "GIN": ("GNCKY",), "GNQ": ("GQBSG",), "GRC": ("GRPIR",), "GTM": ("GTPRQ", "GTSTC"), "GUY": ("GYGEO",),
    "HKG": ("HKHKG",), "HRV": ("HRRJK",), "IDN": ("IDJKT", "IDUPG"), "IND": ("INMUN", "INMAA"),
    "IRL": ("IEDUB",), "IRN": ("IRBND",), "IRQ": ("IQUQR",), "ISL": ("ISREY",), "ISR": ("ILASH",),
    "ITA": ("ITGOA",), "JAM": ("JMKIN",), "JOR": ("JOAQB",), "JPN": ("JPYOK", "JPOSA"), "KEN": ("KEMBA",),
    "KHM": ("KHSIH",), "KOR": ("KRPUS", "KRKAN"), "KWT": ("KWSWK",), "LBN": ("LBBEY",), "LBR": ("LRMLW",),
    "LBY": ("LYTIP",), "LKA": ("LKCMB",), "LTU": ("LTKLJ",), "LVA": ("LVRIX",), "MAC": ("MOMFM",),
    "MAR": ("MACAS",), "MDG": ("MGTOA",), "MEX": ("MXZLO", "MXVER"), "MLT": ("MTMLA",), "MMR": ("MMRGN",),
    "MNE": ("MEBAR",), "MOZ": ("MZMPM", "MZMNC"), "MRT": ("MRNDB",), "MUS": ("MUPLU",),
    "MYS": ("MYPKG", "MYKUA"), "NAM": ("NAWVB",), "NCL": ("NCNOU",), "NGA": ("NGLOS",), "NIC": ("NICIO",),
    "NLD": ("NLRTM",), "NOR": ("NOBGO",), "NZL": ("NZAKL",), "OMN": ("OMSOH",), "PAK": ("PKKHI",),
    "PAN": ("PABLB", "PAONX"), "PER": ("PECLL",), "PHL": ("PHMNL",), "PNG": ("PGLAE",), "POL": ("PLGDN",),
    "PRK": ("KPNAM",), "PRT": ("PTSIE",), "QAT": ("QAHMD",), "ROU": ("ROCND",),
    "RUS": ("RULED", "RUVVO", "RUNVS"), "SAU": ("SADMN", "SAJED"), "SDN": ("SDPZU",), "SEN": ("SNDKR",),
    "SGP": ("SGSIN",), "SLE": ("SLFNA",), "SOM": ("SOBBO",), "SUR": ("SRPBM",), "SVN": ("SIKOP",),
    "SWE": ("SEGOT",), "SYR": ("SYLTK",), "TGO": ("TGLFW",), "THA": ("THLCH",), "TTO": ("TTPTS",),
    "TUN": ("TNRAD",), "TUR": ("TRMER",), "TWN": ("TWKHH",), "TZA": ("TZDAR",), "UKR": ("UAODS",),
    "URY": ("UYMVD",), "USA": ("USLAX", "USHOU", "USNYC"), "VEN": ("VELAG",), "VNM": ("VNHPH", "VNSGN"),
    "YEM": ("YEADE",), "ZAF": ("ZADUR",), "SLB": ("SBHIR",), "FJI": ("FJSUV",), "HND": ("HNPCR",),
    "SLV": ("SVAQJ",), "HTI": ("HTPAP",), "GMB": ("GMBJL",), "GNB": ("GWOXB",),
}  # fmt: skip

# Inland hubs: mining or industrial centres.
HUBS: dict[str, Point] = {
    "Almaty": (76.95, 43.24), "Antwerp": (4.40, 51.22), "Asuncion": (-57.64, -25.28), "Bamako": (-8.00, 12.64),
    "Bangkok": (100.50, 13.76), "Baku": (49.87, 40.41), "Bangui": (18.56, 4.39), "Belgrade": (20.46, 44.82),
    "Bishkek": (74.59, 42.87), "Blantyre": (35.01, -15.79), "Bratislava": (17.11, 48.15),
    "Budapest": (19.04, 47.50), "Bujumbura": (29.36, -3.38), "Bulawayo": (28.58, -20.15),
    "Changsha": (112.94, 28.23), "Chicago": (-87.63, 41.88), "Chisinau": (28.86, 47.01),
    "Copenhagen": (12.57, 55.68), "Duesseldorf": (6.78, 51.23), "Addis Ababa": (38.75, 9.01),
    "Francistown": (27.51, -21.17), "Gothenburg": (11.97, 57.71), "Hanoi": (105.85, 21.03),
    "Harare": (31.05, -17.83), "Helsinki": (24.94, 60.17), "Irkutsk": (104.30, 52.29), "Johannesburg": (28.05, -26.20),
    "Juba": (31.58, 4.85), "Kabul": (69.17, 34.53), "Kampala": (32.58, 0.35), "Kathmandu": (85.32, 27.71),
    "Kigali": (30.06, -1.95), "Kitwe": (28.21, -12.82), "Kolwezi": (25.47, -10.72), "Kunming": (102.83, 24.88),
    "La Paz": (-68.15, -16.50), "Lisbon": (-9.14, 38.72), "Ljubljana": (14.51, 46.06), "Luxembourg": (6.13, 49.61),
    "Lyon": (4.84, 45.76), "Madrid": (-3.70, 40.42), "Mandalay": (96.08, 21.98), "Manzini": (31.37, -26.50),
    "Maputo": (32.58, -25.97), "Maseru": (27.48, -29.31), "Milan": (9.19, 45.46), "Minsk": (27.57, 53.90),
    "Monterrey": (-100.32, 25.69), "Moscow": (37.62, 55.76), "N'Djamena": (15.04, 12.13), "Niamey": (2.11, 13.51),
    "Oslo": (10.75, 59.91), "Ouagadougou": (-1.52, 12.37), "Paris": (2.35, 48.86), "Prague": (14.44, 50.08),
    "Rotterdam": (4.48, 51.92), "San Jose de Chiquitos": (-60.74, -17.85), "Sao Paulo": (-46.63, -23.55),
    "Sarajevo": (18.41, 43.86), "Skopje": (21.43, 42.00), "Sofia": (23.32, 42.70), "Tashkent": (69.24, 41.30),
    "Tehran": (51.39, 35.69), "Toronto": (-79.38, 43.65), "Turkmenabat": (63.58, 39.08), "Ulaanbaatar": (106.92, 47.92),
    "Urumqi": (87.62, 43.83), "Vienna": (16.37, 48.21), "Vientiane": (102.63, 17.97), "Warsaw": (21.01, 52.23),
    "Windhoek": (17.08, -22.57), "Xian": (108.94, 34.34), "Yerevan": (44.51, 40.18), "Yekaterinburg": (60.60, 56.84),
    "Zurich": (8.54, 47.38), "Dushanbe": (68.78, 38.56), "Thimphu": (89.64, 27.47), "Riga": (24.11, 56.95),
    "Katowice": (19.02, 50.26), "Istanbul": (28.98, 41.01), "Bucharest": (26.10, 44.43), "Buenos Aires": (-58.38, -34.60),
    "Santiago": (-70.67, -33.45), "Delhi": (77.21, 28.61), "Kuala Lumpur": (101.69, 3.14), "Singapore": (103.82, 1.35),
    "Hong Kong": (114.17, 22.32), "Shenzhen": (114.06, 22.54), "Lubumbashi": (27.48, -11.66),
}  # fmt: skip

# Countries without a usual port of their own: hub, borders crossed, ports used.
# The Congo's copper and cobalt leaves by Durban, Dar es Salaam, Beira or Lobito, not by Matadi.
LANDLOCKED: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "AFG": ("Kabul", 1, ("PKKHI",)), "ARM": ("Yerevan", 1, ("GEPTI",)), "AUT": ("Vienna", 1, ("SIKOP", "DEHAM")),
    "AZE": ("Baku", 1, ("GEPTI",)), "BDI": ("Bujumbura", 1, ("TZDAR",)), "BFA": ("Ouagadougou", 1, ("GHTEM",)),
    "BIH": ("Sarajevo", 1, ("HRRJK",)), "BLR": ("Minsk", 1, ("LTKLJ", "RULED")), "BOL": ("La Paz", 1, ("CLANF",)),
    "BTN": ("Thimphu", 1, ("INMAA",)), "BWA": ("Francistown", 1, ("ZADUR",)), "CAF": ("Bangui", 1, ("CMDLA",)),
    "CHE": ("Zurich", 2, ("NLRTM", "ITGOA")), "COD": ("Kolwezi", 3, ("ZADUR", "TZDAR")),
    "CZE": ("Prague", 1, ("DEHAM",)), "ETH": ("Addis Ababa", 1, ("DJJIB",)), "HUN": ("Budapest", 2, ("SIKOP",)),
    "KAZ": ("Almaty", 1, ("CNTAO", "RULED")), "KGZ": ("Bishkek", 1, ("CNTAO",)), "LAO": ("Vientiane", 1, ("THLCH",)),
    "LSO": ("Maseru", 1, ("ZADUR",)), "LUX": ("Luxembourg", 1, ("BEANR",)), "MDA": ("Chisinau", 1, ("ROCND",)),
    "MKD": ("Skopje", 1, ("GRPIR",)), "MLI": ("Bamako", 1, ("SNDKR", "CIABJ")),
    "MNG": ("Ulaanbaatar", 1, ("CNTAO", "RUVVO")), "MWI": ("Blantyre", 1, ("MZMNC",)), "NER": ("Niamey", 1, ("BJCOO",)),
    "NPL": ("Kathmandu", 1, ("INMAA",)), "PRY": ("Asuncion", 1, ("ARBUE",)), "RWA": ("Kigali", 1, ("TZDAR",)),
    "SRB": ("Belgrade", 2, ("MEBAR", "ROCND")), "SSD": ("Juba", 2, ("KEMBA",)), "SVK": ("Bratislava", 2, ("SIKOP",)),
    "SWZ": ("Manzini", 1, ("MZMPM",)), "TCD": ("N'Djamena", 1, ("CMDLA",)), "TJK": ("Dushanbe", 2, ("IRBND",)),
    "TKM": ("Turkmenabat", 1, ("IRBND",)), "UGA": ("Kampala", 1, ("KEMBA",)),
    "UZB": ("Tashkent", 2, ("CNTAO", "IRBND")), "ZMB": ("Kitwe", 2, ("TZDAR", "ZADUR")),
    "ZWE": ("Harare", 1, ("MZMPM", "ZADUR")),
}  # fmt: skip

# Neighbours that trade by land: country and hub on either side.
LAND_PAIRS: list[tuple[tuple[str, str], tuple[str, str]]] = [
    (("CHN", "Xian"), ("RUS", "Irkutsk")), (("CHN", "Xian"), ("MNG", "Ulaanbaatar")),
    (("CHN", "Xian"), ("KAZ", "Almaty")), (("CHN", "Urumqi"), ("KGZ", "Bishkek")),
    (("CHN", "Kunming"), ("VNM", "Hanoi")), (("CHN", "Kunming"), ("LAO", "Vientiane")),
    (("CHN", "Kunming"), ("MMR", "Mandalay")), (("CHN", "Shenzhen"), ("HKG", "Hong Kong")),
    (("KAZ", "Almaty"), ("UZB", "Tashkent")), (("KAZ", "Almaty"), ("RUS", "Yekaterinburg")),
    (("KAZ", "Almaty"), ("KGZ", "Bishkek")), (("MNG", "Ulaanbaatar"), ("RUS", "Irkutsk")),
    (("BLR", "Minsk"), ("RUS", "Moscow")), (("POL", "Warsaw"), ("BLR", "Minsk")), (("RUS", "Moscow"), ("LVA", "Riga")),
    (("FIN", "Helsinki"), ("RUS", "Moscow")), (("FIN", "Helsinki"), ("SWE", "Gothenburg")),
    (("SWE", "Gothenburg"), ("NOR", "Oslo")), (("DNK", "Copenhagen"), ("SWE", "Gothenburg")),
    (("DNK", "Copenhagen"), ("DEU", "Duesseldorf")), (("DEU", "Duesseldorf"), ("NLD", "Rotterdam")),
    (("DEU", "Duesseldorf"), ("BEL", "Antwerp")), (("DEU", "Duesseldorf"), ("FRA", "Paris")),
    (("DEU", "Duesseldorf"), ("POL", "Warsaw")), (("DEU", "Duesseldorf"), ("CZE", "Prague")),
    (("DEU", "Duesseldorf"), ("AUT", "Vienna")), (("DEU", "Duesseldorf"), ("CHE", "Zurich")),
    (("DEU", "Duesseldorf"), ("LUX", "Luxembourg")), (("NLD", "Rotterdam"), ("BEL", "Antwerp")),
    (("BEL", "Antwerp"), ("FRA", "Paris")), (("BEL", "Antwerp"), ("LUX", "Luxembourg")),
    (("FRA", "Paris"), ("LUX", "Luxembourg")), (("FRA", "Lyon"), ("CHE", "Zurich")), (("FRA", "Lyon"), ("ITA", "Milan")),
    (("FRA", "Lyon"), ("ESP", "Madrid")), (("ESP", "Madrid"), ("PRT", "Lisbon")), (("ITA", "Milan"), ("CHE", "Zurich")),
    (("ITA", "Milan"), ("AUT", "Vienna")), (("ITA", "Milan"), ("SVN", "Ljubljana")),
    (("AUT", "Vienna"), ("CZE", "Prague")), (("AUT", "Vienna"), ("SVK", "Bratislava")),
    (("AUT", "Vienna"), ("HUN", "Budapest")), (("AUT", "Vienna"), ("SVN", "Ljubljana")),
    (("AUT", "Vienna"), ("CHE", "Zurich")), (("CZE", "Prague"), ("SVK", "Bratislava")),
    (("CZE", "Prague"), ("POL", "Katowice")), (("POL", "Katowice"), ("SVK", "Bratislava")),
    (("HUN", "Budapest"), ("SVK", "Bratislava")), (("HUN", "Budapest"), ("ROU", "Bucharest")),
    (("HUN", "Budapest"), ("SRB", "Belgrade")), (("SRB", "Belgrade"), ("BIH", "Sarajevo")),
    (("SRB", "Belgrade"), ("BGR", "Sofia")), (("BGR", "Sofia"), ("ROU", "Bucharest")),
    (("BGR", "Sofia"), ("TUR", "Istanbul")), (("MKD", "Skopje"), ("BGR", "Sofia")),
    (("TUR", "Istanbul"), ("IRN", "Tehran")), (("USA", "Chicago"), ("CAN", "Toronto")),
    (("USA", "Chicago"), ("MEX", "Monterrey")), (("ARG", "Buenos Aires"), ("BRA", "Sao Paulo")),
    (("ARG", "Buenos Aires"), ("CHL", "Santiago")), (("ARG", "Buenos Aires"), ("PRY", "Asuncion")),
    (("BRA", "Sao Paulo"), ("PRY", "Asuncion")), (("BOL", "San Jose de Chiquitos"), ("BRA", "Sao Paulo")),
    (("BOL", "La Paz"), ("CHL", "Santiago")), (("COD", "Kolwezi"), ("ZMB", "Kitwe")),
    (("COD", "Lubumbashi"), ("ZAF", "Johannesburg")), (("ZMB", "Kitwe"), ("ZWE", "Harare")),
    (("ZMB", "Kitwe"), ("ZAF", "Johannesburg")), (("ZWE", "Bulawayo"), ("ZAF", "Johannesburg")),
    (("BWA", "Francistown"), ("ZAF", "Johannesburg")), (("NAM", "Windhoek"), ("ZAF", "Johannesburg")),
    (("MOZ", "Maputo"), ("ZAF", "Johannesburg")), (("LSO", "Maseru"), ("ZAF", "Johannesburg")),
    (("SWZ", "Manzini"), ("ZAF", "Johannesburg")), (("UGA", "Kampala"), ("RWA", "Kigali")),
    (("RWA", "Kigali"), ("BDI", "Bujumbura")), (("IND", "Delhi"), ("NPL", "Kathmandu")),
    (("THA", "Bangkok"), ("LAO", "Vientiane")), (("VNM", "Hanoi"), ("LAO", "Vientiane")),
    (("THA", "Bangkok"), ("MYS", "Kuala Lumpur")), (("MYS", "Kuala Lumpur"), ("SGP", "Singapore")),
]  # fmt: skip
