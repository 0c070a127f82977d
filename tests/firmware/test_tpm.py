"""Keys sealed in a TPM: what opens them and what does not, power cuts and kills.

The TPM is a real swtpm, and systemd-creds and tpm2-tools are Debian's own.
"""

import base64
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.errors import MadoguchiError
from appliance.services.founding import make_credentials
from appliance.services.recovery import write_lines
from appliance.services.sealing import (
    BOX_KEYS,
    HOST_ONLY,
    LOCKOUT_KEY,
    KeyStore,
    KeyUnopenedError,
    NoKeysError,
    OtherTpmError,
    PcrsChangedError,
    Seal,
    TpmAbsentError,
    TpmLockedError,
    read_seal,
)
from appliance.services.tpm import MOST_TRIES, PcrsUnsetError, Tpm, TpmOwnedError, TpmToolError
from tests.firmware.conftest import KEYS, OTHER_FIRMWARE, SECURE_BOOT, Installation
from tests.sim.broker import free_port
from tests.sim.tpm import FIRMWARE, VirtualTpm

pytestmark = [
    pytest.mark.scenario,
    pytest.mark.timeout(120),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: systemd-creds keeps this installation's secret as root"),
]

CUTS = 40


def test_a_key_is_bound_to_the_tpm_and_what_was_measured(here: Installation, sealed: KeyStore) -> None:
    assert here.opened() == KEYS
    assert {sealed.seal_of(name) for name in KEYS} == {SECURE_BOOT}
    assert read_seal(here.status) == SECURE_BOOT
    assert stat.S_IMODE(here.status.stat().st_mode) == 0o644
    for path in here.keys.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not any(key in base64.b64decode(path.read_bytes()) for key in KEYS.values())
    assert sorted(path.name for path in here.keys.iterdir()) == sorted([*BOX_KEYS, LOCKOUT_KEY])


def test_a_key_goes_by_its_own_name_only(here: Installation, sealed: KeyStore) -> None:
    (here.keys / "device.key").write_bytes((here.keys / "line.key").read_bytes())
    with pytest.raises(KeyUnopenedError):
        sealed.open("device.key")


def test_changed_firmware_opens_nothing_and_is_named(here: Installation, tpm: VirtualTpm, sealed: KeyStore) -> None:
    tpm.extend(7, OTHER_FIRMWARE)
    with pytest.raises(PcrsChangedError) as caught:
        sealed.open("database.key")
    assert caught.value.fields == {"name": "database.key"}
    assert here.run("status") == 1
    assert here.said.count("the firmware or its Secure Boot keys changed since it was sealed") == len(KEYS)
    tpm.cut_power()
    tpm.start()  # with the firmware as it was
    assert here.opened() == KEYS


def test_a_pcr_that_was_not_asked_for_may_change(here: Installation, tpm: VirtualTpm, sealed: KeyStore) -> None:
    tpm.extend(4, OTHER_FIRMWARE)
    assert here.opened() == KEYS


def test_another_tpm_and_a_cleared_one_open_nothing(
    here: Installation, tpm: VirtualTpm, sealed: KeyStore, tmp_path: Path
) -> None:
    with VirtualTpm(tmp_path / "other") as other:
        here.put_beside(other)
        with pytest.raises(OtherTpmError):
            sealed.open("database.key")
        assert here.run("status") == 1
        assert "it was sealed for another TPM" in here.said
    here.put_beside(tpm)
    assert here.opened() == KEYS
    tpm.run("tpm2_clear", "--auth-hierarchy=platform")
    with pytest.raises(OtherTpmError):
        sealed.open("database.key")


