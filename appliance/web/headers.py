"""The response headers of both sites: nothing from outside, nothing framed, nothing kept."""

from flask import Flask, Response

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=(), serial=(), hid=(), payment=()",
    # Not "no-referrer": browsers then send "Origin: null" with a form, and our own forms look foreign.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def add_headers(site: Flask, https: bool) -> None:
    """Sets them on every response; pages are never stored, only assets may be for an hour."""

    @site.after_request
    def set_headers(response: Response) -> Response:
        response.headers.update(HEADERS)
        if response.mimetype in ("text/css", "text/javascript", "font/woff2", "image/svg+xml"):
            response.headers["Cache-Control"] = "private, max-age=3600"
        else:
            response.headers["Cache-Control"] = "no-store"
        if https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response
