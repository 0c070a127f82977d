"""The prefecture's machine: the broker in its hardened unit, with its key as a sealed credential."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.authority import Authority
from tests.firmware.box import BootedBox, needs_boot

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.timeout(180),
    needs_boot,
]

SCHOOL = "B113299900018"
DIRECTORY = Path("etc/mosquitto/madoguchi")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedBox]:
    certificates = tmp_path_factory.mktemp("certificates")
    authority = Authority(certificates)
    for name in ("broker", "hub", SCHOOL):
        authority.issue(name)
    with BootedBox(tmp_path_factory.mktemp("host")) as host:
        host.install("hub")
        for name in ("ca.crt", "broker.crt"):
            target = host.files / DIRECTORY / name
            target.write_bytes((certificates / name).read_bytes())
            target.chmod(0o644)
        for name in ("hub", SCHOOL):
            for ending in ("crt", "key"):
                target = host.files / "root" / f"{name}.{ending}"
                target.parent.mkdir(exist_ok=True)
                target.write_bytes((certificates / f"{name}.{ending}").read_bytes())
        host.start("basic.target")
        host.run("mkdir", "-p", "/etc/credstore.encrypted")
        sealed = "/etc/credstore.encrypted/broker.key"
        key = (certificates / "broker.key").read_text()
        host.run("systemd-creds", "encrypt", "--with-key=host", "--name=broker.key", "-", sealed, text=key)
        host.run("systemctl", "start", "mosquitto.service", check=False)
        yield host


def client(program: str, name: str, *more: str) -> list[str]:
    files = ["--cafile", f"/{DIRECTORY}/ca.crt", "--cert", f"/root/{name}.crt", "--key", f"/root/{name}.key"]
    return [program, "-h", "127.0.0.1", "-p", "8883", "-V", "5", "-q", "1", *files, *more]


def test_the_broker_runs_without_root_and_without_a_plain_key(host: BootedBox) -> None:
    state = host.state("mosquitto")
    assert (state["ActiveState"], state["NRestarts"]) == ("active", "0"), host.journal("mosquitto")
    status = host.run("cat", f"/proc/{state['MainPID']}/status").stdout
    assert "CapEff:\t0000000000000000" in status
    assert host.run("stat", "--format=%U", f"/proc/{state['MainPID']}").stdout == "mosquitto\n"
    assert host.run("find", f"/{DIRECTORY}", "-name", "*.key").stdout == ""


def test_a_message_of_a_school_is_kept_through_a_restart(host: BootedBox) -> None:
    up = f"madoguchi/1/{SCHOOL}/up"
    subscribe = client("mosquitto_sub", "hub", "-i", "hub", "-c", "-x", "3600", "-t", up)
    host.run(*subscribe, "-E")
    assert host.run(*client("mosquitto_pub", SCHOOL, "-t", up, "-m", "one")).stderr == ""
    host.run("systemctl", "restart", "mosquitto.service")
    assert host.run(*subscribe, "-C", "1", "-W", "20").stdout == "one\n"


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedBox]:
    with BootedBox(tmp_path_factory.mktemp("founded")) as host:
        host.install("hub")
        host.start("basic.target")
        host.run("appliance-admin", "hub", "init", "--json")
        host.run("systemctl", "start", "mosquitto.service", "appliance-hub.service", check=False)
        yield host


def test_the_hub_s_keys_are_sealed_when_it_is_founded(founded: BootedBox) -> None:
    listed = founded.run("sh", "-c", "cd /etc/credstore.encrypted && stat --format='%n %a' *").stdout.splitlines()
    names = (
        "broker.key",
        "hub-backup.key",
        "hub-ca.key",
        "hub-database.key",
        "hub-evidence.key",
        "hub-line.key",
        "hub.key",
    )
    assert sorted(listed) == sorted(f"{name} 600" for name in names)
    assert founded.run("find", "/var/lib/appliance-hub", f"/{DIRECTORY}", "-name", "*.key").stdout == ""
    assert founded.run("stat", "--format=%a %U", "/var/lib/appliance-hub").stdout == "700 appliance-hub\n"


@pytest.mark.parametrize("unit", ["mosquitto", "appliance-hub"])
def test_broker_and_hub_start_from_what_the_founding_made(founded: BootedBox, unit: str) -> None:
    state = founded.state(unit)
    assert (state["ActiveState"], state["NRestarts"]) == ("active", "0"), founded.journal(unit)


def test_an_administrator_lists_the_schools(founded: BootedBox) -> None:
    assert founded.run("appliance-admin", "hub", "schools", "--json").stdout == "[]\n"


def test_the_key_of_the_database_is_changed_sealed_and_followed(founded: BootedBox) -> None:
    def key() -> str:
        text = "systemd-creds decrypt --name=hub-database.key /etc/credstore.encrypted/hub-database.key - | sha256sum"
        return founded.run("sh", "-ec", text).stdout

    before = key()
    refused = founded.run("appliance-admin", "hub", "keys", "rotate", "--json", "database", check=False)
    assert refused.returncode == 2
    assert "keys.no_successor" in refused.stdout + refused.stderr
    done = founded.run("appliance-admin", "hub", "keys", "rotate", "database", "--json")
    assert done.stdout.splitlines()[-1] == '{"rotated": "database", "sealed": true}'
    assert key() != before
    assert "next" not in founded.run("ls", "-A", "/etc/credstore.encrypted").stdout
    assert "appliance-keys" not in founded.run("ls", "/run").stdout
    assert founded.run("appliance-admin", "hub", "schools", "--json").stdout == "[]\n"
    founded.run("systemctl", "restart", "appliance-hub.service")
    assert founded.state("appliance-hub")["ActiveState"] == "active", founded.journal("appliance-hub")
