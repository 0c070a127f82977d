"""Units, users and settings of the device: each belongs to a program, and none opens more than it says."""

import configparser
import re
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from appliance.config import Settings, load_settings, successor_of
from tests.firmware.layout import FIRMWARE, PROJECT, SYSTEMD, Unit, analyze, lay_out, make_users, our_units

pytestmark = pytest.mark.peer

PROGRAMS = PROJECT / "appliance/programs"
SERVICES = {unit.name: unit for unit in our_units("service")}
SOCKETS = {unit.name: unit for unit in our_units("socket")}
SERVED_BY = re.compile(r"/opt/madoguchi/venv/bin/python -I -m appliance\.programs\.(\w+)( [a-z -]+)?")

# What each unit is given to know; whoever adds a credential decides here which programs hold it.
CREDENTIALS = {
    "appliance-cardd.service": set(),
    "appliance-migrate.service": {"database.key", "device.key"},
    "appliance-retention.service": {"database.key", "device.key"},
    "appliance-archive.service": {"database.key", "device.key", "archive.key"},
    "appliance-keys.service": set(),  # it seals one and opens none
    "appliance-kiosk.service": {"database.key", "device.key"},
    "appliance-staff.service": {"database.key", "device.key", "staff.key"},
    "appliance-syncd.service": {"database.key", "device.key", "line.key"},
    "appliance-hub.service": {"hub.key", "hub-ca.key", "hub-line.key", "hub-database.key"},
}
# A credential that is being replaced is given together with its successor, while there is one.
REPLACED = {"database.key", "device.key", "hub-database.key"}
# One that may be missing: the command says then what to do.
OPTIONAL = {"archive.key"}
EXPOSURE = {
    "appliance-cardd.service": 0.5,
    "appliance-kiosk.service": 0.5,
    "appliance-staff.service": 0.5,
    "appliance-migrate.service": 0.5,
    "appliance-retention.service": 0.5,
    "appliance-archive.service": 0.5,
    "appliance-keys.service": 1.2,  # root, because only root can seal
    "appliance-syncd.service": 1.2,
    "appliance-hub.service": 1.2,
    "pcscd.service": 1.4,
    "mosquitto.service": 1.2,
}
# Commands of the administrator that the device runs by itself, as the user that the administrator's commands have.
ONESHOTS = {"appliance-migrate.service", "appliance-retention.service", "appliance-archive.service"}
# And one that only root can run: it seals a key.
ROOTS = {"appliance-keys.service"}
CHECKED = [
    "appliance.target",
    *SERVICES,
    *SOCKETS,
    "appliance-retention.timer",
    "appliance-archive.timer",
    "pcscd.service",
    "pcscd.socket",
    "mosquitto.service",
    "nftables.service",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("device")
    lay_out(directory)
    return directory


def command_of(unit: Unit) -> tuple[str, str]:
    """The program folder and the arguments of a unit's one command."""
    found = SERVED_BY.fullmatch(unit.one("ExecStart"))
    assert found is not None, f"{unit.name} starts something else: {unit.one('ExecStart')}"
    return found[1], (found[2] or "").strip()


def program_folders() -> set[str]:
    return {path.parent.name for path in PROGRAMS.glob("*/__init__.py")}


def test_every_program_has_a_unit_and_every_unit_a_program() -> None:
    wanted = {f"appliance-{name}.service" for name in program_folders() - {"cli"}}
    assert set(SERVICES) == wanted | ONESHOTS | ROOTS


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_starts_its_own_program(name: str) -> None:
    program, arguments = command_of(SERVICES[name])
    expected = {
        "appliance-migrate.service": ("cli", "migrate"),
        "appliance-retention.service": ("cli", "erase due"),
        "appliance-archive.service": ("cli", "ledger seal"),
        "appliance-keys.service": ("cli", "keys complete"),
        "appliance-hub.service": ("cli", "hub serve"),
    }.get(name, (name.removeprefix("appliance-").removesuffix(".service"), ""))
    assert (program, arguments) == expected
    assert program in program_folders()


@pytest.mark.parametrize("name", sorted(program_folders()))
def test_a_program_with_code_can_be_started_as_a_module(name: str) -> None:
    code = [path.name for path in (PROGRAMS / name).glob("*.py") if path.name != "__init__.py"]
    assert not code or "__main__.py" in code


def test_verify_says_nothing(root: Path) -> None:
    done = analyze(root, "verify", "--man=no", *CHECKED)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("ProtectEverything=yes", "Unknown key"),
        ("PrivateNetwork=perhaps", "Failed to parse"),
        ("ExecStartPre=/opt/nothing", "is not executable"),
    ],
)
def test_verify_would_say_something(tmp_path: Path, line: str, complaint: str) -> None:
    units = lay_out(tmp_path)
    path = units / "appliance-cardd.service"
    path.write_text(path.read_text(encoding="utf-8").replace("[Install]", f"{line}\n\n[Install]"), encoding="utf-8")
    assert complaint in analyze(tmp_path, "verify", "--man=no", "appliance-cardd.service").stderr


