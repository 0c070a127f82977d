"""A box with a token in front of somebody who is no hub; ``programs/hub/test_endpoint.py`` has a real one."""

import socket
import threading
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.ledger.keys import SigningKey
from appliance.services.enrolment import EnrolmentStore
from appliance.services.founding import make_credentials
from appliance.services.opening import found_box
from appliance.services.token_enrolment import HubUnreachableError, enrol_by_token
from appliance.sync.token import Token
from tests.school.small import CODE


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.0 200 OK\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"])
def test_somebody_who_speaks_no_tls_gets_nothing(tmp_path: Path, answer: bytes) -> None:
    keys = tmp_path / "keys"
    make_credentials(keys)
    device_key = SigningKey.from_pem((keys / "device.key").read_bytes())
    box = found_box(tmp_path, (keys / "database.key").read_bytes(), device_key, SystemClock(), str(CODE), "架空小学校")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            peer.recv(4096)
            peer.sendall(answer)
            peer.close()

        threading.Thread(target=serve, daemon=True).start()
        token = Token(b"s" * 10, b"f" * 16, "127.0.0.1", server.getsockname()[1])
        with pytest.raises(HubUnreachableError):
            enrol_by_token(box, (keys / "line.key").read_bytes(), token)
    assert EnrolmentStore(box.database).find() is None
    box.database.close()
