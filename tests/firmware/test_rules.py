"""The rules around the programs: firewall, USB, polkit. Each is judged by what would enforce it, where that is here."""

import json
import os
import plistlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware.layout import FIRMWARE, PROJECT, make_users

pytestmark = pytest.mark.peer

RULES = FIRMWARE / "nftables/appliance.nft"
CCID_READERS = Path("/usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist")
HUB, OTHER, SHELL = "10.9.9.9", "10.9.9.8", "198.51.100.7"

# Runs inside a network namespace of its own, as root there: the rules, a wire that leads nowhere, and one
# connection attempt as each user. "silence" is a packet that left and met nobody; "refused" came from the rules.
TRIAL = r"""
import fcntl, json, os, socket, struct, subprocess, sys
rules, attempts = sys.argv[1], json.loads(sys.argv[2])
wire = os.open("/dev/net/tun", os.O_RDWR)
IFF_TUN, IFF_NO_PI, TUNSETIFF = 0x0001, 0x1000, 0x400454CA
fcntl.ioctl(wire, TUNSETIFF, struct.pack("16sH22x", b"wire", IFF_TUN | IFF_NO_PI))
for command in (
    "ip link set lo up",
    "ip link set wire up",
    "ip address add 10.9.9.1/24 dev wire",
    "ip route add default dev wire",
    f"nft -f {rules}",
    "nft add element inet appliance hub4 { 10.9.9.9 }",
):
    subprocess.run(command.split(), check=True)
listeners = []
for address in (("127.0.0.1", 8080), ("0.0.0.0", 443)):
    listener = socket.socket()
    listener.bind(address)
    listener.listen()
    listeners.append(listener)

def attempt(uid, address, port):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setresuid(uid, uid, uid)
        with socket.socket() as line:
            line.settimeout(0.4)
            try:
                line.connect((address, port))
                outcome = "connected"
            except TimeoutError:
                outcome = "silence"
            except OSError:
                outcome = "refused"
        os.write(writer, outcome.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    return os.fdopen(reader).read()

print(json.dumps([attempt(*one) for one in attempts]))
"""


@pytest.fixture(scope="module")
def passwd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A passwd file of a box: this machine's users and ours."""
    directory = tmp_path_factory.mktemp("users")
    made = make_users(directory, "box").read_text(encoding="utf-8")
    here = Path("/etc/passwd").read_text(encoding="utf-8")
    known = {line.split(":")[0] for line in here.splitlines()}
    ours = [line for line in made.splitlines() if line.split(":")[0] not in known]
    path = directory / "passwd"
    path.write_text(here.rstrip("\n") + "\n" + "\n".join(ours) + "\n", encoding="utf-8")
    return path


def uid_of(passwd: Path, user: str) -> int:
    for line in passwd.read_text(encoding="utf-8").splitlines():
        name, _, uid, *_ = line.split(":")
        if name == user:
            return int(uid)
    raise LookupError(user)


