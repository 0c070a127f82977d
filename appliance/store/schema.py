"""Which migrations make which database."""

from importlib.resources import files

from appliance.store.migrate import Family

MIGRATIONS = files("appliance.store") / "migrations"
LEDGER = Family("ledger", MIGRATIONS / "ledger")
BOX = Family("box", MIGRATIONS / "box")
BOX_FAMILIES = (LEDGER, BOX)
