"""The words by which columns and values are recognised, and nothing else.

They are what people write into headers, not what any one file holds; no threshold and
no table of values stands here.
"""

from __future__ import annotations

import re

NULL_WORDS = (
    "",
    "-",
    ".",
    "..",
    "...",
    "#n/a",
    "n/a",
    "na",
    "nan",
    "nat",
    "none",
    "null",
    "not available",
    "no data",
    "\N{HORIZONTAL ELLIPSIS}",
)

BOOKKEEPING = re.compile(
    r"ingest|provenance|uuid|guid|confidence|(^|_)source(_|$)|source_name|created|"
    r"updated|modified|inserted|loaded|processed|downloaded|fetched|first_seen|"
    r"knowable|(^|_)batch$|sha256|^index$|^unnamed|^line$|column_order|as_of_time|"
    r"yymmdd|basis|pit_grade"
)
"""Columns about the loading of a row, not about what it describes."""

LOADED = re.compile(r"ingest|created|updated|loaded|processed|fetched|first_seen")
"""Columns that say when a row was loaded."""

SOURCE = re.compile(r"^(data_)?source(_?name)?$|^provider$|^vendor$")

DATES = (
    re.compile(r"^(the_)?(date|time|day|timestamp|datetime|sasdate)$"),
    re.compile(r"(report|observation|trade|price|settle|as_of).*date|date.*yyyy.mm.dd"),
    re.compile(r"date|yyyymm|week_end|^month$|^week$|^period$|^quarter$"),
    re.compile(r"time|published|_on$|_at$"),
)
"""Names of the column that dates a row, the likeliest first."""

SERIES = re.compile(
    r"(^|_)(symbol|ticker|series|series_id|indicator|msn|contract|contract_code|"
    r"contract_market_code|instrument|station|station_id|mnemonic|market_and_exchange_names)$"
)
"""Names of a column that alone says which series a row is of."""

BETWEEN = re.compile(r"^(from|to|base|quote)_(currency|ccy)$")
EDITION = re.compile(r"^(vintage|horizon|horizon_days|contract_month|delivery)$")
"""Names of columns by which one series has several rows of a date, rightly."""

LABEL = re.compile(
    r"region|state|country|city|place|location|destination|origin|partner|area|"
    r"commodity|product|crop|item|category|class|type|stage|attribute|marketing_year|"
    r"unit|currency|name|description|sector|group|variable|measure|market"
)
"""Names of columns that together with others may say it."""

OPEN = re.compile(r"^open$")
HIGH = re.compile(r"^high$")
LOW = re.compile(r"^low$")
CLOSES = (
    re.compile(r"^close$"),
    re.compile(r"^(last|latest|settle|price|value|rate)$"),
)
PRICE = re.compile(r"^(open|high|low|close|adj_close|last|latest|settle|wave|price)$")

MAY_BE_ZERO = re.compile(
    r"volume|(^|_)vol(_|$)|dividend|split|capital_gain|open_int|snow|change|spread|"
    r"flag|is_|has_|dummy|surprise|recession"
)
"""Columns in which nothing but zeros is an answer, not a hole."""

COUNTED = re.compile(
    r"^(year|month|week|day|quarter|row|rank|number|id|hour|dow|doy|decade|lat|lon|"
    r"latitude|longitude|elevation)$|(_|^)(code|id|no)$|day_of|_of_(year|month|week)$|"
    r"week_number|report_week|contract_units|cftc_.*"
)
"""Columns that count or name; their values are no measurements."""

INVENTED = re.compile(
    r"synthetic|baseline.?pattern|placeholder|dummy|\bfake|\bmock|simulated|"
    r"made.?up|generated.?data|test.?data|lorem",
    re.I,
)
"""What a source is called that measured nothing."""

HOLLOW = re.compile(
    r"(?<!\w)(None|null|NaN|undefined|\{\w*\})(?!\w)\s*(->|\N{RIGHTWARDS ARROW}|,|:|/|$)"
)
"""What a template leaves in a text where nothing was filled in."""

TEMPERATURE = re.compile(r"temp|^t(max|min|avg|mean)$|tmax|tmin")
RAIN = re.compile(r"rain|precip|prcp")
CUMULATIVE = re.compile(r"cumul|(^|_)(ytd|todate|to_date|accumulated)(_|$)")
SEASON = re.compile(r"marketing_?year|crop_?year|season|campaign|^year$")
HARVEST = re.compile(r"harvest")
UNITED_STATES = re.compile(
    r"^(us|u\.s\.|usa|united states|us total|iowa|illinois|indiana|ohio|nebraska|"
    r"minnesota|missouri|kansas|arkansas|mississippi|kentucky|wisconsin|"
    r"north dakota|south dakota)( total)?$",
    re.I,
)


def plain(name: str) -> str:
    """Return a column's name in small letters with one mark between its words."""
    return re.sub(r"[^a-z0-9.]+", "_", name.strip().lower()).strip("_")
