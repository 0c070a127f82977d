"""The box that a sub-command works on, from settings and credentials."""

from appliance.clock import SystemClock
from appliance.config import Settings, load_settings, read_credential, settings_paths
from appliance.ledger.keys import SigningKey
from appliance.services.opening import OpenBox, open_box


def settings() -> Settings:
    return load_settings(settings_paths())


def opened_box() -> OpenBox:
    """Raises ``ConfigError`` when a credential or the database is missing."""
    device_key = SigningKey.from_pem(read_credential("device.key"))
    return open_box(settings().box.state_dir, read_credential("database.key"), device_key, SystemClock())
