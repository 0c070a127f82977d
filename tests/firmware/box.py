"""A box without hardware: this machine's own Debian as it is, our release installed over it, systemd as process 1.

Everything lies in namespaces of its own and in memory: an overlay over ``/``, its own processes, network, host
name and control group. Nothing of it reaches the machine, and it ends with the context manager.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

import pytest

from tests.firmware.layout import PROJECT

READY_S = 30
VENV = "opt/madoguchi/venv"
SITE_PACKAGES = f"{VENV}/lib/python3.11/site-packages"

# Runs as the first process of the new namespaces and becomes systemd. /proc/sys and /sys are read-only: the box's
# sysctl settings and device rules must not reach the machine that runs the test.
BOOT = r"""
set -eu
cd "$1"; here=$1; unit=$2; packages=$3; site_packages=$4; shift 4
mount --make-rprivate /
mount -t tmpfs tmpfs memory
mkdir memory/upper memory/work
mount -t overlay overlay -o lowerdir=/,upperdir=memory/upper,workdir=memory/work root
cp -a files/. root/
mkdir -p "root/$packages"
mount -t overlay overlay -o "lowerdir=$here/package:$site_packages" "root/$packages"
mount -t proc proc root/proc
mount --bind root/proc/sys root/proc/sys
mount -o remount,bind,ro root/proc/sys
mount -t sysfs -o ro sysfs root/sys
mount -t cgroup2 cgroup2 root/sys/fs/cgroup
for memory in run tmp dev var/tmp var/log; do mount -t tmpfs tmpfs "root/$memory"; done
for node in null zero full random urandom tty; do cp -a "/dev/$node" root/dev/; done
mkdir root/dev/pts root/dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts root/dev/pts
ln -s pts/ptmx root/dev/ptmx
ip link set lo up
cd root
mkdir -p .old
pivot_root . .old
umount -l /.old
# systemd expects this of whatever starts it in a container; credentials reach a unit by such a shared mount.
mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin "$@" setpriv --bounding-set=-sys_time,-sys_module,-sys_boot,-syslog \
  --inh-caps=-all /lib/systemd/systemd --unit="$unit" --show-status=0
"""


def why_not() -> str:
    """What keeps this machine from booting a box in namespaces; empty where it can."""
    if os.geteuid() != 0:
        return "needs root: it starts systemd in namespaces of its own"
    tried = subprocess.run(
        ["unshare", "--user", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else f"not measured here: {tried.stderr.decode().strip()}"


needs_boot = pytest.mark.skipif(bool(why_not()), reason=why_not())


class BootedBox:
    """systemd in namespaces. ``files`` is copied over the machine's own root before it starts."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.files = directory / "files"
        for name in ("memory", "root", "files", "package"):
            (directory / name).mkdir()
        self._pid = 0

    def install(self, role: str = "box") -> None:
        """``scripts/install`` into the files, and the package as it would lie in the virtual environment."""
        command = [str(PROJECT / "scripts/install"), "--role", role, "--root", str(self.files), "--without-venv"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        # sysusers made users in an empty root; on the box it makes them at the start, beside those that exist.
        for name in ("passwd", "group", "shadow", "gshadow", ".pwd.lock"):
            (self.files / "etc" / name).unlink(missing_ok=True)
        shutil.rmtree(self.files / "var", ignore_errors=True)
        shutil.copytree(PROJECT / "appliance", self._directory / "package/appliance")
        binaries = self.files / VENV / "bin"
        binaries.mkdir(parents=True)
        (binaries / "python").symlink_to("/usr/bin/python3")
        (self.files / VENV / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
        command_file = binaries / "appliance"
        command_file.write_text(
            f"#!/{VENV}/bin/python -I\nimport sys\nfrom appliance.programs.cli.__main__ import main\nsys.exit(main())\n"
        )
        command_file.chmod(0o755)

    def start(self, unit: str, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        """Starts systemd with the unit as its target and waits until it takes commands.

        The environment is systemd's own, as of a kernel's command line; units do not inherit it.
        """
        site_packages = next((PROJECT / ".venv/lib").glob("python3*/site-packages"))
        self._group = _control_group()
        arguments = [str(self._directory), unit, SITE_PACKAGES, str(site_packages)]
        arguments += [f"{name}={value}" for name, value in environment.items()]
        enter = (
            f'echo $$ >{self._group}/cgroup.procs; exec unshare --cgroup --mount --pid --uts --ipc --net --fork "$@"'
        )
        self._log = (self._directory / "boot.log").open("wb")
        self._outer = subprocess.Popen(
            ["sh", "-ec", enter, "sh", "--kill-child", "bash", "-c", BOOT, "boot", *arguments],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        deadline = time.monotonic() + READY_S
        while True:
            if self._outer.poll() is not None:
                raise RuntimeError((self._directory / "boot.log").read_text())
            children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text().split()
            if children and Path(f"/proc/{children[0]}/comm").read_text().strip() == "systemd":
                self._pid = int(children[0])
                if self.run("systemctl", "is-system-running", "--wait", check=False).stdout.strip() in (
                    "running",
                    "degraded",
                ):
                    return
            if time.monotonic() > deadline:
                raise RuntimeError("systemd is not up: " + (self._directory / "boot.log").read_text())
            time.sleep(0.1)

    @property
    def pid(self) -> int:
        """The systemd of the box, by which its namespaces are entered."""
        return self._pid

    def run(
        self, *command: str, check: bool = True, text: str | None = None, user: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command inside the box, as root unless a user is named."""
        whole = ["nsenter", f"--target={self._pid}", "--all", "--root", "env", "--chdir=/"]
        whole += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
        done = subprocess.run([*whole, *command], input=text, capture_output=True, text=True, timeout=60, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def state(self, unit: str) -> dict[str, str]:
        """Active state, result and main process of a unit."""
        shown = self.run("systemctl", "show", unit, "--property=ActiveState,SubState,Result,MainPID,NRestarts").stdout
        return dict(line.split("=", 1) for line in shown.splitlines())

    def journal(self, unit: str) -> str:
        return self.run("journalctl", "--unit", unit, "--output=cat", "--no-pager").stdout

    def fetch(self, url: str) -> Any:
        """A JSON answer over HTTP, asked from inside the box but outside every sandbox."""
        code = "import sys, urllib.request as r; sys.stdout.write(r.urlopen(sys.argv[1], timeout=20).read().decode())"
        return json.loads(self.run("/usr/bin/python3", "-I", "-c", code, url).stdout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)  # process 1 of the namespace: all others end with it
        if hasattr(self, "_outer"):
            self._outer.wait(timeout=20)
            self._log.close()
            _remove_control_group(self._group)


def _control_group() -> Path:
    """A fresh control group (version 2) for the box's systemd."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(tempfile.mkdtemp(prefix="madoguchi-", dir=where))
    raise RuntimeError("this machine has no control groups of version 2")


def _remove_control_group(group: Path) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            for path in sorted(group.rglob("*/"), reverse=True):
                if path.is_dir():
                    path.rmdir()
            group.rmdir()
        except OSError:
            # The kernel takes a moment to reap the last process of a group.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
