"""The shipped files of the device as tests look at them: units parsed, laid out in a directory, users made."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SYSTEMD = PROJECT / "systemd"
FIRMWARE = PROJECT / "firmware-config"
DISTRIBUTION_UNITS = Path("/usr/lib/systemd/system")
EXECUTABLE_KEYS = ("ExecStart", "ExecStartPre", "ExecReload", "ExecStop")


@dataclass(frozen=True)
class Unit:
    """A unit file: every assignment in order, as (section, key, value)."""

    name: str
    assignments: tuple[tuple[str, str, str], ...]

    @classmethod
    def read(cls, path: Path) -> "Unit":
        section, found = "", []
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line or line[0] in "#;":
                continue
            if line.startswith("["):
                section = line.strip("[]")
                continue
            key, _, value = line.partition("=")
            found.append((section, key, value))
        return cls(path.name, tuple(found))

    def all(self, key: str) -> list[str]:
        """Every value given to the key, in order."""
        return [value for _, name, value in self.assignments if name == key]

    def words(self, key: str) -> list[str]:
        """The values of the key taken apart at spaces."""
        return [word for value in self.all(key) for word in value.split()]

    def one(self, key: str) -> str:
        """The only value of the key."""
        (value,) = self.all(key)
        return value


def our_units(kind: str) -> list[Unit]:
    """Our own units of one kind, ``service`` or ``socket``, by name."""
    return [Unit.read(path) for path in sorted(SYSTEMD.glob(f"appliance-*.{kind}"))]


def lay_out(root: Path) -> Path:
    """Copies our units beside the distribution's into a directory that systemd-analyze takes with ``--root``.

    The commands that the units name are put there as placeholders, so that a missing one is a finding about the
    unit, not about this machine. Returns the directory of the units.
    """
    units = root / "usr/lib/systemd/system"
    shutil.copytree(DISTRIBUTION_UNITS, units, symlinks=True)
    for source in SYSTEMD.iterdir():
        if source.is_dir():
            shutil.copytree(source, units / source.name, dirs_exist_ok=True)
        elif source.suffix in (".service", ".socket", ".target", ".timer"):
            shutil.copy(source, units)
    for command in _commands(units):
        target = root / command.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=0o755)
    return units


def _commands(units: Path) -> set[str]:
    found = set()
    for path in [*units.glob("*.service"), *units.glob("*.service.d/*.conf")]:
        if path.is_file():
            unit = Unit.read(path)
            found |= {one.split()[0].lstrip("-@:+!") for key in EXECUTABLE_KEYS for one in unit.all(key) if one}
    return {command for command in found if re.fullmatch(r"/[\w./-]+", command)}


def analyze(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs systemd-analyze on the laid-out directory."""
    verb, *rest = arguments
    command = ["systemd-analyze", verb, f"--root={root}", *rest]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def make_users(root: Path, *roles: str) -> Path:
    """Lets systemd-sysusers make our users in the directory; returns the passwd file."""
    (root / "etc").mkdir(parents=True, exist_ok=True)
    files = [str(SYSTEMD / f"sysusers-{role}.conf") for role in roles]
    done = subprocess.run(["systemd-sysusers", f"--root={root}", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return root / "etc/passwd"
