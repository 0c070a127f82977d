"""A disk with sealed keys beside a TPM, for the tests of both."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.programs.cli.__main__ import main
from appliance.services.founding import make_credentials
from appliance.services.sealing import BOX_KEYS, KeyStore, Seal
from appliance.services.tpm import Tpm
from tests.sim.tpm import VirtualTpm

PROGRAMS = Path("/usr/bin")
KEYS = {name: hashlib.sha256(name.encode()).digest() for name in BOX_KEYS}
SECURE_BOOT = Seal(tpm=True, pcrs=(7,))
OTHER_FIRMWARE = bytes(32)


class Installation:
    """A disk with its own secret of systemd, settings and sealed keys, and the TPM that it is with at the moment."""

    def __init__(self, folder: Path, environment: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]) -> None:
        self.folder, self.keys, self.status = folder, folder / "keys", folder / "sealing.json"
        self._environment, self._output = environment, output
        environment.setenv("SYSTEMD_CREDENTIAL_SECRET", str(folder / "secret"))
        environment.setenv("APPLIANCE_SETTINGS", str(folder / "site.toml"))
        environment.setenv("LC_ALL", "C.UTF-8")
        self.configure()

    def configure(self, more: str = "") -> None:
        paths = f'[keys]\nstore = "{self.keys}"\nstatus = "{self.status}"\n'
        (self.folder / "site.toml").write_text(paths + more, encoding="utf-8")

    def put_beside(self, tpm: VirtualTpm | None) -> None:
        """From now on this TPM is the one of the machine."""
        if tpm is None:
            self._environment.delenv("SYSTEMD_TPM2_DEVICE", raising=False)
        else:
            self._environment.setenv("SYSTEMD_TPM2_DEVICE", tpm.address)

    def store(self, pcrs: tuple[int, ...] = (7,)) -> KeyStore:
        return KeyStore(self.keys, self.status, Tpm.find(), pcrs)

    def found(self) -> None:
        """Seals keys of its own, as ``appliance-admin init`` does."""
        new = self.folder / "new"
        make_credentials(new)
        assert self.run("prepare") == 0
        assert self.run("seal", "--from", str(new)) == 0
        shutil.rmtree(new)

    def run(self, *arguments: str) -> int:
        """``appliance keys``; what it said is in ``said`` afterwards."""
        self._output.readouterr()
        code = main(["keys", *arguments])
        out, err = self._output.readouterr()
        self.said = out + err
        return code

    def opened(self) -> dict[str, bytes]:
        store = self.store()
        return {name: store.open(name) for name in store.names()}

    def shim(self, program: str, script: str) -> None:
        """Puts a shell script before a program; ``$real`` is the program itself."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        (folder / program).write_text(f"#!/bin/sh\nreal={PROGRAMS / program}\n{script}\n")
        (folder / program).chmod(0o755)
        if str(folder) not in os.environ["PATH"]:
            self._environment.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Installation:
    return Installation(tmp_path, monkeypatch, capsys)


@pytest.fixture
def tpm(tmp_path: Path, here: Installation) -> Iterator[VirtualTpm]:
    """The TPM of the machine, switched on."""
    with VirtualTpm(tmp_path / "tpm") as tpm:
        here.put_beside(tpm)
        yield tpm


@pytest.fixture
def sealed(here: Installation, tpm: VirtualTpm) -> KeyStore:
    """Keys that were sealed as the product does it."""
    store = here.store()
    store.prepare()
    for name, key in KEYS.items():
        store.seal(name, key)
    store.tell()
    return store
