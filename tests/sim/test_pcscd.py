"""A private pcscd comes, goes, and tells what is missing."""

import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sim import pcscd as module
from tests.sim.pcscd import PcscdFailedError, PcscdMissingError, PrivatePcscd


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pcscd-") as name:
        yield Path(name)


def readers(daemon: PrivatePcscd) -> str:
    """What another process lists through this pcscd."""
    program = "from smartcard.System import readers; print(*readers(), sep=', ')"
    environment = {**os.environ, **daemon.environment}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.stdout.strip() or done.stderr


def test_two_run_side_by_side(directory: Path) -> None:
    with PrivatePcscd(directory / "a") as one, PrivatePcscd(directory / "b") as two:
        assert not set(one.ports) & set(two.ports)
        assert readers(one) == readers(two) == "Virtual PCD 00 00, Virtual PCD 00 01"
        two.stop()
        assert readers(one) == "Virtual PCD 00 00, Virtual PCD 00 01"


def test_it_leaves_the_machine_alone(directory: Path) -> None:
    before = Path("/run/pcscd").exists()
    with PrivatePcscd(directory) as daemon:
        assert daemon.running
        assert Path("/run/pcscd").exists() == before
    assert not daemon.running


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_it_comes_back_on_the_same_ports(directory: Path, end: str) -> None:
    with PrivatePcscd(directory) as daemon:
        ports = daemon.ports
        getattr(daemon, end)()
        assert not daemon.running
        assert "Virtual" not in readers(daemon)
        daemon.start()
        assert daemon.ports == ports
        assert "Virtual PCD 00 01" in readers(daemon)


def test_taken_ports_are_left_to_their_owner(directory: Path) -> None:
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        taken = owner.getsockname()[1]
        daemon = PrivatePcscd(directory)
        daemon.port = taken - 1  # the second slot cannot be opened
        with daemon:
            assert taken not in daemon.ports
            assert "Virtual PCD 00 01" in readers(daemon)


def test_it_ends_with_whoever_started_it(directory: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.sim.pcscd import PrivatePcscd\n"
        "daemon = PrivatePcscd(Path(sys.argv[1])); daemon.start(); print(daemon._process.pid, flush=True)\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    ) as owner:  # fmt: skip
        assert owner.stdout is not None
        daemon = Path("/proc") / owner.stdout.readline().strip()
        assert (daemon / "comm").read_text() == "pcscd\n"
        ended = os.pidfd_open(int(daemon.name))
        owner.kill()
    assert select.select([ended], [], [], 5)[0]  # readable once the process has ended (pidfd_open(2))
    os.close(ended)


def test_a_missing_driver_names_its_package(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRIVER", directory / "none.so")
    with pytest.raises(PcscdMissingError, match="apt-get install vsmartcard-vpcd"):
        PrivatePcscd(directory).start()


def test_a_missing_daemon_names_its_package(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path: None if name == "pcscd" else f"/bin/{name}")
    with pytest.raises(PcscdMissingError, match="apt-get install pcscd"):
        PrivatePcscd(directory).start()


def test_a_failure_shows_what_pcscd_said(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IN_NAMESPACE", "echo no luck today; exit 1")
    with pytest.raises(PcscdFailedError, match="no luck today"):
        PrivatePcscd(directory).start()


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can become somebody else")
def test_it_needs_no_root(directory: Path) -> None:
    directory.chmod(0o777)
    # A copy of what it needs: the checkout may lie where only root can read.
    copy = directory / "tests" / "sim"
    copy.mkdir(parents=True)
    for name in ("pcscd.py", "server.py"):
        shutil.copy(Path(__file__).with_name(name), copy)
    program = (
        "import sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "from tests.sim.pcscd import PrivatePcscd\n"
        "with PrivatePcscd(Path(sys.argv[1]) / 'own') as daemon: print(daemon.running)"
    )
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c", program,
         str(directory), str(directory)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if "unshare failed: Operation not permitted" in done.stderr or "uid_map" in done.stderr:
        pytest.skip("this kernel gives users no namespaces")
    assert done.stdout == "True\n", done.stderr
