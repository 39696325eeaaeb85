"""One module per country, with the same names in each (`ledger.rules.CountryRules`): numbers, taxes, buyers, print.

Nothing here is legal advice: each rule names its source, and what no source settles is a setting with a default.
"""

from gateway.fiscal import honduras, plain
from gateway.ledger.rules import CountryRules

COUNTRIES: dict[str, CountryRules] = {"plain": plain, "honduras": honduras}
