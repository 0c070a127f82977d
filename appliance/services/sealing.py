"""The keys of the box at rest: credentials of systemd, sealed for this installation and, where it has one, its TPM.

A key is written beside the one in use, opened once to see that it opens, and takes its place in one step: whenever
the power goes, each name has one file that opens. In the open a key is only in the memory of this process.
"""

import base64
import binascii
import json
import os
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.config import successor_of
from appliance.errors import ConfigError, UnavailableError, UntrustedError
from appliance.ledger.keys import SigningKey
from appliance.services.founding import ARCHIVE_KEY, DATABASE_KEY, DEVICE_KEY, LINE_KEY, MAKERS, STAFF_KEY
from appliance.services.tpm import PcrsUnsetError, Tpm, TpmOwnedError, TpmToolError, run
from appliance.store.database import KEY_BYTES
from appliance.store.files import remove_file, write_file

BOX_KEYS = (DATABASE_KEY, DEVICE_KEY, LINE_KEY, STAFF_KEY, ARCHIVE_KEY)
MADE_LATER = (ARCHIVE_KEY,)
"""Keys that boxes of earlier releases were founded without. Nothing is under them, so that a new one may be made."""
REPLACED: dict[str, Callable[[], bytes]] = {
    DATABASE_KEY: lambda: os.urandom(KEY_BYTES),
    DEVICE_KEY: lambda: SigningKey.make().pem(),
}
"""The keys that another may take the place of, and how that is made."""
NEXT_KEYS = tuple(map(successor_of, REPLACED))
LOCKOUT_KEY = "tpm-lockout.key"
LOCKOUT_BYTES = 16
PREVIOUS = ".previous"

# The file of a credential begins with what opens it, the sizes of four parts, and the nonce, filled up to eight
# bytes; with a TPM the mask of PCRs comes next (systemd 252, src/shared/creds-util.c).
HEADER = struct.Struct("<16sIIII")
PCR_MASK = struct.Struct("<Q")
BY_HOST = bytes.fromhex("5a1c6a86df9d4096b1d5a65e0862f19a")
BY_HOST_AND_TPM = bytes.fromhex("93a894094874449090caf2fc93cab553")


class PcrsChangedError(UntrustedError):
    """The firmware measured something else at this start than when the key was sealed."""

    code = "keys.pcrs_changed"


class OtherTpmError(UntrustedError):
    """The key was sealed for another TPM, or this one was cleared since."""

    code = "keys.other_tpm"


class TpmLockedError(UnavailableError):
    """The TPM believes that somebody guesses, and opens nothing for now."""

    code = "keys.tpm_locked"


class TpmAbsentError(UnavailableError):
    """The key was sealed for a TPM, and none answers."""

    code = "keys.tpm_absent"


class KeyUnopenedError(UnavailableError):
    """The key cannot be opened or sealed; ``reason`` is what systemd said."""

    code = "keys.unopened"


class NoKeysError(ConfigError):
    """There are no sealed keys: the box was not founded."""

    code = "keys.none"


# What systemd-creds says of a TPM that does not open a key (systemd 252, src/shared/tpm2-util.c, and tss2-rc).
CHANGED = ("policy digest does not match", "a policy check failed")
FOREIGN = ("integrity check failed",)
LOCKED = ("dictionary attack lockout", "DA lockout mode")
ABSENT = ("TCTI context",)


@dataclass(frozen=True)
class Seal:
    """What opens a key besides this installation's own secret: a TPM whose PCRs are as they were, or nothing."""

    tpm: bool
    pcrs: tuple[int, ...] = ()


HOST_ONLY = Seal(tpm=False)


