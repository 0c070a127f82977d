"""People without a browser: a guardian at the kiosk and a staff member, over the same HTTP as their pages."""

import html
import http.cookiejar
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping

WAIT_S = 20.0
POLL_S = 0.01
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


class UnexpectedPageError(AssertionError):
    """The page is not the one that the story is at; the text says which it was."""


class Browser:
    """Cookies, forms, and the CSRF token of the last page."""

    def __init__(self, address: str, authority: str | None = None) -> None:
        self.address = address.rstrip("/")
        handlers: list[urllib.request.BaseHandler] = [
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
            urllib.request.ProxyHandler({}),
        ]
        if authority is not None:
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority)))
        self._opener = urllib.request.build_opener(*handlers)
        self.token = ""

    def get(self, path: str) -> str:
        return self._open(urllib.request.Request(self.address + path))

    def post(self, path: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> str:
        body = urllib.parse.urlencode({"csrf_token": self.token, **form}).encode()
        return self.send(path, body, {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})})

    def send(self, path: str, body: bytes, headers: Mapping[str, str]) -> str:
        named = {"X-CSRFToken": self.token, "Origin": self.address, "Referer": self.address + "/", **headers}
        return self._open(urllib.request.Request(self.address + path, data=body, headers=named))

    def _open(self, request: urllib.request.Request) -> str:
        try:
            with self._opener.open(request, timeout=WAIT_S) as answer:
                text = str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                raise UnexpectedPageError(f"{request.full_url}: {error.code} {error.read().decode()}") from error
        if found := CSRF.search(text):
            self.token = html.unescape(found.group(1))
        return text


class Guardian(Browser):
    """Reads the kiosk's screen and answers it."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.get("/")

    def screen(self) -> dict[str, str]:
        """``step``, ``token``, ``version`` and the ``text`` of the screen now."""
        text = self.get("/screen")
        step = re.search(r'class="frame step-(\w+)" data-version="(\d+)" data-token="([^"]+)"', text)
        if step is None:
            raise UnexpectedPageError(text)
        words = re.sub(r"\s+", " ", re.sub(r"<rt>.*?</rt>|<svg.*?</svg>|<[^>]+>", "", text, flags=re.DOTALL))
        return {"step": step[1], "version": step[2], "token": step[3], "text": html.unescape(words), "html": text}

    def wait_for(self, *steps: str, timeout_s: float = WAIT_S) -> dict[str, str]:
        """The first screen that is at one of these steps."""
        end = time.monotonic() + timeout_s
        while True:
            screen = self.screen()
            if screen["step"] in steps:
                return screen
            if time.monotonic() > end:
                raise UnexpectedPageError(f"still at {screen['step']}, not {steps}: {screen['text']}")
            time.sleep(POLL_S)

    def press(self, action: str) -> None:
        self.post(action, {"token": self.screen()["token"]})

    def type_digits(self, action: str, digits: str) -> None:
        headers = {"Content-Type": "application/octet-stream", "X-Screen": self.screen()["token"]}
        self.send(action, digits.encode(), headers)

    def wait_until_confirmed(self, timeout_s: float = WAIT_S) -> dict[str, str]:
        """The last screen, once it says that the hub has received the record."""
        end = time.monotonic() + timeout_s
        while True:
            screen = self.wait_for("done")
            if 'class="lead confirmed"' in screen["html"]:
                return screen
            if time.monotonic() > end:
                raise UnexpectedPageError(f"not confirmed: {screen['text']}")
            time.sleep(POLL_S)


class StaffMember(Browser):
    """Signs in and prints link codes."""

    def __init__(self, address: str, authority: str) -> None:
        super().__init__(address, authority)
        self.get("/sign-in")

    def sign_in(self, account: str, password: str) -> str:
        return self.post("/sign-in", {"account": account, "password": password})

    def link_code(self, guardian: str) -> str:
        """A new code for this person's id, eight digits."""
        self.get(f"/people/{guardian}")
        page = self.post(f"/people/{guardian}/code", {})
        found = re.search(r'class="paper-code">(\d{4}) (\d{4})<', page)
        if found is None:
            raise UnexpectedPageError(page)
        return found[1] + found[2]
