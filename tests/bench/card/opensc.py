"""The same authentication by OpenSC, as the reference."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.card.window import DIGEST, PIN, BenchError, Window
from tests.bench.report import percentile

LIBRARIES, MODULE = Path("/usr/lib"), "*/opensc-pkcs11.so"
# RFC 8017 section 9.2, note 1: the mechanism RSA-PKCS wants the whole DigestInfo.
DIGEST_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420") + DIGEST
ANSWER_S: Final = 60


@dataclass(frozen=True)
class Reference:
    """What OpenSC took, and in words what each number is of. Where it is not installed every number is None.

    ``outside_ms`` is its ``wall_ms`` without the time inside the card.
    """

    is_what: str
    exchanges: int | None = None
    bytes: int | None = None
    wall_ms: float | None = None
    outside_ms: float | None = None

    @property
    def wall_is(self) -> str:
        return self.is_what if self.wall_ms is None else f"{self.is_what}: its process"

    @property
    def outside_is(self) -> str:
        return self.is_what if self.wall_ms is None else f"{self.wall_is}, without the time inside the card"


def by_opensc(window: Window, times: int) -> Reference:
    """The median times of so many processes of ``pkcs11-tool``, from start to end; exchanges and bytes of the last.

    It reads the certificate and asks the counter by itself before it signs, and remembers nothing from one process to
    the next. Raises ``BenchError`` if it fails.
    """
    module = next(iter(sorted(LIBRARIES.glob(MODULE))), None)
    if module is None or shutil.which("pkcs11-tool") is None:
        return Reference("OpenSC is not installed")
    took = [window.measure(lambda: _signed(window.folder, module)) for _ in range(times)]
    return Reference(
        f"OpenSC {_version()} pkcs11-tool on the same card",
        took[-1].exchanges,
        took[-1].bytes,
        percentile([one.wall_ms for one in took], 50),
        percentile([one.outside_ms for one in took], 50),
    )


def _signed(folder: Path, module: Path) -> bytes:
    data, signature = folder / "data", folder / "signature"
    data.write_bytes(DIGEST_INFO)
    _run("pkcs11-tool", "--module", str(module), "--slot-index", "0", "--login", "--pin", PIN, "--sign", "--id", "01",
         "--mechanism", "RSA-PKCS", "--input-file", str(data), "--output-file", str(signature))  # fmt: skip
    return signature.read_bytes()


def _version() -> str:
    found = re.search(r"\d+\.\d+", _run("opensc-tool", "--info"))
    return found.group() if found else "of an unknown version"


def _run(*command: str) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_S, env=environment)
    if ran.returncode != 0:
        raise BenchError(f"{command[0]}: {ran.stderr.strip()[-300:]}")
    return ran.stdout