def test_without_its_tpm_a_key_does_not_open(
    here: Installation, sealed: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address in (f"swtpm:host=127.0.0.1,port={free_port()}", "device:/dev/null/tpmrm0"):
        monkeypatch.setenv("SYSTEMD_TPM2_DEVICE", address)
        with pytest.raises(TpmAbsentError):
            sealed.open("database.key")
    assert here.run("prepare") == 2
    assert "tpm.tool" in here.said


def test_a_copied_disk_without_the_secret_of_its_installation_opens_nothing(
    here: Installation, sealed: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYSTEMD_CREDENTIAL_SECRET", str(here.folder / "another"))
    with pytest.raises(KeyUnopenedError):
        sealed.open("database.key")


# Power cuts.


def test_forty_power_cuts_leave_a_key_that_opens(tpm: VirtualTpm, sealed: KeyStore) -> None:
    for cut in range(1, CUTS + 1):
        tpm.cut_power()
        tpm.start()
        assert sealed.open("database.key") == KEYS["database.key"], f"after power cut {cut}"
    # Each was counted as a guess, so it is the limit that made the difference.
    assert tpm.lockout_counter == CUTS
    assert not tpm.is_locked


def test_as_it_comes_a_tpm_is_locked_after_three_power_cuts_and_can_be_unlocked(
    here: Installation, tpm: VirtualTpm
) -> None:
    store = here.store()
    store.seal("database.key", b"key")  # without ``prepare``
    for _ in range(2):
        tpm.cut_power()
        tpm.start()
        assert store.open("database.key") == b"key"
    tpm.cut_power()
    tpm.start()
    assert tpm.is_locked
    with pytest.raises(TpmLockedError):
        store.open("database.key")
    assert here.run("status") == 1
    assert "cut from power too often" in here.said
    store.prepare()
    assert store.open("database.key") == b"key"


def test_an_orderly_end_is_not_counted(tpm: VirtualTpm, sealed: KeyStore) -> None:
    sealed.open("database.key")
    tpm.stop()
    tpm.start()
    assert tpm.lockout_counter == 0


def test_the_limit_cannot_be_lowered_without_the_sealed_authorization(
    tpm: VirtualTpm, sealed: KeyStore, here: Installation
) -> None:
    real = Tpm(tpm.address)
    assert real.is_owned
    assert real.bears_power_cuts
    with pytest.raises(RuntimeError, match="Setup"):
        tpm.run("tpm2_dictionarylockout", "--setup-parameters", "--max-tries=1")
    assert f"TPM2_PT_MAX_AUTH_FAIL: 0x{MOST_TRIES:X}\n" in tpm.run("tpm2_getcap", "properties-variable")


def test_the_limit_is_set_again_with_the_authorization_that_was_kept(
    here: Installation, tpm: VirtualTpm, sealed: KeyStore
) -> None:
    kept = sealed.open(LOCKOUT_KEY).decode()
    (here.folder / "auth").write_text(kept)
    tpm.run("tpm2_dictionarylockout", "--setup-parameters", "--max-tries=3", f"--auth=file:{here.folder / 'auth'}")
    assert not Tpm(tpm.address).bears_power_cuts
    sealed.prepare()
    assert Tpm(tpm.address).bears_power_cuts
    assert sealed.open(LOCKOUT_KEY).decode() == kept


def test_a_tpm_that_somebody_else_owns_is_left_alone(here: Installation, tpm: VirtualTpm) -> None:
    tpm.run("tpm2_changeauth", "--object-context=lockout", "somebody's")
    assert here.run("prepare") == 2
    assert "tpm.owned" in here.said
    assert not (here.keys / LOCKOUT_KEY).exists()
    # No guess was made, which would have closed the door for its owner.
    tpm.run("tpm2_dictionarylockout", "--clear-lockout", "--auth=somebody's")
    seal = ["systemd-creds", "encrypt", "--with-key=host", f"--name={LOCKOUT_KEY}", "-", str(here.keys / LOCKOUT_KEY)]
    here.keys.mkdir()
    subprocess.run(seal, input=b"a wrong one", check=True, capture_output=True, timeout=30)
    with pytest.raises(TpmOwnedError):
        here.store().prepare()


@pytest.mark.parametrize("program", ["tpm2_dictionarylockout", "tpm2_changeauth"])
def test_preparing_can_be_broken_off_and_done_again(here: Installation, tpm: VirtualTpm, program: str) -> None:
    here.shim(program, "exit 1")
    with pytest.raises(TpmToolError):
        here.store().prepare()
    here.shim(program, 'exec "$real" "$@"')
    here.store().prepare()
    assert Tpm(tpm.address).bears_power_cuts


# What firmware measured.


@pytest.mark.parametrize(("firmware", "pcrs"), [(b"", (7,)), (FIRMWARE, (4, 7)), (FIRMWARE, (17,))])
def test_registers_that_nothing_was_measured_into_stop_the_founding(
    here: Installation, tmp_path: Path, firmware: bytes, pcrs: tuple[int, ...]
) -> None:
    new = tmp_path / "new"
    make_credentials(new)
    here.configure(f"pcrs = {list(pcrs)}\n")
    with VirtualTpm(tmp_path / "tpm", firmware) as tpm:
        here.put_beside(tpm)
        for command in (["prepare"], ["seal", "--from", str(new)]):
            assert here.run(*command) == 2
            assert "The firmware measured nothing into PCR " in here.said
        assert not here.keys.exists()
        assert not Tpm(tpm.address).is_owned


def test_systemd_alone_would_have_sealed_for_nothing_and_only_warned(here: Installation, tmp_path: Path) -> None:
    with VirtualTpm(tmp_path / "tpm", b"") as tpm:
        here.put_beside(tpm)
        command = ["systemd-creds", "encrypt", "--with-key=host+tpm2", "--tpm2-pcrs=7", "--name=x", "-", "-"]
        done = subprocess.run(command, input=b"key", capture_output=True, timeout=30)
        assert done.returncode == 0
        assert b"PCR policy effectively unenforced" in done.stderr
        # Should the registers be unset between the look at them and the sealing, the warning is an error as well.
        with pytest.raises(PcrsUnsetError):
            here.store().seal("database.key", b"key")
        assert not (here.keys / "database.key").exists()


# Another seal.


def test_without_a_tpm_keys_are_sealed_for_the_installation_and_it_is_said(here: Installation) -> None:
    here.put_beside(None)
    here.configure('tpm = "never"\n')
    here.found()
    assert "Bound to this installation only" in here.said
    assert read_seal(here.status) == HOST_ONLY
    assert len(here.opened()) == len(BOX_KEYS)
    assert here.run("status", "--json") == 0
    assert {row["tpm"] for row in json.loads(here.said).values()} == {False}


def test_keys_move_into_a_tpm_that_appears_and_out_before_new_firmware(here: Installation, tpm: VirtualTpm) -> None:
    here.configure('tpm = "never"\n')
    here.found()
    before = here.opened()
    here.configure()
    assert here.run("seal") == 0
    assert read_seal(here.status) == SECURE_BOOT
    assert here.run("seal", "--without-tpm") == 0
    assert read_seal(here.status) == HOST_ONLY
    tpm.extend(7, OTHER_FIRMWARE)
    here.configure("pcrs = [0, 7]\n")
    tpm.extend(0, OTHER_FIRMWARE)
    assert here.run("seal") == 0
    assert read_seal(here.status) == Seal(tpm=True, pcrs=(0, 7))
    assert here.opened() == before


def test_what_is_told_is_the_weakest_key_as_its_file_says(here: Installation, sealed: KeyStore) -> None:
    KeyStore(here.keys, here.folder / "elsewhere", None, ()).seal("line.key", KEYS["line.key"])
    assert sealed.tell() == HOST_ONLY
    assert read_seal(here.status) == HOST_ONLY
    (here.keys / "line.key").write_text("no credential")
    with pytest.raises(KeyUnopenedError):
        sealed.tell()


def test_no_keys_is_told_apart_from_keys_that_do_not_open(here: Installation, tpm: VirtualTpm) -> None:
    for command in ("seal", "status"):
        assert here.run(command) == 2
        assert "keys.none" in here.said
    with pytest.raises(NoKeysError):
        here.store().tell()
    assert read_seal(here.status) is None
    here.status.write_text('{"tpm": 1}')
    assert read_seal(here.status) is None


@pytest.mark.parametrize("away", [False, True], ids=["into the TPM", "out of the TPM"])
def test_killed_at_any_step_of_sealing_anew_every_key_still_opens(
    here: Installation, tpm: VirtualTpm, away: bool
) -> None:
    here.configure("" if away else 'tpm = "never"\n')
    here.found()
    before = here.opened()
    here.configure()
    command = [sys.executable, "-m", "appliance.programs.cli", "keys", "seal", *(["--without-tpm"] if away else [])]
    # Each key is opened, sealed, and opened once more before it takes the place of the old one.
    at, steps = here.folder / "at", 3 * len(BOX_KEYS)
    killing = f'n=$(cat {at}); echo $((n - 1)) >{at}; [ "$n" -ne 1 ] || {{ kill -9 $PPID; exit 1; }}; exec "$real" "$@"'
    weak = []
    for step in range(1, steps + 1):
        here.shim("systemd-creds", killing)
        at.write_text(f"{step}\n")
        assert subprocess.run(command, capture_output=True, timeout=60).returncode == -signal.SIGKILL
        here.shim("systemd-creds", 'exec "$real" "$@"')
        assert here.opened() == before, f"killed at step {step}"
        weak.append(sum(not here.store().seal_of(name).tpm for name in BOX_KEYS))
        told = read_seal(here.status)
        # What is told may be too little for a moment, never too much.
        assert told == HOST_ONLY or not weak[-1]
    # Steps of all keys were reached. A key that was moved once stays where it is.
    assert sorted(set(weak)) == [count + (0 if away else 1) for count in range(len(BOX_KEYS))]
    assert here.run("seal", *command[5:]) == 0
    assert read_seal(here.status) == (HOST_ONLY if away else SECURE_BOOT)
    assert here.opened() == before
    assert not list(here.keys.glob(".*"))


def test_no_secret_is_an_argument_or_in_the_environment(here: Installation, tpm: VirtualTpm) -> None:
    seen = here.folder / "seen"
    for program in ("systemd-creds", "tpm2_dictionarylockout", "tpm2_changeauth"):
        here.shim(program, f'{{ printf "%s\\n" "$0" "$@"; env; }} >>{seen}\nexec "$real" "$@"')
    here.found()
    assert here.run("seal") == 0
    assert here.run("print", "--out", str(here.folder / "paper")) == 0
    text = seen.read_text()
    assert text.count("systemd-creds") > 3 * len(BOX_KEYS)
    assert "tpm2_changeauth" in text
    keys = here.opened()
    secrets = [here.store().open(LOCKOUT_KEY).decode(), keys["database.key"].hex()]
    secrets += [line for name in BOX_KEYS[1:] for line in keys[name].decode().splitlines() if "-" not in line]
    secrets += [line[3:-2] for line in write_lines(keys)]
    assert not [one for one in secrets if one in text]


def test_an_error_never_quotes_a_key(here: Installation, tpm: VirtualTpm, sealed: KeyStore) -> None:
    tpm.extend(7, OTHER_FIRMWARE)
    for name in BOX_KEYS:
        with pytest.raises(MadoguchiError) as caught:
            sealed.open(name)
        assert set(caught.value.fields) <= {"name", "reason"}


@pytest.mark.parametrize("key", ["database", "device"])
def test_a_next_key_is_sealed_beside_the_present_one_and_then_in_its_place(
    here: Installation, sealed: KeyStore, key: str
) -> None:
    here.found()
    name, following = f"{key}.key", f"{key}.key.next"
    before = sealed.open(name)
    assert here.run("next", key) == 0
    made = sealed.open(following)
    assert here.run("next", key) == 0  # one that is there already stays
    assert sealed.open(following) == made != before
    assert (sealed.open(name), sealed.seal_of(following)) == (before, SECURE_BOOT)
    assert following in sealed.names()
    for _ in range(2):  # the second time as if the power had gone between its two steps
        assert here.run("adopt", key) == 0
        assert sealed.open(name) == made
        assert following not in sealed.names()
        sealed.seal(following, made)
