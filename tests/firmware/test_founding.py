"""A box is founded as an administrator does it, and its real programs start in their units."""

import json
from collections.abc import Iterator

import pytest

from tests.firmware.box import BootedBox, needs_boot

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.timeout(180),
    needs_boot,
]

SCHOOL = "B113299900018"
SEALED = ["archive.key", "database.key", "device.key", "line.key", "staff.key"]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedBox]:
    with BootedBox(tmp_path_factory.mktemp("box")) as box:
        box.install()
        box.start("basic.target")
        yield box


def test_a_box_that_was_not_founded_says_so_and_starts_nothing_that_needs_keys(box: BootedBox) -> None:
    box.run("systemctl", "start", "appliance.target")
    box.run("systemctl", "start", "appliance-kiosk.service", check=False)
    assert box.state("appliance-migrate")["ActiveState"] == "inactive"
    assert box.state("appliance-kiosk")["ActiveState"] == "inactive"
    status = box.run("systemctl", "status", "--no-pager", "appliance-migrate.service", check=False).stdout
    assert "AssertPathExists=/etc/credstore.encrypted/database.key was not met" in status
    assert box.state("appliance-cardd")["ActiveState"] == "active"
    box.run("systemctl", "stop", "appliance.target")


def test_the_keys_are_sealed_before_anything_else_is_made(box: BootedBox) -> None:
    """A founding that fails after them, here at the password, has left nothing that needs keys which do not last."""
    command = ("appliance-admin", "init", "--school", SCHOOL, "--name", "窓口小学校", "--password-fd", "0", "--json")
    done = box.run(*command, text="short\n", check=False)
    assert (done.returncode, json.loads(done.stdout)["error"]) == (1, "staff.weak_password")
    assert box.run("ls", "-A", "/etc/credstore.encrypted").stdout.split() == SEALED
    assert box.run("find", "/var/lib/appliance", "-name", "box.db*").stdout == ""


def test_founding_leaves_the_keys_sealed_and_nowhere_else(box: BootedBox) -> None:
    done = box.run("appliance-admin", "init", "--school", SCHOOL, "--name", "窓口小学校", "--json")
    answer = json.loads(done.stdout.splitlines()[-1])
    assert (answer["school"], answer["admin"]) == (SCHOOL, "admin")
    listed = box.run("sh", "-c", "cd /etc/credstore.encrypted && stat --format='%n %a %U' *").stdout.splitlines()
    assert listed == [f"{name} 600 root" for name in SEALED]
    assert "appliance-keys" not in box.run("ls", "/run").stdout
    plain = box.run("systemd-creds", "decrypt", "--name=device.key", "/etc/credstore.encrypted/device.key", "-").stdout
    assert plain.startswith("-----BEGIN")
    body = plain.splitlines()[1]
    found = box.run("grep", "-rlF", "--", body, "/etc", "/run", "/var", "/tmp", "/opt/madoguchi/venv/bin", check=False)
    assert found.stdout == ""


def test_a_second_founding_is_refused_and_keeps_the_keys(box: BootedBox) -> None:
    before = box.run("sha256sum", "/etc/credstore.encrypted/database.key").stdout
    again = box.run("appliance-admin", "init", "--school", SCHOOL, "--name", "窓口小学校", check=False)
    assert again.returncode != 0
    assert box.run("sha256sum", "/etc/credstore.encrypted/database.key").stdout == before


def test_an_administrator_can_ask_the_ledger(box: BootedBox) -> None:
    done = box.run("appliance-admin", "ledger", "verify", "--json")
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["verify"] == "ok"
    assert answer["entries"] == answer["pending"] + answer["receipted"] > 0


@pytest.mark.parametrize("name", ["migrate", "cardd", "kiosk", "staff"])
def test_the_real_program_starts_in_its_unit(box: BootedBox, name: str) -> None:
    box.run("systemctl", "start", f"appliance-{name}.service", check=False)
    state = box.state(f"appliance-{name}")
    assert (state["ActiveState"], state["NRestarts"]) == ("active", "0"), box.journal(f"appliance-{name}")


def test_the_guardians_screen_answers_on_its_port(box: BootedBox) -> None:
    code = "import sys, urllib.request as r; a = r.urlopen('http://127.0.0.1:8080/', timeout=20); print(a.status)"
    assert box.run("/usr/bin/python3", "-I", "-c", code).stdout == "200\n"


def test_the_staff_s_site_answers_over_https_with_its_own_certificate(box: BootedBox) -> None:
    code = (
        "import http.client, socket, ssl\n"
        "context = ssl.create_default_context(cafile='/var/lib/appliance/staff.crt')\n"
        "line = http.client.HTTPSConnection('madoguchi.local', timeout=20, context=context)\n"
        "line.sock = context.wrap_socket(socket.create_connection(('127.0.0.1', 443)), server_hostname=line.host)\n"
        "line.request('GET', '/')\n"
        "print(line.getresponse().status < 400)"
    )
    assert box.run("/usr/bin/python3", "-I", "-c", code).stdout == "True\n"


