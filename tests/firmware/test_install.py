"""``scripts/install`` into a directory: all lands where the units look for it, and a second run keeps the school's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.config import Settings, load_settings
from tests.firmware.layout import PROJECT, SYSTEMD

SCRIPT = PROJECT / "scripts/install"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: the script sets owners")


def install(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(SCRIPT), *options], capture_output=True, text=True, timeout=600, check=False)


def installed(root: Path, *options: str) -> str:
    """Installs without the virtual environment; returns what the script said."""
    done = install("--root", str(root), "--without-venv", *options)
    assert done.returncode == 0, done.stderr
    return done.stderr


def snapshot(root: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Path -> owner, group, mode and content of everything below the directory."""
    found = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(root))] = (status.st_uid, status.st_gid, status.st_mode, content)
    return found


@needs_root
def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    options = ("--hub", "203.0.113.7", "--hub", "2001:db8::7", "--maintenance", "192.0.2.0/28", "--keyboard")
    installed(tmp_path, *options)
    first = snapshot(tmp_path)
    installed(tmp_path, *options)
    assert snapshot(tmp_path) == first


@needs_root
def test_every_unit_of_the_box_lands_and_none_of_the_hub(tmp_path: Path) -> None:
    installed(tmp_path)
    shipped = {str(path.relative_to(SYSTEMD)) for path in SYSTEMD.rglob("*") if path.is_file()}
    units = tmp_path / "usr/lib/systemd/system"
    landed = {str(path.relative_to(units)) for path in units.rglob("*") if path.is_file()}
    assert shipped - landed == {
        "appliance-hub.service",
        "mosquitto.service.d/appliance.conf",
        "sysusers-box.conf",
        "sysusers-hub.conf",
        "tmpfiles-box.conf",
        "tmpfiles-hub.conf",
    }
    assert landed <= shipped
    wants = {path.name for path in (tmp_path / "etc/systemd/system/appliance.target.wants").iterdir()}
    by_timer = {"appliance-retention.service", "appliance-archive.service", "appliance-keys.service"}
    assert wants == {one for one in landed if one.startswith("appliance-") and "/" not in one} - by_timer


@needs_root
def test_the_data_directory_is_closed_and_shared(tmp_path: Path) -> None:
    installed(tmp_path)
    group = dict(line.split(":")[::2] for line in (tmp_path / "etc/group").read_text().splitlines())
    status = (tmp_path / "var/lib/appliance").stat()
    assert oct(status.st_mode & 0o7777) == "0o2770"
    assert str(status.st_gid) == group["appliance-data"]
    assert oct((tmp_path / "etc/credstore.encrypted").stat().st_mode & 0o7777) == "0o700"


@needs_root
def test_what_the_school_chose_stays(tmp_path: Path) -> None:
    installed(tmp_path)
    chosen = {
        "etc/appliance/site.toml": "[kiosk]\nidle_s = 60\n",
        "etc/appliance/firewall.d/site.nft": "# ours\n",
        "etc/udev/rules.d/60-appliance-site.rules": "# ours\n",
    }
    for name, text in chosen.items():
        (tmp_path / name).write_text(text)
    installed(tmp_path)
    assert {name: (tmp_path / name).read_text() for name in chosen} == chosen
    files = [tmp_path / "usr/share/appliance/appliance.toml", tmp_path / "etc/appliance/site.toml"]
    assert load_settings(files).kiosk.idle_s == 60


@needs_root
def test_a_release_file_that_was_edited_is_replaced_aloud_and_kept_beside(tmp_path: Path) -> None:
    installed(tmp_path, "--role", "hub")
    acl = tmp_path / "etc/mosquitto/madoguchi/acl"
    shipped = acl.read_text()
    acl.write_text("topic readwrite #\n")
    assert "/etc/mosquitto/madoguchi/acl replaced" in installed(tmp_path, "--role", "hub")
    assert acl.read_text() == shipped
    assert (acl.parent / "acl.previous").read_text() == "topic readwrite #\n"


