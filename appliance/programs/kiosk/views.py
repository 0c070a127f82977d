"""The kiosk's pages: always one address, which shows the screen of the moment, and nothing of the last person."""

from datetime import datetime
from typing import Any

import segno
from flask import Blueprint, Response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from appliance.errors import Field, UnavailableError
from appliance.programs.kiosk import events
from appliance.programs.kiosk.conductor import Conductor
from appliance.programs.kiosk.events import Notice
from appliance.programs.kiosk.flow import Screen, Step
from appliance.programs.kiosk.streams import Streams
from appliance.services.check_in import CheckIn, receipt_number
from appliance.services.opening import School
from appliance.web.catalogue import Catalogue, NoSentenceError
from appliance.web.site import catalogue, public

MOST_TYPED_BYTES = 16
AT_PIN = frozenset({Step.PIN, Step.LAST_TRY, Step.OPENING})
DAYS = {
    **dict(
        enumerate(("ついたち", "ふつか", "みっか", "よっか", "いつか", "むいか", "なのか", "ようか", "ここのか"), 1)
    ),
    10: "とおか",
    14: "じゅうよっか",
    20: "はつか",
    24: "にじゅうよっか",
}
PICTURES = {
    "card.removed": "card-gone.svg",
    "reader.absent": "reader-gone.svg",
    "reader.service": "reader-gone.svg",
    "cardd.absent": "reader-gone.svg",
}
OF_THE_BOX = ("store.", "ledger.", "clock.", "box.")


def problem_picture(code: str) -> str:
    """What is shown beside a problem: never a crossed-out card for what no card can help."""
    return PICTURES.get(code) or ("ask-staff.svg" if code.startswith(OF_THE_BOX) else "card-wrong.svg")


def date_with_readings(month: int, day: int) -> str:
    """``11｜月《がつ》21｜日《にち》``; days that are not read as their number are read as a whole."""
    read = DAYS.get(day)
    return f"{month}｜月《がつ》" + (f"{day}｜日《にち》" if read is None else f"｜{day}日《{read}》")


def statement_lines(sentences: Catalogue, school: School, language: str, linking: bool, now_ms: int) -> tuple[str, ...]:
    """The sentences of a statement with their readings, in the order in which they are shown."""
    now = datetime.fromtimestamp(now_ms / 1000).astimezone()
    date = date_with_readings(now.month, now.day) if language == "ja" else f"{now:%Y-%m-%d}"
    fields: dict[str, Field] = {"school": school.name, "date": date, "time": f"{now:%H:%M}"}
    keys = (["kiosk-statement-link"] if linking else []) + [
        "kiosk-statement-visit",
        "kiosk-statement-what",
        "kiosk-statement-who",
    ]
    return tuple(sentences.text(language, key, **fields) for key in keys)


def make_blueprint(conductor: Conductor, check_in: CheckIn, school: School) -> Blueprint:
    """All views of the kiosk; all are public, because nobody but the screen beside it reaches them."""
    pages = Blueprint("kiosk", __name__)
    streams = Streams(lambda version, timeout_s: conductor.wait_for_change(version, timeout_s).version)

    def context(screen: Screen) -> dict[str, Any]:
        sentences = catalogue()

        def t(key: str, **fields: Field) -> str:
            return sentences.text(screen.language, key, **fields)

        def sentence(notice: Notice, part: str = "") -> str:
            try:
                return sentences.text(screen.language, notice.code, part, **notice.fields)
            except NoSentenceError:  # another version's code: better a general sentence than none
                return sentences.text(screen.language, "box.error", part)

        now = datetime.now().astimezone()
        code = screen.notice.code if screen.notice is not None else ""
        return {
            "screen": screen,
            "school": school,
            "t": t,
            "sentence": sentence,
            "lines": conductor.lines,
            "position": _position(screen),
            "clock": f"{now:%H:%M}",
            "languages": sentences.languages,
            "language_names": {one: sentences.text(one, "kiosk-language-name") for one in sentences.languages},
            "number": receipt_number(screen.entry) if screen.entry is not None else "",
            "receipt_picture": _receipt_picture(check_in, screen),
            "problem_picture": problem_picture(code),
        }

    @pages.get("/")
    @public
    def page() -> str:
        return render_template("page.html", **context(conductor.screen))

    @pages.get("/screen")
    @public
    def screen() -> str:
        return render_template("screen.html", **context(conductor.screen))

    @pages.get("/events")
    @public
    def follow() -> Response:
        return Response(streams.follow(), mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})

    def answer(event: events.Event) -> AnyResponse:
        conductor.handle(event, request.form.get("token", ""))
        return redirect(url_for("kiosk.page"), 303)

    @pages.post("/agree")
    @public
    def agree() -> AnyResponse:
        return answer(events.Agreed())

    @pages.post("/cancel")
    @public
    def cancel() -> AnyResponse:
        return answer(events.Cancelled())

    @pages.post("/no-card")
    @public
    def no_card() -> AnyResponse:
        return answer(events.NoCard())

    @pages.post("/again")
    @public
    def again() -> AnyResponse:
        return answer(events.Cancelled())

    @pages.post("/last-try")
    @public
    def last_try() -> AnyResponse:
        return answer(events.LastTryAccepted())

    @pages.post("/still-here")
    @public
    def still_here() -> AnyResponse:
        return answer(events.StillHere())

    @pages.post("/language")
    @public
    def language() -> AnyResponse:
        chosen = request.form.get("language", "")
        return answer(events.LanguageChosen(chosen) if chosen in catalogue().languages else events.StillHere())

    @pages.post("/code")
    @public
    def code() -> AnyResponse:
        text = request.stream.read(MOST_TYPED_BYTES).decode("ascii", "replace")
        conductor.handle(events.CodeTyped(text), request.headers.get("X-Screen", ""))
        return redirect(url_for("kiosk.page"), 303)

    @pages.post("/pin")
    @public
    def pin() -> AnyResponse:
        typed = bytearray(MOST_TYPED_BYTES)
        view = memoryview(typed)
        length = 0
        while length < len(view) and (count := _read_into(view[length:])):
            length += count
        conductor.enter_pin(typed[:length], request.headers.get("X-Screen", ""))
        typed[:] = bytes(len(typed))
        return redirect(url_for("kiosk.page"), 303)

    return pages


def _position(screen: Screen) -> int | None:
    """Which of the three steps from card to done the person is at; None outside of them."""
    if screen.step in (Step.READING, Step.LINK):
        return 1
    if screen.step is Step.STATEMENT:
        return 2
    if screen.step in AT_PIN:
        return 1 if screen.pin_first else 3
    return 3 if screen.step is Step.SIGNING else None


def _read_into(view: memoryview) -> int:
    part = request.stream.read(len(view))
    view[: len(part)] = part
    return len(part)


def _receipt_picture(check_in: CheckIn, screen: Screen) -> Markup:
    if screen.step is not Step.DONE or screen.entry is None:
        return Markup()
    try:
        text = check_in.receipt_text(screen.entry)
    except UnavailableError:
        return Markup()  # recorded it is, and the screen must say so, also if the disk cannot be read at this moment
    code = segno.make(text, error="l", micro=False)
    svg = code.svg_inline(border=4, svgclass=None, lineclass=None, omitsize=True)
    return Markup(svg)  # noqa: S704 - drawn by the library from base45 text
