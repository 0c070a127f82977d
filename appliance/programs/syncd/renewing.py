"""Renews the certificate of the line at two thirds of its life, and asks again until the hub has answered."""

from collections.abc import Callable

from appliance.config import read_credential
from appliance.errors import MadoguchiError
from appliance.log import EventLog
from appliance.services.founding import LINE_KEY
from appliance.services.opening import OpenBox
from appliance.services.renewal import accept_certificate, renewal_request, term_of
from appliance.sync.enrolment import EnrolmentBundle
from appliance.sync.renewal import RenewalAnswer, RenewalRequest

AGAIN_MS = 3600_000


class Renewing:
    """``publish`` says whether the line took the message. What is accepted is seen by ``syncd``, which then connects
    anew with it."""

    def __init__(
        self, box: OpenBox, bundle: EnrolmentBundle, *, publish: Callable[[RenewalRequest], bool], log: EventLog
    ) -> None:
        self._box, self._bundle, self._publish, self._log = box, bundle, publish, log
        self.term = term_of(bundle)
        self._next_ms: int | None = None
        self._asked = False

    def look(self, *, connected: bool) -> None:
        """Asks if it is time; called again and again."""
        if not connected or self.term is None or self._box.clock.now_ms() < self.term.due_ms:
            return
        now_ms = self._box.clock.monotonic_ms()
        if self._next_ms is not None and now_ms < self._next_ms:
            return
        self._next_ms = now_ms + AGAIN_MS
        try:
            request = RenewalRequest(renewal_request(self._box, read_credential(LINE_KEY)))
        except MadoguchiError as error:
            self._log.error("renewal.fault", code=error.code)
            return
        self._asked = self._publish(request)
        self._log.info("renewal.asked", sent=self._asked)

    def receive(self, answer: RenewalAnswer) -> None:
        """The hub's answer; one that was not asked for is nothing."""
        if not self._asked:
            return
        self._asked = False
        if not answer.certificate:
            self._log.error("renewal.refused", code=answer.code)
            return
        try:
            accept_certificate(self._box, read_credential(LINE_KEY), self._bundle, answer.certificate)
        except MadoguchiError as error:
            self._log.error("renewal.fault", code=error.code)
        else:
            self._log.info("renewal.done")
