"""The settings of a box: shipped defaults, overlaid by what the school chose.

Files are TOML, later ones win. An unknown key or a value out of range is an error that names its path. Secrets are
never here: they arrive as systemd credentials (see ``read_credential``). Everything a school does not choose is a
constant in the code that uses it.
"""

import dataclasses
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from appliance.errors import ConfigError

SHIPPED = Path("/usr/share/appliance/appliance.toml")
SITE = Path("/etc/appliance/site.toml")
SETTINGS_VARIABLE = "APPLIANCE_SETTINGS"
Sections = TypeVar("Sections")
LOG_LEVELS = ("debug", "info", "warning", "error")


class UnknownSettingError(ConfigError):
    code = "config.unknown"


class SettingError(ConfigError):
    code = "config.value"


class CredentialError(ConfigError):
    code = "config.credential"


@dataclass(frozen=True)
class Box:
    """Where things lie. ``state_dir`` holds the database, ``run_dir`` the sockets, ``trust_dir`` the anchors."""

    state_dir: Path = Path("/var/lib/appliance")
    run_dir: Path = Path("/run/appliance")
    trust_dir: Path = Path("/etc/appliance/trust")
    log_level: str = field(default="info", metadata={"one_of": LOG_LEVELS})


@dataclass(frozen=True)
class Reader:
    """The card reader. ``name`` is the beginning of a PC/SC reader name; empty takes the one with a card."""

    name: str = ""
    allow_test_cards: bool = False


@dataclass(frozen=True)
class Kiosk:
    """The screen for guardians; loopback only."""

    port: int = field(default=8080, metadata={"least": 1, "most": 65535})
    idle_s: int = field(default=45, metadata={"least": 10, "most": 600})
    grace_s: int = field(default=20, metadata={"least": 5, "most": 120})


@dataclass(frozen=True)
class Staff:
    """The site for school staff on the LAN, HTTPS only. ``names`` are the host names it answers to."""

    address: str = "0.0.0.0"  # noqa: S104 - the LAN is what this site is for; nftables decides who reaches it
    port: int = field(default=443, metadata={"least": 1, "most": 65535})
    names: tuple[str, ...] = ("madoguchi.local",)
    certificate: Path = Path("/var/lib/appliance/staff.crt")


@dataclass(frozen=True)
class Sync:
    """When and how fast the box sends. Hours are local time, ``HH:MM-HH:MM``."""

    lesson_hours: tuple[str, ...] = ("08:30-12:30", "13:20-15:30")
    lesson_days: tuple[int, ...] = (1, 2, 3, 4, 5)
    cap_kbit_s: int = field(default=0, metadata={"least": 0, "most": 1_000_000})


@dataclass(frozen=True)
class Retention:
    """How many years the content of records is kept."""

    access_log_years: int = field(default=5, metadata={"least": 1, "most": 30})


@dataclass(frozen=True)
class Keys:
    """How the keys of the box are kept. ``tpm`` binds them to a TPM 2.0 where there is one, and ``pcrs`` to what its
    firmware measured; ``status`` says for all to read how they are sealed."""

    tpm: str = field(default="auto", metadata={"one_of": ("auto", "never")})
    pcrs: tuple[int, ...] = field(default=(7,), metadata={"least": 0, "most": 23})
    store: Path = Path("/etc/credstore.encrypted")
    status: Path = Path("/etc/appliance/sealing.json")


@dataclass(frozen=True)
class Settings:
    box: Box = Box()
    reader: Reader = Reader()
    kiosk: Kiosk = Kiosk()
    staff: Staff = Staff()
    sync: Sync = Sync()
    retention: Retention = Retention()
    keys: Keys = Keys()


def settings_paths(
    environment: Mapping[str, str] = os.environ,
    variable: str = SETTINGS_VARIABLE,
    installed: tuple[Path, ...] = (SHIPPED, SITE),
) -> list[Path]:
    """The files to read, in order: what the variable lists (separated by ``:``), or else the installed ones."""
    listed = environment.get(variable)
    if listed:
        return [Path(part) for part in listed.split(":") if part]
    return [path for path in installed if path.exists()]


def load_settings(paths: Iterable[Path]) -> Settings:
    """The settings of a box from these files; raises as ``overlay_files`` does."""
    return overlay_files(Settings(), paths)


