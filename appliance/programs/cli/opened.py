"""The box that a sub-command works on, from settings and credentials."""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.clock import SystemClock
from appliance.config import CredentialSource, Settings, load_settings, settings_paths
from appliance.services.device_keys import DeviceKeys
from appliance.services.founding import DATABASE_KEY
from appliance.services.opening import OpenBox, open_box


def settings() -> Settings:
    return load_settings(settings_paths())


@contextmanager
def opened_box() -> Iterator[OpenBox]:
    """Raises ``ConfigError`` when a setting is wrong, or a credential or the database is missing."""
    device_keys = DeviceKeys()
    device_keys()  # first: without credentials there is no box here, whatever the settings say
    box = open_box(settings().box.state_dir, CredentialSource(DATABASE_KEY), device_keys, SystemClock())
    with box.database:
        yield box