@pytest.mark.parametrize(("name", "most"), EXPOSURE.items())
def test_exposure(root: Path, name: str, most: float) -> None:
    done = analyze(root, "security", "--offline=true", "--no-pager", name)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None, done.stderr
    assert float(found[1]) <= most, done.stdout


def test_the_sandbox_that_all_share_is_what_lowers_the_exposure(tmp_path: Path) -> None:
    units = lay_out(tmp_path)
    (units / "appliance-.service.d/10-hardening.conf").unlink()
    done = analyze(tmp_path, "security", "--offline=true", "--no-pager", "appliance-kiosk.service")
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None
    assert float(found[1]) > 4


@pytest.mark.parametrize("name", SERVICES)
def test_credentials_are_those_the_program_may_hold(name: str) -> None:
    given = [one.partition(":") for one in SERVICES[name].all("LoadCredentialEncrypted")]
    successors = {successor_of(credential) for credential in CREDENTIALS[name] & REPLACED}
    assert {credential for credential, _, _ in given} == CREDENTIALS[name] | successors
    for credential, _, path in given:
        # Without a path systemd looks in its own folders for it, and starts the unit also if there is none.
        assert path == ("" if credential in successors | OPTIONAL else f"/etc/credstore.encrypted/{credential}")
    for key in ("LoadCredential", "SetCredential", "SetCredentialEncrypted", "Environment", "EnvironmentFile"):
        assert SERVICES[name].all(key) == [], f"{name} may get a secret in the open through {key}"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONESHOTS - ROOTS))
def test_a_daemon_tells_that_it_is_up_and_is_started_again_when_it_hangs(name: str) -> None:
    unit = SERVICES[name]
    assert unit.one("Type") == "notify"
    assert unit.one("Restart") == "on-failure"
    assert 10 <= int(unit.one("WatchdogSec")) <= 60


def test_nobody_gives_up_on_a_daemon_that_cannot_start_for_a_while() -> None:
    (shared,) = (SYSTEMD / "appliance-.service.d").glob("*.conf")
    assert Unit.read(shared).one("StartLimitIntervalSec") == "0"
    for name in set(SERVICES) - ONESHOTS - ROOTS:
        assert SERVICES[name].all("StartLimitIntervalSec") == []
        assert int(SERVICES[name].one("RestartSec")) >= 1


def test_what_opens_the_database_waits_for_the_migration() -> None:
    migrate = SERVICES["appliance-migrate.service"]
    holders = {name for name, held in CREDENTIALS.items() if "database.key" in held} - {migrate.name}
    assert set(migrate.words("Before")) == holders
    for name in holders:
        assert migrate.name in SERVICES[name].words("Requires")
        assert migrate.name in SERVICES[name].words("After")


def test_what_opens_the_database_shares_it_by_one_group() -> None:
    for name, held in CREDENTIALS.items():
        unit = SERVICES[name]
        if "database.key" in held:
            assert (unit.one("Group"), unit.one("UMask")) == ("appliance-data", "0007")
            assert unit.one("ReadWritePaths") == "/var/lib/appliance"
            assert unit.all("StateDirectory") == []
        else:
            assert unit.one("Group") != "appliance-data"
            assert unit.all("ReadWritePaths") == (["/etc/credstore.encrypted /etc/appliance"] if name in ROOTS else [])


def test_every_program_has_a_user_of_its_own_that_sysusers_makes(tmp_path: Path) -> None:
    passwd = make_users(tmp_path, "box", "hub")
    users = {line.split(":")[0] for line in passwd.read_text(encoding="utf-8").splitlines()}
    groups = {line.split(":")[0] for line in (tmp_path / "etc/group").read_text(encoding="utf-8").splitlines()}
    named = [unit.one("User") for name, unit in SERVICES.items() if name not in ONESHOTS | ROOTS]
    assert len(set(named)) == len(named)
    assert {SERVICES[name].one("User") for name in ONESHOTS} == {"appliance"}
    assert {name for name, unit in SERVICES.items() if unit.one("User") == "root"} == ROOTS
    assert set(named) <= users
    for unit in SERVICES.values():
        assert {unit.one("Group"), *unit.words("SupplementaryGroups")} <= groups | {"root"}
    assert Unit.read(SYSTEMD / "pcscd.socket.d/appliance.conf").one("SocketGroup") in groups