def overlay_files(settings: Sections, paths: Iterable[Path]) -> Sections:
    """Overlays frozen dataclasses of sections with what the files say, the last one winning.

    Raises ``SettingError`` for a file that cannot be read or a value of the wrong kind, ``UnknownSettingError`` for
    a key that does not exist; both name the file and the path of the key.
    """
    for path in paths:
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingError(file=str(path), key="", reason=str(error)) from error
        settings = _overlay(settings, table, path, "")
    return settings


def changed_settings(settings: Settings) -> dict[str, tuple[str, str]]:
    """The settings that differ from the defaults: dotted key -> (default, now)."""
    default = Settings()
    changed = {}
    for section in dataclasses.fields(Settings):
        before, now = getattr(default, section.name), getattr(settings, section.name)
        for one in dataclasses.fields(before):
            pair = (getattr(before, one.name), getattr(now, one.name))
            if pair[0] != pair[1]:
                changed[f"{section.name}.{one.name}"] = (str(pair[0]), str(pair[1]))
    return changed


def credential_path(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Where systemd put the secret of this name, for libraries that want a file.

    Raises ``CredentialError`` if there are no credentials at all; the file itself is not looked at.
    """
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise CredentialError(name=name, reason="CREDENTIALS_DIRECTORY is not set")
    return Path(folder) / name


def read_credential(name: str, environment: Mapping[str, str] = os.environ) -> bytes:
    """The secret that systemd put into ``$CREDENTIALS_DIRECTORY`` under this name.

    Raises ``CredentialError`` naming the credential, never its content.
    """
    path = credential_path(name, environment)
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialError(name=name, reason=error.strerror or type(error).__name__) from error


@dataclass(frozen=True)
class CredentialSource:
    """A secret that another may be about to replace: ``NAME``, and ``NAME.next`` for as long as both may be met.

    Each call reads both anew and gives them in this order. Raises ``CredentialError`` if there is no ``NAME``.
    """

    name: str

    def __call__(self) -> list[bytes]:
        # The successor first: it takes the name of the other one in one step, and would be missed between the two.
        try:
            successor = [read_credential(successor_of(self.name))]
        except CredentialError:
            successor = []
        return [read_credential(self.name), *successor]


def successor_of(name: str) -> str:
    """The name of the credential that will replace this one."""
    return f"{name}.next"


def _overlay(onto: Any, table: Mapping[str, object], path: Path, prefix: str) -> Any:
    fields = {one.name: one for one in dataclasses.fields(onto)}
    hints = get_type_hints(type(onto))
    changes: dict[str, object] = {}
    for key, value in table.items():
        dotted = f"{prefix}{key}"
        if key not in fields:
            raise UnknownSettingError(file=str(path), key=dotted, known=", ".join(fields))
        now = getattr(onto, key)
        if dataclasses.is_dataclass(now):
            if not isinstance(value, dict):
                raise SettingError(file=str(path), key=dotted, reason="must be a table")
            changes[key] = _overlay(now, value, path, f"{dotted}.")
        else:
            changes[key] = _checked(hints[key], value, fields[key].metadata, path, dotted)
    return dataclasses.replace(onto, **changes)


def _checked(kind: Any, value: object, limits: Mapping[str, Any], path: Path, dotted: str) -> object:
    def refuse(reason: str) -> SettingError:
        return SettingError(file=str(path), key=dotted, reason=reason)

    if kind is Path:
        if not isinstance(value, str) or not value:
            raise refuse("must be a path")
        return Path(value)
    if kind in (tuple[str, ...], tuple[int, ...]):
        item = str if kind == tuple[str, ...] else int
        if not isinstance(value, list) or not all(type(one) is item for one in value):
            raise refuse(f"must be a list of {'texts' if item is str else 'whole numbers'}")
        if "least" in limits and not (value and all(limits["least"] <= one <= limits["most"] for one in value)):
            raise refuse(f"must be one or more numbers between {limits['least']} and {limits['most']}")
        return tuple(value)
    if type(value) is not kind:  # bool is an int to isinstance, and 1 is no truth value
        raise refuse(f"must be {({str: 'a text', int: 'a whole number', bool: 'true or false'})[kind]}")
    if "one_of" in limits and value not in limits["one_of"]:
        raise refuse(f"must be one of {', '.join(limits['one_of'])}")
    if isinstance(value, int) and not limits.get("least", value) <= value <= limits.get("most", value):
        raise refuse(f"must be between {limits['least']} and {limits['most']}")
    return value
