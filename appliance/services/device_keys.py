"""The keys that may sign the box's ledger, as a program holds them: the device key, and for a while its successor."""

from contextlib import suppress
from dataclasses import dataclass, field

from appliance.config import CredentialSource
from appliance.ledger.keys import KeyFormError, SigningKey
from appliance.services.founding import DEVICE_KEY


@dataclass(frozen=True)
class DeviceKeys:
    """Each call reads the credentials anew. Raises ``CredentialError`` or, for the key itself, ``KeyFormError``; a
    successor that is no key is none."""

    source: CredentialSource = field(default_factory=lambda: CredentialSource(DEVICE_KEY))

    def __call__(self) -> list[SigningKey]:
        present, *others = self.source()
        keys = [SigningKey.from_pem(present)]
        for one in others:
            with suppress(KeyFormError):
                keys.append(SigningKey.from_pem(one))
        return keys