class KeyStore:
    """The sealed keys in ``folder``; ``status`` is the file in which programs that may not open them read how they
    are sealed. New ones are sealed for the TPM's present PCRs, or for this installation alone without a TPM."""

    def __init__(self, folder: Path, status: Path, tpm: Tpm | None, pcrs: tuple[int, ...]) -> None:
        self._folder, self._status, self._tpm, self._pcrs = folder, status, tpm, pcrs

    @property
    def wanted(self) -> Seal:
        """How new keys are sealed."""
        return HOST_ONLY if self._tpm is None else Seal(tpm=True, pcrs=self._pcrs)

    def names(self) -> list[str]:
        """The keys of a box that are there."""
        return [name for name in (*BOX_KEYS, *NEXT_KEYS) if (self._folder / name).exists()]

    def prepare(self) -> None:
        """Makes the TPM ready for keys; to be called before the first is sealed.

        Raises ``PcrsUnsetError``, ``TpmOwnedError`` or ``TpmToolError``.
        """
        if self._tpm is None:
            return
        self._tpm.check_measured(self._pcrs)
        if not self._tpm.bears_power_cuts:
            self._tpm.bear_power_cuts(self._lockout_authorization(self._tpm))

    def open(self, name: str) -> bytes:
        """The key in the open. Raises ``PcrsChangedError``, ``OtherTpmError``, ``TpmLockedError``,
        ``TpmAbsentError`` or ``KeyUnopenedError``."""
        try:
            sealed = (self._folder / name).read_bytes()
        except OSError as error:
            raise KeyUnopenedError(name=name, reason="no sealed credential") from error
        return self._decrypt(name, sealed)

    def seal(self, name: str, key: bytes) -> None:
        """Seals a key as wanted; an older one under this name is replaced in one step. Raises as ``open`` does."""
        if self._tpm is None:
            self._tell(HOST_ONLY)  # first: broken off half-way, it must not claim more than is true
        self._write(name, key, self._tpm)

    def seal_anew(self) -> list[str]:
        """Seals every key as wanted now, one after the other, and tells how they are; returns their names."""
        names = self.names()
        for name in names:
            self.seal(name, self.open(name))
        self.tell()
        return names

    def complete(self) -> list[str]:
        """Makes and seals the keys that an earlier release had not, if they are not there; returns their names. One
        that is there stays, whether it opens or not. Raises as ``prepare`` and ``open`` do."""
        missing = [name for name in MADE_LATER if not (self._folder / name).exists()]
        if missing:
            self.prepare()
            for name in missing:
                self.seal(name, MAKERS[name]())
            self.tell()
        return missing

    def seal_next(self, name: str) -> None:
        """Makes the next key of this name (``REPLACED``) beside the present one, unless one is there already."""
        if not (self._folder / successor_of(name)).exists():
            self.seal(successor_of(name), REPLACED[name]())

    def adopt_next(self, name: str) -> None:
        """Puts the next key in the place of the present one, once that is not needed any more. A sealed key carries its
        name, so it is sealed anew; what is interrupted between the two steps is done again."""
        self.seal(name, self.open(successor_of(name)))
        remove_file(self._folder / successor_of(name))
        self.tell()

    def set_aside(self, name: str) -> None:
        """Keeps a key that does not open under another name: the TPM may one day be as it was."""
        if (self._folder / name).exists():
            (self._folder / name).replace(self._folder / f"{name}{PREVIOUS}")

    def seal_of(self, name: str) -> Seal:
        """How a key is sealed, read from its file; raises ``KeyUnopenedError``."""
        try:
            raw = base64.b64decode((self._folder / name).read_bytes())
            kind, _, _, nonce_bytes, _ = HEADER.unpack_from(raw)
            (mask,) = PCR_MASK.unpack_from(raw, -(-(HEADER.size + nonce_bytes) // 8) * 8)
        except (OSError, binascii.Error, struct.error) as error:
            raise KeyUnopenedError(name=name, reason="no sealed credential") from error
        if kind == BY_HOST:
            return HOST_ONLY
        if kind != BY_HOST_AND_TPM:
            raise KeyUnopenedError(name=name, reason="sealed in another way")
        return Seal(tpm=True, pcrs=tuple(pcr for pcr in range(24) if mask >> pcr & 1))

    def tell(self) -> Seal:
        """Writes for all to read how the weakest key is sealed; raises ``NoKeysError`` or ``KeyUnopenedError``."""
        seals = [self.seal_of(name) for name in self.names()]
        if not seals:
            raise NoKeysError(folder=str(self._folder))
        weakest = min(seals, key=lambda seal: (seal.tpm, len(seal.pcrs)))
        self._tell(weakest)
        return weakest

    def _tell(self, seal: Seal) -> None:
        self._status.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        text = json.dumps({"tpm": seal.tpm, "pcrs": list(seal.pcrs)}) + "\n"
        write_file(self._status, text.encode())
        self._status.chmod(0o644)  # whatever the administrator's umask is

    def _lockout_authorization(self, tpm: Tpm) -> str:
        """What changes the TPM's limits: made once, and kept for this installation alone, because it is needed when
        the TPM opens nothing. A TPM without its installation is cleared in its firmware set-up."""
        if not (self._folder / LOCKOUT_KEY).exists():
            if tpm.is_owned:
                raise TpmOwnedError
            self._write(LOCKOUT_KEY, secrets.token_hex(LOCKOUT_BYTES).encode(), None)
        return self.open(LOCKOUT_KEY).decode()

    def _write(self, name: str, key: bytes, tpm: Tpm | None) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sealed = self._encrypt(name, key, tpm)
        if self._decrypt(name, sealed) != key:
            raise KeyUnopenedError(name=name, reason="the sealed key opens to something else")
        write_file(self._folder / name, sealed)

    def _encrypt(self, name: str, key: bytes, tpm: Tpm | None) -> bytes:
        how: tuple[str, ...] = ("--with-key=host",)
        if tpm is not None:
            pcrs = "+".join(map(str, self._pcrs))
            how = ("--with-key=host+tpm2", f"--tpm2-device={tpm.address}", f"--tpm2-pcrs={pcrs}")
        try:
            sealed, complaint = run(("systemd-creds", "encrypt", *how, f"--name={name}", "-", "-"), key, {})
        except TpmToolError as error:
            raise _meaning(error, name) from error
        if "unenforced" in complaint:
            raise PcrsUnsetError(pcrs=", ".join(map(str, self._pcrs)))
        return sealed

    def _decrypt(self, name: str, sealed: bytes) -> bytes:
        try:
            return run(("systemd-creds", "decrypt", f"--name={name}", "-", "-"), sealed, {})[0]
        except TpmToolError as error:
            raise _meaning(error, name) from error


def read_seal(status: Path) -> Seal | None:
    """How the keys are sealed, from the file that ``KeyStore.tell`` wrote; None where nothing is known."""
    try:
        table = json.loads(status.read_text(encoding="utf-8"))
        return Seal(tpm=bool(table["tpm"]), pcrs=tuple(int(pcr) for pcr in table["pcrs"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _meaning(error: TpmToolError, name: str) -> UntrustedError | UnavailableError:
    said = str(error.fields["reason"])
    if any(words in said for words in CHANGED):
        return PcrsChangedError(name=name)
    if any(words in said for words in FOREIGN):
        return OtherTpmError(name=name)
    if any(words in said for words in LOCKED):
        return TpmLockedError(name=name)
    if any(words in said for words in ABSENT):
        return TpmAbsentError(name=name)
    return KeyUnopenedError(name=name, reason=said)