# The days are sealed for the archive, also on a box that was founded without the key for it.


def verified_archive(box: BootedBox) -> dict[str, object]:
    answer = json.loads(box.run("appliance-admin", "ledger", "verify", "--json").stdout.splitlines()[-1])
    assert answer["verify"] == "ok"
    return dict(answer["archive"])


def sealed_by_unit(box: BootedBox) -> str:
    """What the unit wrote; it ends well."""
    box.run("systemctl", "start", "appliance-archive.service", check=False)
    state = box.state("appliance-archive")
    journal = box.journal("appliance-archive") + box.journal("appliance-keys")
    assert (state["ActiveState"], state["Result"]) == ("inactive", "success"), journal
    return journal


def digest(box: BootedBox) -> str:
    return box.run("sha256sum", "/etc/credstore.encrypted/archive.key").stdout


def test_the_timer_waits_for_the_next_night(box: BootedBox) -> None:
    box.run("systemctl", "start", "appliance-archive.timer")
    shown = box.run("systemctl", "show", "appliance-archive.timer", "--property=ActiveState,TimersCalendar").stdout
    assert "ActiveState=active" in shown
    assert "15:10:00 UTC" in shown


def test_the_nightly_sealing_runs_in_its_unit_and_leaves_the_key_as_it_is(box: BootedBox) -> None:
    before = digest(box)
    assert "There is no day to seal" in sealed_by_unit(box)
    assert digest(box) == before
    assert box.run("appliance-admin", "ledger", "seal").returncode == 0
    assert verified_archive(box)["seals"] == 0


def test_a_box_that_was_founded_without_an_archive_key_gets_one_by_itself(box: BootedBox) -> None:
    before = digest(box)
    box.run("rm", "/etc/credstore.encrypted/archive.key")
    refused = box.run("appliance-admin", "ledger", "seal", "--json", check=False)
    assert (refused.returncode, json.loads(refused.stdout)["error"]) == (2, "archive.no_key")
    assert "archive.key" in sealed_by_unit(box)
    assert digest(box) != before
    assert listed(box) == [f"{name} 600 root" for name in SEALED]
    assert json.loads(box.run("cat", "/etc/appliance/sealing.json", user="appliance-staff").stdout)["tpm"] is False
    assert box.run("appliance-admin", "keys", "status").returncode == 0
    again = digest(box)
    sealed_by_unit(box)
    assert digest(box) == again


def test_no_other_unit_and_no_other_command_is_given_the_key_of_the_archive(box: BootedBox) -> None:
    for name in ("kiosk", "staff"):
        assert "archive.key" not in held_by(box, name)


# The key of the database is changed while they run.


def key_of(box: BootedBox, name: str = "database.key") -> str:
    """A digest of the sealed key; systemd refuses a file under a name that is not its own."""
    sealed = f"/etc/credstore.encrypted/{name}"
    return box.run("sh", "-c", f"systemd-creds decrypt --name={name} {sealed} - | sha256sum").stdout


def held_by(box: BootedBox, name: str) -> list[str]:
    return box.run("ls", f"/run/credentials/appliance-{name}.service").stdout.split()


def restart(box: BootedBox, name: str) -> None:
    """As after the power has come back; that it is not the first time within seconds must not count."""
    box.run("systemctl", "reset-failed", f"appliance-{name}.service")
    box.run("systemctl", "restart", f"appliance-{name}.service")
    state = box.state(f"appliance-{name}")
    assert (state["ActiveState"], state["NRestarts"]) == ("active", "0"), box.journal(f"appliance-{name}")


def listed(box: BootedBox) -> list[str]:
    return box.run("sh", "-c", "cd /etc/credstore.encrypted && stat --format='%n %a %U' *").stdout.splitlines()


def answers(box: BootedBox) -> bool:
    code = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/screen', timeout=20).status)"
    return box.run("/usr/bin/python3", "-I", "-c", code).stdout == "200\n"


def verified(box: BootedBox) -> str:
    return str(json.loads(box.run("appliance-admin", "ledger", "verify", "--json").stdout.splitlines()[-1])["verify"])


def problems(box: BootedBox) -> list[str]:
    said = box.run("appliance-admin", "doctor", "--json", check=False).stdout
    return [one["code"] for one in json.loads(said.splitlines()[-1])["problems"]]


def test_a_program_starts_without_a_successor_of_its_key(box: BootedBox) -> None:
    assert held_by(box, "kiosk") == ["database.key", "device.key"]