def test_the_reader_is_reached_by_cardd_and_cardd_by_the_kiosk_alone() -> None:
    extra = {name: unit.words("SupplementaryGroups") for name, unit in SERVICES.items()}
    assert {name for name, groups in extra.items() if "appliance-pcsc" in groups} == {"appliance-cardd.service"}
    assert {name for name, groups in extra.items() if "appliance-card" in groups} == {"appliance-kiosk.service"}
    assert SERVICES["appliance-cardd.service"].one("RuntimeDirectoryMode") == "0750"


def test_only_the_line_and_the_hub_have_a_network() -> None:
    networked = {name for name, unit in SERVICES.items() if unit.all("PrivateNetwork") != ["yes"]}
    assert networked == {"appliance-syncd.service", "appliance-hub.service"}
    for name, unit in SERVICES.items():
        families = set(unit.words("RestrictAddressFamilies"))
        assert ("AF_INET" in families) == (name in networked)
        assert bool(unit.all("IPAddressAllow")) == (name in networked)


def test_the_web_units_take_the_ports_of_the_settings() -> None:
    settings = Settings()
    assert SOCKETS["appliance-kiosk.socket"].one("ListenStream") == f"127.0.0.1:{settings.kiosk.port}"
    assert SOCKETS["appliance-staff.socket"].one("ListenStream") == str(settings.staff.port)
    for name in SOCKETS:
        service = name.replace(".socket", ".service")
        assert name in SERVICES[service].words("Requires")


def test_the_box_starts_everything_but_the_hub() -> None:
    timers = {one: Unit.read(SYSTEMD / one) for one in ("appliance-retention.timer", "appliance-archive.timer")}
    wanted = {name: unit.all("WantedBy") for name, unit in (SERVICES | SOCKETS | timers).items()}
    by_timer = {name.replace(".timer", ".service") for name in timers}
    assert {name for name, by in wanted.items() if by != ["appliance.target"]} == {
        *by_timer,
        "appliance-keys.service",
        "appliance-hub.service",
    }


def test_the_days_are_sealed_soon_after_midnight_in_japan_and_made_up_for() -> None:
    timer = Unit.read(SYSTEMD / "appliance-archive.timer")
    hour, minute, _ = timer.one("OnCalendar").removeprefix("*-*-* ").removesuffix(" UTC").split(":")
    assert (int(hour) + 9) % 24 == 0 < int(minute) < 30
    assert timer.one("Persistent") == "yes"


def test_only_the_nightly_sealing_holds_the_key_of_the_archive() -> None:
    assert {name for name, held in CREDENTIALS.items() if "archive.key" in held} == {"appliance-archive.service"}
    assert "appliance-keys.service" in SERVICES["appliance-archive.service"].words("Wants")
    assert "appliance-keys.service" in SERVICES["appliance-archive.service"].words("After")
    conditions = SERVICES["appliance-keys.service"].all("ConditionPathExists")
    assert conditions == ["/etc/credstore.encrypted/database.key", "!/etc/credstore.encrypted/archive.key"]


def test_the_settings_lie_where_the_units_let_them() -> None:
    settings = Settings()
    assert settings.box.state_dir == Path(SERVICES["appliance-kiosk.service"].one("ReadWritePaths"))
    assert settings.box.run_dir == Path("/run", SERVICES["appliance-cardd.service"].one("RuntimeDirectory"))
    assert settings.staff.certificate.is_relative_to(settings.box.state_dir)
    assert str(settings.keys.store) == "/etc/credstore.encrypted"  # every LoadCredentialEncrypted names it


def test_shipped_settings_are_the_defaults_and_complete() -> None:
    path = FIRMWARE / "appliance.toml"
    assert load_settings([path]) == Settings()
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    assert {section: set(keys) for section, keys in table.items()} == {
        section: set(keys) for section, keys in asdict(Settings()).items()
    }


def test_every_shipped_setting_says_what_it_is() -> None:
    before, bare = "", []
    for line in (FIRMWARE / "appliance.toml").read_text(encoding="utf-8").splitlines():
        if re.match(r"\w+ = ", line) and not re.match(r"# \S.*[.;]$", before):
            bare.append(line)
        before = line
    assert bare == []


def test_the_school_s_file_changes_nothing_as_shipped() -> None:
    assert load_settings([FIRMWARE / "appliance.toml", FIRMWARE / "site.toml"]) == Settings()


def test_sysctl_and_journald_name_each_setting_once() -> None:
    lines = (FIRMWARE / "sysctl/60-appliance.conf").read_text(encoding="utf-8").splitlines()
    keys = [line.partition(" = ")[0] for line in lines if line and not line.startswith("#")]
    assert len(keys) == len(set(keys))
    assert all(re.fullmatch(r"(kernel|fs|net|vm)(\.\w+)+", key) for key in keys)
    journald = configparser.ConfigParser(strict=True)
    journald.read(FIRMWARE / "journald/appliance.conf")
    assert journald.sections() == ["Journal"]
    assert journald["Journal"]["Storage"] == "persistent"