def in_a_namespace(passwd: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as root of fresh network and mount namespaces in which the box's users exist."""
    script = 'mount --bind "$1" /etc/passwd; shift; exec "$@"'
    options = ["--net", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    whole = ["unshare", *options, "sh", "-ec", script, "sh", str(passwd), *command]
    return subprocess.run(whole, capture_output=True, text=True, timeout=60, check=False)


def test_nft_accepts_the_rules(passwd: Path) -> None:
    done = in_a_namespace(passwd, "nft", "--check", "--file", str(RULES))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nft_would_complain_without_the_users(tmp_path: Path) -> None:
    bare = tmp_path / "passwd"
    bare.write_text("root:x:0:0::/root:/bin/sh\n", encoding="utf-8")
    assert "User does not exist" in in_a_namespace(bare, "nft", "--check", "--file", str(RULES)).stderr


def test_the_rules_replace_themselves_and_leave_others_alone(passwd: Path) -> None:
    script = 'nft add table inet other; nft -f "$1"; nft -f "$1"; nft -j list ruleset'
    done = in_a_namespace(passwd, "sh", "-ec", script, "sh", str(RULES))
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)["nftables"]
    assert sorted(one["table"]["name"] for one in listed if "table" in one) == ["appliance", "other"]
    chains = {one["chain"]["name"]: one["chain"].get("policy") for one in listed if "chain" in one}
    assert chains == {"input": "drop", "forward": "drop", "output": "drop", "refused": None}


def test_the_examples_for_the_school_fit_the_rules(passwd: Path, tmp_path: Path) -> None:
    site = (FIRMWARE / "nftables/site.nft").read_text(encoding="utf-8")
    examples = tmp_path / "site.nft"
    examples.write_text("".join(re.findall(r"^#(add element .*\n)", site, re.MULTILINE)), encoding="utf-8")
    assert examples.read_text(encoding="utf-8").count("add element") == 2
    script = 'nft -f "$1"; nft -f "$2"'
    done = in_a_namespace(passwd, "sh", "-ec", script, "sh", str(RULES), str(examples))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it tries the rules as each of the box's users")
@pytest.mark.skipif(not Path("/dev/net/tun").exists(), reason="needs /dev/net/tun for a wire that leads nowhere")
def test_each_user_gets_out_where_it_may_and_nowhere_else(passwd: Path) -> None:
    wanted = {
        ("appliance-screen", "127.0.0.1", 8080): "connected",
        ("appliance-screen", "127.0.0.1", 443): "refused",
        ("appliance-screen", "10.9.9.1", 443): "refused",
        ("appliance-screen", HUB, 8883): "refused",
        ("appliance-sync", HUB, 8883): "silence",
        ("appliance-sync", HUB, 443): "silence",
        ("appliance-sync", HUB, 22): "refused",
        ("appliance-sync", OTHER, 8883): "refused",
        ("appliance-sync", SHELL, 443): "refused",
        ("appliance-sync", OTHER, 53): "silence",
        ("appliance-kiosk", HUB, 8883): "refused",
        ("appliance-staff", HUB, 443): "refused",
        ("appliance-staff", OTHER, 53): "refused",
        ("appliance-card", OTHER, 80): "refused",
        ("root", SHELL, 443): "silence",
        ("root", SHELL, 8883): "refused",
        ("root", "127.0.0.1", 8080): "connected",
        ("_chrony", SHELL, 4460): "silence",
        ("_chrony", SHELL, 443): "refused",
        ("nobody", SHELL, 443): "refused",
    }
    attempts = json.dumps([(uid_of(passwd, user), address, port) for user, address, port in wanted])
    done = in_a_namespace(passwd, sys.executable, "-c", TRIAL, str(RULES), attempts)
    assert done.returncode == 0, done.stderr
    assert dict(zip(wanted, json.loads(done.stdout), strict=True)) == wanted


def udev_lines(name: str) -> list[str]:
    text = (FIRMWARE / "udev" / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_usb_rules_are_well_formed() -> None:
    assignment = re.compile(r'[A-Z]+(\{\w+\})?(==|!=|=)"[^"]*"')
    jumps, labels = [], []
    for number, line in enumerate(udev_lines("70-appliance-usb.rules")):
        parts = line.split(", ")
        assert all(assignment.fullmatch(part) for part in parts), line
        jumps += [(number, part[6:-1]) for part in parts if part.startswith("GOTO=")]
        labels += [(number, part[7:-1]) for part in parts if part.startswith("LABEL=")]
    where = {label: number for number, label in labels}
    assert len(where) == len(labels)
    # udev jumps forward only; a label behind the jump is silently never reached.
    assert all(where[label] > number for number, label in jumps)


def test_every_allowed_reader_is_one_that_the_ccid_driver_knows() -> None:
    with CCID_READERS.open("rb") as file:
        table = plistlib.load(file)
    known = {
        (int(vendor, 16), int(product, 16))
        for vendor, product in zip(table["ifdVendorID"], table["ifdProductID"], strict=True)
    }
    allowed = set()
    for line in udev_lines("70-appliance-usb.rules"):
        found = re.match(r'ATTRS\{idVendor\}=="(\w{4})", ATTRS\{idProduct\}=="([\w|]+)"', line)
        if found:
            allowed |= {(int(found[1], 16), int(product, 16)) for product in found[2].split("|")}
    assert len(allowed) >= 15
    assert allowed <= known


def test_nothing_more_may_be_plugged_in_as_shipped() -> None:
    assert udev_lines("60-appliance-site.rules") == []


@pytest.mark.parametrize(
    ("user", "action", "answer"),
    [
        ("appliance-card", "org.debian.pcsc-lite.access_pcsc", "yes"),
        ("appliance-card", "org.debian.pcsc-lite.access_card", "yes"),
        ("root", "org.debian.pcsc-lite.access_card", "yes"),
        ("appliance-kiosk", "org.debian.pcsc-lite.access_card", "no"),
        ("appliance-screen", "org.debian.pcsc-lite.access_pcsc", "no"),
        ("appliance-screen", "org.freedesktop.login1.reboot", "not handled"),
    ],
)
def test_polkit_lets_cardd_at_the_card(user: str, action: str, answer: str) -> None:
    rules = (FIRMWARE / "polkit/50-appliance-pcsc.rules").read_text(encoding="utf-8")
    before = (
        "const rules = [];"
        "const polkit = {addRule: r => rules.push(r), Result: {YES: 'yes', NO: 'no', NOT_HANDLED: 'not handled'}};"
    )
    after = f"process.stdout.write(rules[0]({json.dumps({'id': action})}, {json.dumps({'user': user})}));"
    node = Path(sys.executable).parent / "node"
    done = subprocess.run([node, "-e", before + rules + after], capture_output=True, text=True, timeout=30, check=False)
    assert (done.stdout, done.stderr) == (answer, "")


def test_the_rules_are_those_that_the_unit_loads_and_the_script_installs() -> None:
    drop_in = (PROJECT / "systemd/nftables.service.d/appliance.conf").read_text(encoding="utf-8")
    script = (PROJECT / "scripts/install").read_text(encoding="utf-8")
    target = "/usr/share/appliance/nftables/appliance.nft"
    assert drop_in.count(target) == 2
    assert f"put firmware-config/nftables/appliance.nft {target}" in script
