"""The kiosk: one process, one worker, loopback only."""

from pathlib import Path

from appliance.log import EventLog
from appliance.trust.anchors import Anchor, parse_anchors

LANGUAGE = "ja"
READER_SIGNAL = "reader"
LOG = EventLog("kiosk")


def read_anchors(folder: Path) -> list[Anchor]:
    """All anchors of the files ``*.pem``, ``*.crt`` and ``*.cer`` in the folder of trust."""
    files = [one for pattern in ("*.pem", "*.crt", "*.cer") for one in sorted(folder.glob(pattern))]
    return [anchor for file in files for anchor in parse_anchors(file.read_bytes())]
