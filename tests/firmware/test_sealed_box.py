"""A box with a TPM is founded as an administrator does it, and its hardened units start from the keys in it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware.box import BootedBox, needs_boot
from tests.firmware.layout import PROJECT, our_units
from tests.sim.tpm import FIRMWARE

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.timeout(180),
    needs_boot,
]

SCHOOL = "B113299900018"
PORT = 2321
ADDRESS = f"swtpm:host=127.0.0.1,port={PORT}"
CREDENTIALS_FAILED = "243/CREDENTIALS"
# A chip is reached through its device, which systemd allows to a unit with encrypted credentials by itself; this one
# is reached over loopback.
REACHES_TPM = "[Service]\nIPAddressAllow=localhost\n"


class Chip:
    """The TPM of the box, in the box's own network."""

    def __init__(self, box: BootedBox, directory: Path) -> None:
        self._box = box
        command = ["nsenter", f"--target={box.pid}", "--net", sys.executable, "-m", "tests.sim.tpm"]
        self._process = subprocess.Popen(
            [*command, str(directory), str(PORT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=PROJECT, text=True
        )
        self._wait()

    def cut_power(self) -> None:
        """The firmware measures the same again afterwards."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._wait()

    def measure(self, digest: bytes) -> None:
        self._box.run("env", f"TPM2TOOLS_TCTI={ADDRESS}", "tpm2_pcrextend", f"7:sha256={digest.hex()}")

    def close(self) -> None:
        self._process.communicate(timeout=20)

    def _wait(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "on\n"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BootedBox]:
    with BootedBox(tmp_path_factory.mktemp("box")) as box:
        box.install()
        for unit in our_units("service"):
            drop_in = box.files / f"etc/systemd/system/{unit.name}.d/loopback.conf"
            drop_in.parent.mkdir(parents=True, exist_ok=True)
            drop_in.write_text(REACHES_TPM)
        box.start("basic.target", {"SYSTEMD_TPM2_DEVICE": ADDRESS})
        yield box


@pytest.fixture(scope="module")
def chip(box: BootedBox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chip]:
    chip = Chip(box, tmp_path_factory.mktemp("chip"))
    yield chip
    chip.close()


@pytest.fixture(scope="module")
def founded(box: BootedBox, chip: Chip) -> str:
    """What the founding said."""
    done = admin(box, "init", "--school", SCHOOL, "--name", "窓口小学校", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["school"] == SCHOOL
    return done.stderr


def admin(box: BootedBox, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return box.run("env", f"SYSTEMD_TPM2_DEVICE={ADDRESS}", "appliance-admin", *arguments, check=check)


def stop(box: BootedBox) -> None:
    box.run("systemctl", "stop", "appliance.target", "appliance-migrate", "appliance-kiosk", "appliance-staff")
    box.run("systemctl", "reset-failed")


def test_the_founding_says_how_the_keys_are_sealed_and_asks_for_the_paper(box: BootedBox, founded: str) -> None:
    assert "Bound to this box's TPM and its firmware (PCR 7)." in founded
    assert "appliance-admin keys print" in founded
    shown = box.run("cat", "/etc/appliance/sealing.json", user="appliance-staff").stdout
    assert json.loads(shown) == {"tpm": True, "pcrs": [7]}


@pytest.mark.parametrize("cuts", [0, 5])
def test_the_units_start_from_keys_in_the_tpm(box: BootedBox, chip: Chip, founded: str, cuts: int) -> None:
    for _ in range(cuts):
        chip.cut_power()
    for name in ("migrate", "kiosk", "staff"):
        box.run("systemctl", "start", f"appliance-{name}.service", check=False)
        assert box.state(f"appliance-{name}")["ActiveState"] == "active", box.journal(f"appliance-{name}")
    stop(box)


def test_an_archive_key_that_is_missing_is_made_in_the_tpm(box: BootedBox, chip: Chip, founded: str) -> None:
    box.run("rm", "/etc/credstore.encrypted/archive.key")
    # The unit reaches this TPM by a name that on a device nobody has to give: there it is the kernel's.
    named = f"[Service]\nEnvironment=SYSTEMD_TPM2_DEVICE={ADDRESS}\nRestrictAddressFamilies=AF_INET\n"
    named += "PrivateNetwork=no\n"
    box.run(
        "sh", "-c", "cat >/etc/systemd/system/appliance-keys.service.d/tpm.conf; systemctl daemon-reload", text=named
    )
    box.run("systemctl", "start", "appliance-archive.service", check=False)
    journal = box.journal("appliance-keys") + box.journal("appliance-archive")
    assert box.state("appliance-archive")["Result"] == "success", journal
    status = json.loads(admin(box, "keys", "status", "--json").stdout)
    assert status["archive.key"] == {"tpm": True, "pcrs": [7]}
    stop(box)


def test_all_units_wait_for_the_tpm_as_long_as_there_are_keys_in_it(box: BootedBox, founded: str) -> None:
    def waits() -> bool:
        shown = box.run("systemctl", "show", "appliance-migrate.service", "--property=After,Wants").stdout
        found = [line for line in shown.splitlines() if "dev-tpmrm0.device" in line]
        assert len(found) in (0, 2)
        return bool(found)

    assert not waits()  # this TPM is no device
    box.run("touch", "/dev/tpmrm0")
    admin(box, "keys", "seal")
    assert waits()
    admin(box, "keys", "seal", "--without-tpm")
    assert not waits()
    box.run("rm", "/dev/tpmrm0")
    admin(box, "keys", "seal")
    assert not waits()


def test_changed_firmware_keeps_the_units_down_and_an_administrator_is_told_why(
    box: BootedBox, chip: Chip, founded: str
) -> None:
    chip.measure(FIRMWARE)
    assert box.run("systemctl", "start", "appliance-migrate.service", check=False).returncode != 0
    assert CREDENTIALS_FAILED in box.run("systemctl", "status", "--no-pager", "appliance-migrate", check=False).stdout
    told = admin(box, "doctor", check=False)
    assert told.returncode == 2
    assert "the firmware or its Secure Boot keys changed since it was sealed" in told.stderr
    chip.cut_power()
    stop(box)
    assert admin(box, "ledger", "verify", "--json", check=False).returncode == 0


def test_nothing_is_made_when_the_keys_could_not_be_sealed(box: BootedBox, chip: Chip, founded: str) -> None:
    box.run("sh", "-c", "mv /etc/credstore.encrypted /root/kept; mv /var/lib/appliance /root/data")
    box.run("sh", "-c", "printf '[keys]\\npcrs = [4]\\n' >/etc/appliance/site.toml")
    refused = admin(box, "init", "--school", SCHOOL, "--name", "窓口小学校", check=False)
    assert refused.returncode == 2
    assert "The firmware measured nothing into PCR 4" in refused.stderr
    assert box.run("ls", "/etc/credstore.encrypted", "/var/lib/appliance", check=False).stdout == ""
    assert "appliance-keys" not in box.run("ls", "/run").stdout


def test_when_the_keys_could_not_be_sealed_after_all_the_next_founding_makes_others(
    box: BootedBox, chip: Chip, founded: str
) -> None:
    box.run("sh", "-c", "rm -f /etc/appliance/site.toml; rm -rf /etc/credstore.encrypted; mkdir -p /root/first/bin")
    box.run("sh", "-c", "mv /var/lib/appliance /root/data.$$; systemd-tmpfiles --create --prefix=/var/lib/appliance")
    # The TPM answers while it is made ready, and no more when the keys are to be sealed.
    shim = '#!/bin/sh\n[ "$1" != encrypt ] || [ "$4" = --name=tpm-lockout.key ] || [ -e /root/mended ] || exit 1\n'
    shim += 'exec /usr/bin/systemd-creds "$@"\n'
    box.run("sh", "-c", "cat >/root/first/bin/systemd-creds; chmod +x /root/first/bin/systemd-creds", text=shim)
    path = "PATH=/root/first/bin:/usr/sbin:/usr/bin"
    command = ["env", path, f"SYSTEMD_TPM2_DEVICE={ADDRESS}", "appliance-admin"]
    failed = box.run(*command, "init", "--school", SCHOOL, "--name", "窓口小学校", check=False)
    assert failed.returncode == 2
    assert box.run("find", "/var/lib/appliance", "-name", "box.*").stdout == ""
    assert "appliance-keys" not in box.run("ls", "/run").stdout
    box.run("touch", "/root/mended")
    box.run(*command, "init", "--school", SCHOOL, "--name", "窓口小学校")
    assert "appliance-keys" not in box.run("ls", "/run").stdout
    assert admin(box, "ledger", "verify", "--json").returncode == 0
