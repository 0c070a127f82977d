"""The demo's first page: what there is to see, and the stage."""

import threading

from flask import Flask, Response, redirect, render_template, request
from werkzeug.serving import make_server
from werkzeug.wrappers import Response as AnyResponse

from tests.sim.card.client import StageError
from tests.sim.world import ADMIN, World

POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'"
LABELS = {
    "android": "スマートフォン（Android）",
    "coming": "次世代のカード（楕円曲線）",
    "expired": "期限切れのカード",
    "juki": "古い住基カード",
    "last-try": "あと1回でロックされるカード",
    "locked": "暗証番号がロックされたカード",
    "stranger": "別の発行元のカード",
}


def make_page(world: World) -> Flask:
    page = Flask(__name__)
    page.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
    lock = threading.Lock()

    @page.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
        return response

    @page.get("/")
    def first() -> str:
        with lock:
            on_reader = world.stage.status().get("card")
            cards = [str(one["card"]) for one in world.stage.list()]
        guardians = [world.roster.person(one) for one in world.guardian_ids()[:3]]
        return render_template(
            "demo.html", world=world, admin=ADMIN, on_reader=on_reader, cards=cards, label=_label, guardians=guardians
        )

    @page.post("/card")
    def put() -> AnyResponse:
        if not _from_here():
            return Response(status=403)
        name = request.form.get("card", "")
        with lock:
            if world.stage.status().get("card"):
                world.stage.remove()
            if name:
                try:
                    world.stage.insert(name)
                except StageError as error:
                    return Response(str(error), status=422, mimetype="text/plain")
        return redirect("/#stage", 303)

    @page.post("/line")
    def line() -> AnyResponse:
        if not _from_here():
            return Response(status=403)
        with lock:
            if world.line.is_up:
                world.line.cut()
            else:
                world.line.restore()
        return redirect("/#stage", 303)

    return page


class Stage:
    """Serves the page in a thread."""

    def __init__(self, world: World, port: int) -> None:
        self._server = make_server("127.0.0.1", port, make_page(world), threaded=True)
        self.url = f"http://127.0.0.1:{port}/"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="demo-page", daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()


def _label(card: str) -> str:
    return LABELS.get(card, card.replace("card-0", "保護者のカード ").replace("card-", "保護者のカード "))


def _from_here() -> bool:
    return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