def test_the_command_itself_makes_no_sealed_key(box: BootedBox) -> None:
    refused = box.run("appliance-admin", "keys", "rotate", "--json", "database", check=False)
    assert refused.returncode == 2
    assert json.loads(refused.stdout.splitlines()[-1])["error"] == "keys.no_successor"


def test_a_new_key_is_sealed_and_every_program_follows(box: BootedBox) -> None:
    before = key_of(box)
    done = box.run("appliance-admin", "keys", "rotate", "database", "--json")
    assert json.loads(done.stdout.splitlines()[-1]) == {"rotated": "database", "sealed": True}
    assert key_of(box) != before
    assert listed(box) == [f"{name} 600 root" for name in SEALED]
    # They were started once, before, with both keys; what runs goes on with the second one.
    assert held_by(box, "kiosk") == ["database.key", "database.key.next", "device.key"]
    assert verified(box) == "ok"
    assert answers(box)
    assert "health.rotation_unfinished" not in problems(box)


def test_an_interrupted_change_goes_on_where_it_stood(box: BootedBox) -> None:
    """The database is under the new key, and the power goes before it is sealed in place of the old one."""
    before, store = key_of(box), "/etc/credstore.encrypted"
    box.run(
        "sh",
        "-ec",
        "head --bytes=32 /dev/urandom"
        f" | systemd-creds encrypt --with-key=host --name=database.key.next - {store}/database.key.next",
    )
    successor = key_of(box, "database.key.next")
    box.run("appliance-admin", "keys", "rotate", "--json", "database")
    for name in ("migrate", "kiosk", "staff"):
        restart(box, name)
    assert key_of(box) == before
    assert "health.rotation_unfinished" in problems(box)
    assert verified(box) == "ok"
    box.run("appliance-admin", "keys", "rotate", "database")
    assert key_of(box) == successor
    assert listed(box) == [f"{name} 600 root" for name in SEALED]
    assert "health.rotation_unfinished" not in problems(box)


@pytest.mark.parametrize("name", ["migrate", "kiosk", "staff"])
def test_a_program_starts_with_the_new_key_alone(box: BootedBox, name: str) -> None:
    restart(box, name)
    assert "database.key.next" not in held_by(box, name)


# The key that signs the ledger is changed while they run.


def signs(box: BootedBox) -> str:
    """The key that the ledger is signed with, as the box prints it."""
    said = json.loads(box.run("appliance-admin", "receipt", "key", "--json").stdout.splitlines()[-1])
    return str(said["key"])


def test_the_command_itself_makes_no_sealed_device_key(box: BootedBox) -> None:
    before = signs(box)
    refused = box.run("appliance-admin", "keys", "rotate", "--json", "device", check=False)
    assert refused.returncode == 2
    assert json.loads(refused.stdout.splitlines()[-1])["error"] == "keys.no_successor"
    assert signs(box) == before


def test_a_new_device_key_is_sealed_and_every_program_follows(box: BootedBox) -> None:
    before, key = signs(box), key_of(box, "device.key")
    done = box.run("appliance-admin", "keys", "rotate", "device", "--json")
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["rotated"], told["sealed"], told["key"]) == ("device", True, signs(box))
    assert signs(box) != before
    assert key_of(box, "device.key") != key
    assert listed(box) == [f"{name} 600 root" for name in SEALED]
    assert held_by(box, "kiosk") == ["database.key", "device.key", "device.key.next"]
    assert verified(box) == "ok"
    assert answers(box)
    assert "health.device_rotation_unfinished" not in problems(box)


def test_an_interrupted_change_of_the_device_key_goes_on_where_it_stood(box: BootedBox) -> None:
    """The ledger tells of the new key, and the power goes before it is sealed in place of the old one."""
    before = key_of(box, "device.key")
    box.run("appliance-admin", "keys", "next", "device")
    successor = key_of(box, "device.key.next")
    box.run("appliance-admin", "keys", "rotate", "--json", "device")
    for name in ("migrate", "kiosk", "staff"):
        restart(box, name)
    assert key_of(box, "device.key") == before
    assert "health.device_rotation_unfinished" in problems(box)
    assert verified(box) == "ok"
    signing = signs(box)
    box.run("appliance-admin", "keys", "rotate", "device")
    assert (key_of(box, "device.key"), signs(box)) == (successor, signing)
    assert listed(box) == [f"{name} 600 root" for name in SEALED]
    assert "health.device_rotation_unfinished" not in problems(box)


@pytest.mark.parametrize("name", ["migrate", "kiosk", "staff"])
def test_a_program_starts_with_the_new_device_key_alone(box: BootedBox, name: str) -> None:
    restart(box, name)
    assert "device.key.next" not in held_by(box, name)