@needs_root
def test_the_hub_gets_its_own_and_nothing_of_the_box(tmp_path: Path) -> None:
    installed(tmp_path, "--role", "hub")
    names = {path.name for path in (tmp_path / "usr/lib/systemd/system").iterdir()}
    assert names == {"appliance-.service.d", "appliance-hub.service", "mosquitto.service.d"}
    users = {line.split(":")[0] for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    assert users == {"appliance-hub"}
    assert not (tmp_path / "etc/appliance").exists()


@needs_root
def test_the_hub_s_address_opens_the_unit_and_the_firewall(tmp_path: Path) -> None:
    installed(tmp_path, "--hub", "203.0.113.7", "--hub", "2001:db8::7")
    rules = (tmp_path / "etc/appliance/firewall.d/site.nft").read_text().splitlines()
    assert "add element inet appliance hub4 { 203.0.113.7 }" in rules
    assert "add element inet appliance hub6 { 2001:db8::7 }" in rules
    drop_in = (tmp_path / "etc/systemd/system/appliance-syncd.service.d/hub.conf").read_text().splitlines()
    assert drop_in[-2:] == ["IPAddressAllow=203.0.113.7", "IPAddressAllow=2001:db8::7"]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--hub", "203.0.113.7 }; flush ruleset; {"), "is no IP address or subnet"),
        (("--hub", "hub.example"), "is no IP address or subnet"),
        (("--maintenance", "10.0.0.0/40"), "is no IP address or subnet"),
        (("--role", "school"), "--role must be box or hub"),
        (("--root",), "--root needs a value"),
        (("--what",), "unknown option --what"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_done(tmp_path: Path, options: tuple[str, ...], complaint: str) -> None:
    done = install(*options)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_running_system_is_no_directory_to_install_into() -> None:
    done = install("--root", "/", "--without-venv")
    assert done.returncode == 2
    assert ("must not be the running system" if os.geteuid() == 0 else "must be run as root") in done.stderr


def test_the_packages_can_be_listed_for_an_image() -> None:
    for role, its_own, others in (("box", "pcscd", "mosquitto"), ("hub", "mosquitto", "pcscd")):
        names = install("--role", role, "--list-packages").stdout.split()
        assert its_own in names
        assert others not in names
        assert "libtss2-esys-3.0.2-0" in names
        assert ("tpm2-tools" in names) == (role == "box")


@needs_root
@pytest.mark.scenario
@pytest.mark.timeout(600)
def test_the_whole_release_runs_from_where_it_will_lie(tmp_path: Path) -> None:
    done = install("--root", str(tmp_path))
    assert done.returncode == 0, done.stderr
    venv = tmp_path / "opt/madoguchi/venv"
    assert {path.name for path in venv.parent.iterdir()} == {"venv"}
    # Only the place where it will lie is written in it, not the one where it was made.
    for path in [*venv.glob("bin/*"), venv / "pyvenv.cfg"]:
        if path.is_file() and not path.is_symlink():
            assert str(tmp_path) not in path.read_text(errors="replace"), path
    command = 'mkdir -p /opt/madoguchi; mount --bind "$1" /opt/madoguchi; shift; exec "$@"'
    where = ["unshare", "--mount", "sh", "-ec", command, "sh", str(venv.parent)]
    said = subprocess.run(
        [*where, "/opt/madoguchi/venv/bin/appliance", "--version"], capture_output=True, text=True, check=False
    )
    assert said.stdout.startswith("madoguchi "), said.stderr
    code = (
        "import appliance.store.database, appliance.card.pcsc, gunicorn, flask, paho.mqtt, zeroconf, argon2, segno\n"
        "from appliance.config import *\nimport pathlib\n"
        "print(appliance.__file__, load_settings([pathlib.Path('/dev/null')]) == Settings())"
    )
    python = [*where, "/opt/madoguchi/venv/bin/python", "-I", "-c", code]
    said = subprocess.run(python, capture_output=True, text=True, check=False)
    assert said.stdout.split() == ["/opt/madoguchi/venv/lib/python3.11/site-packages/appliance/__init__.py", "True"]
    assert Settings().box.state_dir == Path("/var/lib/appliance")
    assert "of this release already" in install("--root", str(tmp_path)).stderr
    assert sys.version_info[:2] == (3, 11)
