"""Which migrations make which database."""

from importlib.resources import files

from appliance.store.migrate import Family
from appliance.store.resealing import reseal

MIGRATIONS = files("appliance.store") / "migrations"
LEDGER = Family("ledger", MIGRATIONS / "ledger", {4: reseal})
BOX = Family("box", MIGRATIONS / "box")
BOX_FAMILIES = (LEDGER, BOX)
