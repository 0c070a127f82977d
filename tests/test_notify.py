"""What systemd hears."""

import socket
import threading
from pathlib import Path

import pytest

from appliance.notify import Notifier, keep_alive


def test_systemd_hears_every_word(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "60000000"})
        assert notifier.interval_s == 20
        notifier.ready()
        notifier.alive()
        notifier.stopping()
        assert [systemd.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_an_abstract_address_is_understood() -> None:
    name = "madoguchi-test-notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}")
        systemd.settimeout(5)
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert systemd.recv(100) == b"READY=1"


def test_without_systemd_nothing_happens(tmp_path: Path) -> None:
    assert Notifier({}).interval_s is None
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()


def test_a_systemd_that_takes_no_mail_holds_nobody_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")})

        def tell() -> None:
            for _ in range(1000):
                notifier.alive()
            notifier.stopping()

        telling = threading.Thread(target=tell, daemon=True)
        telling.start()
        telling.join(5)
        assert not telling.is_alive()


def test_a_healthy_program_says_so_until_it_is_not(tmp_path: Path) -> None:
    answers = iter([True, True, False])
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000"})
        asked = threading.Event()

        def healthy() -> bool:
            answer = next(answers)
            if not answer:
                asked.set()
            return answer

        keep_alive(notifier, healthy)
        assert [systemd.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2
        assert asked.wait(5)
        systemd.settimeout(0.1)
        with pytest.raises(TimeoutError):
            systemd.recv(100)


def test_nobody_is_asked_when_nobody_watches() -> None:
    def healthy() -> bool:
        raise AssertionError("asked")

    before = threading.active_count()
    keep_alive(Notifier({"WATCHDOG_USEC": "soon"}), healthy)
    assert threading.active_count() == before
