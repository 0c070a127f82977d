"""The TPM 2.0 of the box, as tpm2-tools drive it: is its firmware measured, and does it bear power cuts?

A TPM counts every start that follows a power cut as if somebody had guessed a key (TPM 2.0 Library, part 1, section
19.8.5). As it comes it locks all keys after a few of them, in swtpm after three, and a box in a school has its plug
pulled every evening. What systemd seals is no password that could be guessed, so the count may be high.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from appliance.errors import ConfigError, UnavailableError

DEVICE = Path("/dev/tpmrm0")
"""The kernel's resource manager; without it the few slots of the chip run out."""

MOST_TRIES = 100_000
FORGET_S = 600
"""One counted power cut is forgotten after so many seconds of running."""

LOCKOUT_RECOVERY_S = 86_400
TIMEOUT_S = 120
UNSET = ({"0"}, {"f"})


class TpmToolError(UnavailableError):
    """A program for the TPM is missing, failed, or took too long; ``reason`` is the end of what it said."""

    code = "tpm.tool"


class PcrsUnsetError(ConfigError):
    """The firmware measured nothing into these PCRs, so binding a key to them would bind it to nothing."""

    code = "tpm.pcrs_unset"


class TpmOwnedError(ConfigError):
    """Somebody else set the TPM's lockout authorization, and left a count of guesses that power cuts would reach."""

    code = "tpm.owned"


class Tpm:
    """``address`` is a TCTI string of the TPM2 software stack, such as ``device:/dev/tpmrm0``."""

    def __init__(self, address: str) -> None:
        self.address = address

    @classmethod
    def find(cls, environment: Mapping[str, str] = os.environ, device: Path = DEVICE) -> "Tpm | None":
        """The TPM that systemd would use: the one in ``$SYSTEMD_TPM2_DEVICE``, else the kernel's, else none."""
        if address := environment.get("SYSTEMD_TPM2_DEVICE"):
            return cls(address)
        return cls(f"device:{device}") if device.exists() else None

    def check_measured(self, pcrs: tuple[int, ...]) -> None:
        """Raises ``PcrsUnsetError`` if one of the PCRs (SHA-256) is as it was at power-on. systemd only warns then."""
        text = self._run("tpm2_pcrread", f"sha256:{','.join(map(str, pcrs))}")
        rows = (line.partition(":") for line in text.splitlines())
        values = {int(number): value.strip().lower().removeprefix("0x") for number, _, value in rows if value.strip()}
        unset = [pcr for pcr in pcrs if set(values.get(pcr, "0")) in UNSET]
        if unset:
            raise PcrsUnsetError(pcrs=", ".join(map(str, unset)))

    @property
    def is_owned(self) -> bool:
        """Whether changing its limits needs a lockout authorization."""
        return self._properties()["lockoutAuthSet"] == 1

    @property
    def bears_power_cuts(self) -> bool:
        """Whether power cuts cannot lock it, and nobody without its lockout authorization can change that."""
        found = self._properties()
        return found["TPM2_PT_MAX_AUTH_FAIL"] >= MOST_TRIES and found["lockoutAuthSet"] == 1

    def bear_power_cuts(self, authorization: str) -> None:
        """Sets the limits and, where there is none yet, the lockout authorization; unlocks a TPM that is locked.

        Can be broken off and done again. Raises ``TpmOwnedError`` if this is not its authorization; not to be tried at
        random, because a wrong one closes that door for a day.
        """
        limits = ["--setup-parameters", f"--max-tries={MOST_TRIES}", f"--recovery-time={FORGET_S}"]
        limits.append(f"--lockout-recovery-time={LOCKOUT_RECOVERY_S}")
        if self.is_owned:
            try:
                self._run("tpm2_dictionarylockout", *limits, "--auth=file:-", told=authorization)
            except TpmToolError as error:
                raise TpmOwnedError from error
            return
        self._run("tpm2_dictionarylockout", *limits)
        self._run("tpm2_changeauth", "--object-context=lockout", "file:-", told=authorization)

    def _properties(self) -> dict[str, int]:
        rows = (line.strip().partition(":") for line in self._run("tpm2_getcap", "properties-variable").splitlines())
        return {name: int(value, 0) for name, _, value in rows if value.strip()}

    def _run(self, program: str, *arguments: str, told: str = "") -> str:
        """What the program printed; ``told`` is its input, so that a secret is no argument that others can see."""
        return run((program, *arguments), told.encode(), {"TPM2TOOLS_TCTI": self.address})[0].decode()


def run(command: tuple[str, ...], told: bytes, more: Mapping[str, str]) -> tuple[bytes, str]:
    """What the command printed, and what it complained of all the same; raises ``TpmToolError``."""
    program, environment = command[0], {**os.environ, "LC_ALL": "C", **more}
    try:
        done = subprocess.run(command, input=told, capture_output=True, env=environment, timeout=TIMEOUT_S, check=False)
    except FileNotFoundError as error:
        raise TpmToolError(program=program, reason="not installed") from error
    except subprocess.TimeoutExpired as error:
        raise TpmToolError(program=program, reason=f"no answer within {TIMEOUT_S} s") from error
    complaint = done.stderr.decode(errors="replace").strip()
    if done.returncode != 0:
        # The cause comes last, unless a tool says once more that it could not do it.
        causes = [line for line in complaint.splitlines() if "Unable to run" not in line]
        raise TpmToolError(program=program, reason=causes[-1] if causes else f"exit {done.returncode}")
    return done.stdout, complaint
