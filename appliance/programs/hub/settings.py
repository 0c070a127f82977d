"""The settings of a hub: shipped defaults, overlaid by what the prefecture chose in ``/etc/appliance/hub.toml``."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from appliance.config import LOG_LEVELS, overlay_files, settings_paths
from appliance.store.migrate import Family
from appliance.store.schema import LEDGER

SHIPPED = Path("/usr/share/appliance/hub.toml")
CHOSEN = Path("/etc/appliance/hub.toml")
VARIABLE = "APPLIANCE_HUB_SETTINGS"
PORT = {"least": 1, "most": 65535}
FAMILIES = (LEDGER, Family("hub", files("appliance.programs.hub") / "migrations"))

DATABASE_NAME = "hub.db"
AUTHORITY_FILE, BROKER_FILE, LINE_FILE, EVIDENCE_FILE = "ca.crt", "broker.crt", "hub-line.crt", "evidence.pub"
BACKUP_FILE, REVOKED_FILE = "backup.pub", "revoked.crl"
HUB_KEY, AUTHORITY_KEY, LINE_KEY, DATABASE_KEY = "hub.key", "hub-ca.key", "hub-line.key", "hub-database.key"
BROKER_KEY, EVIDENCE_KEY, BACKUP_KEY = "broker.key", "hub-evidence.key", "hub-backup.key"


@dataclass(frozen=True)
class Hub:
    """``name`` signs the receipts; ``state_dir`` holds the database and the public certificates."""

    name: str = "hub"
    state_dir: Path = Path("/var/lib/appliance-hub")
    log_level: str = field(default="info", metadata={"one_of": LOG_LEVELS})


@dataclass(frozen=True)
class Broker:
    """How the hub itself reaches its broker."""

    host: str = "localhost"
    port: int = field(default=8883, metadata=PORT)


@dataclass(frozen=True)
class Boxes:
    """How the boxes reach the broker; their enrolment says so, and the broker's certificate has the name.

    ``certificate_days`` is the life of a box's certificate, which renews itself at two thirds.
    """

    host: str = "localhost"
    port: int = field(default=8883, metadata=PORT)
    certificate_days: int = field(default=90, metadata={"least": 30, "most": 90})


@dataclass(frozen=True)
class Enrolment:
    """Where boxes enrol with a one-time token, at the host that ``Boxes`` names; 0 switches it off."""

    port: int = field(default=0, metadata={"least": 0, "most": 65535})


@dataclass(frozen=True)
class Page:
    """The page of the hub; loopback only."""

    port: int = field(default=8090, metadata=PORT)


@dataclass(frozen=True)
class HubSettings:
    hub: Hub = Hub()
    broker: Broker = Broker()
    boxes: Boxes = Boxes()
    enrolment: Enrolment = Enrolment()
    page: Page = Page()


def load_hub_settings(environment: Mapping[str, str] = os.environ) -> HubSettings:
    """Raises ``ConfigError`` naming the file and the key."""
    return overlay_files(HubSettings(), settings_paths(environment, VARIABLE, (SHIPPED, CHOSEN)))
