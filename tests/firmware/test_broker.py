"""The shipped broker configuration and ACL in a real mosquitto, with certificates made here."""

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.firmware.authority import Authority
from tests.firmware.layout import FIRMWARE, SYSTEMD, Unit

A, B = "D101210000017", "D101210000026"
QUIET_S = 0.5
LONGEST_S = 20
pytestmark = pytest.mark.peer


@dataclass
class Broker:
    """A running mosquitto with the shipped configuration; only paths and the port are this test's."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]

    def options(self, name: str) -> list[str]:
        at = self.directory
        found = ["-h", "127.0.0.1", "-p", str(self.port), "-V", "5", "--cafile", str(at / "ca.crt")]
        return [*found, "--cert", str(at / f"{name}.crt"), "--key", str(at / f"{name}.key")] if name else found

    def publish(self, name: str, topic: str, *more: str) -> str:
        """Publishes ``ping`` at QoS 1; returns what the client complains about, empty when all is well."""
        command = ["mosquitto_pub", *self.options(name), "-q", "1", "-t", topic, "-m", "ping", *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        return (done.stdout + done.stderr).strip() or ("" if done.returncode == 0 else f"exit {done.returncode}")

    def listen(self, name: str, *topics: str, expect: int) -> "Listener":
        return Listener(self, name, topics, expect)


class Listener:
    """``mosquitto_sub`` as a context manager; ``topics`` is what it has heard after the block.

    It waits for as many messages as are expected and then a moment longer, for those that must not come.
    """

    def __init__(self, broker: Broker, name: str, topics: tuple[str, ...], expect: int) -> None:
        self._expect = expect
        wanted = [word for topic in topics for word in ("-t", topic)]
        # Into a pipe it would keep its lines until it ends, the answer to the subscription among them.
        client = ["stdbuf", "-oL", "mosquitto_sub", "-W", str(LONGEST_S)]
        self._command = [*client, *broker.options(name), "-q", "1", "-d", "-F", "heard %t", *wanted]
        self.topics: list[str] = []

    def __enter__(self) -> "Listener":
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "SUBACK" in line:
                return self
        self._process.stdout.close()
        raise AssertionError(f"no subscription: exit {self._process.wait()}")

    def __exit__(self, *_: object) -> None:
        lines: list[str] = []
        assert self._process.stdout is not None
        while self._count(lines) < self._expect and (line := self._process.stdout.readline()):
            lines.append(line)
        time.sleep(QUIET_S)
        self._process.terminate()
        lines += self._process.communicate(timeout=10)[0].splitlines()
        self.topics = [line.strip().removeprefix("heard ") for line in lines if line.startswith("heard ")]

    @staticmethod
    def _count(lines: list[str]) -> int:
        return sum(line.startswith("heard ") for line in lines)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    directory = tmp_path_factory.mktemp("broker")
    authority = Authority(directory)
    for name in (A, B, "hub", "#", "broker"):
        authority.issue(name)
    shutil.copy(FIRMWARE / "mosquitto/acl", directory / "acl")
    # mosquitto drops root for a user of its own, who must not need this directory afterwards.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shipped = (FIRMWARE / "mosquitto/madoguchi.conf").read_text(encoding="utf-8")
    ours = (
        shipped.replace("listener 8883", f"listener {port} 127.0.0.1")
        .replace("/etc/mosquitto/madoguchi/", f"{directory}/")
        .replace("/run/credentials/mosquitto.service/", f"{directory}/")
        .replace("/var/lib/mosquitto/", f"{directory}/")
    )
    assert ours.count(str(directory)) == shipped.count("/etc/mosquitto/madoguchi/") + 2, "a path was missed"
    (directory / "test.conf").write_text(ours + "user root\n", encoding="utf-8")
    with ExitStack() as stack, (directory / "log").open("wb") as log:
        command = ["mosquitto", "-c", str(directory / "test.conf")]
        process = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log))
        stack.callback(process.terminate)
        deadline = time.monotonic() + 10
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (directory / "log").read_text()
            assert time.monotonic() < deadline, "the broker does not listen"
            time.sleep(0.05)
        yield Broker(directory, port, process)


@pytest.mark.parametrize("lane", ["up", "urgent", "blob", "state"])
def test_a_school_writes_its_own_lanes_and_the_hub_hears_them(broker: Broker, lane: str) -> None:
    with broker.listen("hub", "madoguchi/1/+/" + lane, expect=1) as hub:
        assert broker.publish(A, f"madoguchi/1/{A}/{lane}") == ""
    assert hub.topics == [f"madoguchi/1/{A}/{lane}"]


@pytest.mark.parametrize("lane", ["up", "urgent", "blob", "state", "ack", "down"])
def test_a_school_cannot_write_the_lanes_of_another(broker: Broker, lane: str) -> None:
    with broker.listen("hub", "madoguchi/1/#", expect=0) as hub:
        assert "Not authorized" in broker.publish(A, f"madoguchi/1/{B}/{lane}")
    assert hub.topics == []


@pytest.mark.parametrize("topic", [f"madoguchi/1/{A}/ack", f"madoguchi/1/{A}/down", "madoguchi/1/x", "$SYS/x", "a"])
def test_a_school_cannot_write_what_only_the_hub_says_nor_anything_else(broker: Broker, topic: str) -> None:
    assert "Not authorized" in broker.publish(A, topic)


@pytest.mark.parametrize("lane", ["ack", "down"])
def test_a_school_hears_the_hub_on_its_own_lanes_only(broker: Broker, lane: str) -> None:
    everything = ("madoguchi/1/#", "#", f"madoguchi/1/{B}/{lane}", f"madoguchi/1/{B}/up")
    with broker.listen(A, *everything, f"madoguchi/1/{A}/{lane}", expect=1) as school:
        assert broker.publish("hub", f"madoguchi/1/{B}/{lane}") == ""
        assert broker.publish(B, f"madoguchi/1/{B}/up") == ""
        assert broker.publish("hub", f"madoguchi/1/{A}/{lane}") == ""
    assert set(school.topics) == {f"madoguchi/1/{A}/{lane}"}


def test_a_retained_state_of_another_school_is_not_handed_out(broker: Broker) -> None:
    assert broker.publish(B, f"madoguchi/1/{B}/state", "--retain") == ""
    with broker.listen(A, "madoguchi/1/#", f"madoguchi/1/{B}/state", expect=0) as school:
        pass
    assert school.topics == []
    with broker.listen("hub", "madoguchi/1/+/state", expect=1) as hub:
        pass
    assert f"madoguchi/1/{B}/state" in hub.topics


def test_a_certificate_named_like_a_wildcard_opens_nothing(broker: Broker) -> None:
    with broker.listen("#", "madoguchi/1/#", "madoguchi/1/+/ack", expect=0) as wild:
        assert broker.publish("hub", f"madoguchi/1/{A}/ack") == ""
        assert "Not authorized" in broker.publish("#", f"madoguchi/1/{A}/up")
    assert wild.topics == []


def test_the_hub_can_share_the_work_among_several(broker: Broker) -> None:
    with broker.listen("hub", "$share/ingest/madoguchi/1/+/up", expect=1) as hub:
        assert broker.publish(A, f"madoguchi/1/{A}/up") == ""
    assert hub.topics == [f"madoguchi/1/{A}/up"]


def test_a_client_cannot_take_another_school_s_session_by_its_identifier(broker: Broker) -> None:
    with broker.listen(B, f"madoguchi/1/{B}/ack", expect=1) as victim:
        assert broker.publish(A, f"madoguchi/1/{A}/up", "-i", B) == ""
        assert broker.publish("hub", f"madoguchi/1/{B}/ack") == ""
    assert victim.topics == [f"madoguchi/1/{B}/ack"]


def test_without_a_certificate_there_is_no_connection(broker: Broker) -> None:
    assert broker.publish("", f"madoguchi/1/{A}/up") != ""


def test_a_certificate_of_another_authority_is_refused(broker: Broker, tmp_path: Path) -> None:
    Authority(tmp_path).issue(A)
    for ending in ("crt", "key"):
        shutil.copy(tmp_path / f"{A}.{ending}", broker.directory / f"stranger.{ending}")
    assert broker.publish("stranger", f"madoguchi/1/{A}/up") != ""


def test_nothing_older_than_tls_1_3(broker: Broker) -> None:
    context = ssl.create_default_context(cafile=str(broker.directory / "ca.crt"))
    context.load_cert_chain(broker.directory / f"{A}.crt", broker.directory / f"{A}.key")
    address = ("127.0.0.1", broker.port)
    with socket.create_connection(address, 5) as line, context.wrap_socket(line, server_hostname="127.0.0.1") as tls:
        assert tls.version() == "TLSv1.3"
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(address, 5) as line, pytest.raises(ssl.SSLError):
        context.wrap_socket(line, server_hostname="127.0.0.1")


def test_the_unit_starts_the_broker_with_this_configuration_and_gives_it_the_key() -> None:
    drop_in = Unit.read(SYSTEMD / "mosquitto.service.d/appliance.conf")
    shipped = (FIRMWARE / "mosquitto/madoguchi.conf").read_text(encoding="utf-8")
    assert drop_in.all("ExecStart") == ["", "/usr/sbin/mosquitto -c /etc/mosquitto/madoguchi/madoguchi.conf"]
    assert "keyfile /run/credentials/mosquitto.service/broker.key\n" in shipped
    assert drop_in.all("LoadCredentialEncrypted") == ["broker.key:/etc/credstore.encrypted/broker.key"]
