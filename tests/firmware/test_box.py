"""The units under a real systemd: the release is installed over this machine's Debian and started in namespaces."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.firmware.box import VENV, BootedBox, needs_boot
from tests.firmware.layout import PROJECT

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.peer,
    pytest.mark.timeout(180),
    needs_boot,
]

STANDING_IN = ("migrate", "kiosk", "staff", "syncd")
KEYS = {
    "migrate": ["database.key", "device.key"],
    "kiosk": ["database.key", "device.key"],
    "staff": ["database.key", "device.key", "staff.key"],
    "syncd": ["database.key", "device.key", "line.key"],
}
REFUSED = {"Permission denied", "Operation not permitted", "Read-only file system"}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedBox]:
    with BootedBox(tmp_path_factory.mktemp("box")) as box:
        box.install()
        shutil.copy(PROJECT / "tests/firmware/probe.py", box.files / VENV / "probe.py")
        for name in STANDING_IN:
            drop_in = box.files / f"etc/systemd/system/appliance-{name}.service.d/probe.conf"
            drop_in.parent.mkdir(parents=True, exist_ok=True)
            drop_in.write_text(f"[Service]\nExecStart=\nExecStart=/{VENV}/bin/python -I /{VENV}/probe.py {name}\n")
        box.start("basic.target")
        box.run("mkdir", "-p", "/etc/credstore.encrypted")
        for key in ("database.key", "device.key", "staff.key", "line.key"):
            target = f"/etc/credstore.encrypted/{key}"
            box.run("systemd-creds", "encrypt", "--with-key=host", f"--name={key}", "-", target, text=f"secret {key}")
        units = [f"appliance-{name}.service" for name in ("cardd", *STANDING_IN)]
        started = box.run("systemctl", "start", "appliance.target", *units, check=False)
        assert started.returncode == 0, box.run("journalctl", "--no-pager", "--lines=100").stdout
        yield box


@pytest.fixture(scope="module")
def reports(box: BootedBox) -> dict[str, dict[str, Any]]:
    """What each program's stand-in saw from inside its sandbox."""
    found = {"kiosk": box.fetch("http://127.0.0.1:8080/"), "staff": box.fetch("http://127.0.0.1:443/")}
    for name in ("migrate", "syncd"):
        (line,) = [one for one in box.journal(f"appliance-{name}").splitlines() if one.startswith("report ")]
        found[name] = json.loads(line.removeprefix("report "))
    return found


@pytest.mark.parametrize("name", ["cardd", "kiosk", "staff", "syncd", "migrate"])
def test_the_unit_is_up(box: BootedBox, name: str) -> None:
    state = box.state(f"appliance-{name}")
    assert (state["ActiveState"], state["Result"], state["NRestarts"]) == ("active", "success", "0"), box.journal(
        f"appliance-{name}"
    )


@pytest.mark.parametrize("name", STANDING_IN)
def test_a_program_gets_its_own_credentials_decrypted(reports: dict[str, dict[str, Any]], name: str) -> None:
    assert reports[name]["credentials"] == {key: f"secret {key}" for key in KEYS[name]}
    assert reports[name]["sealed"] in REFUSED


@pytest.mark.parametrize("name", STANDING_IN)
def test_a_program_is_shut_in(reports: dict[str, dict[str, Any]], name: str) -> None:
    seen = reports[name]
    assert set(seen["capabilities"]) == {"0" * 16}
    assert {seen[thing] for thing in ("etc", "venv", "shell", "code", "pcscd")} <= REFUSED, seen
    assert seen["others"] == []
    assert seen["tmp"] == "done"


@pytest.mark.parametrize("name", STANDING_IN)
def test_a_program_can_do_its_work(reports: dict[str, dict[str, Any]], name: str) -> None:
    assert reports[name]["clock"] == "done"
    assert reports[name]["database"] == "done"


def test_only_the_line_has_a_network(reports: dict[str, dict[str, Any]]) -> None:
    assert {name for name, seen in reports.items() if seen["internet"] == "done"} == {"syncd"}


def test_only_the_kiosk_reaches_cardd(box: BootedBox, reports: dict[str, dict[str, Any]]) -> None:
    reached = {name for name, seen in reports.items() if seen["cardd"] == "done"}
    assert reached == {"kiosk"}, box.journal("appliance-cardd")


def test_four_users_share_one_database_and_nobody_else_sees_it(
    box: BootedBox, reports: dict[str, dict[str, Any]]
) -> None:
    assert set(reports) == set(STANDING_IN)
    listed = box.run("stat", "--format=%a %G", "/var/lib/appliance", "/var/lib/appliance/probe.db").stdout
    assert listed.splitlines() == ["2770 appliance-data", "660 appliance-data"]
    assert box.run("ls", "/var/lib/appliance", user="appliance-card", check=False).returncode != 0


def test_the_reader_s_socket_is_cardd_s_alone(box: BootedBox) -> None:
    assert box.run("stat", "--format=%a %G", "/run/pcscd/pcscd.comm").stdout == "660 appliance-pcsc\n"
    assert box.run("stat", "--format=%a %U %G", "/run/appliance").stdout == "750 appliance-card appliance-card\n"


def test_the_firewall_is_loaded_before_the_ports_open(box: BootedBox) -> None:
    assert box.state("nftables")["ActiveState"] == "active"
    assert "policy drop" in box.run("nft", "list", "chain", "inet", "appliance", "output").stdout


def test_a_killed_site_comes_back_and_its_port_never_closes(box: BootedBox, reports: dict[str, dict[str, Any]]) -> None:
    assert reports["kiosk"]["name"] == "kiosk"
    before = box.state("appliance-kiosk")["MainPID"]
    box.run("kill", "-9", before)
    assert box.fetch("http://127.0.0.1:8080/")["name"] == "kiosk"
    assert box.state("appliance-kiosk")["MainPID"] not in ("0", before)


def test_an_administrator_s_command_runs_as_the_owner_of_the_data(box: BootedBox) -> None:
    done = box.run("appliance-admin", "--version")
    assert done.stdout.startswith("madoguchi ")
