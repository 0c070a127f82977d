"""Which migrations make which database."""

from importlib.resources import files

from appliance.store.migrate import Family
from appliance.store.resealing import reseal

MIGRATIONS = files("appliance.store") / "migrations"
LEDGER = Family("ledger", MIGRATIONS / "ledger", {4: reseal})
BOX = Family("box", MIGRATIONS / "box")
BOX_FAMILIES = (LEDGER, BOX)
GENERATION_NOW = "coalesce((SELECT generation FROM school), 1)"
"""In SQL: the generation of the box's ledger that is written now."""
