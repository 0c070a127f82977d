"""What telephones, scanners and mail programs do to the picture of a QR code."""

import io
from collections.abc import Sequence
from random import Random

import segno
from PIL import Image, ImageFilter

Corner = tuple[float, float]
PAPER = 235


def draw(text: str, scale: int = 6) -> Image.Image:
    """The code as the kiosk shows it, in gray levels, with its white border; ``scale`` pixels a module."""
    out = io.BytesIO()
    segno.make(text, error="l", micro=False).save(out, kind="png", scale=scale, border=4)
    return Image.open(out).convert("L")


def rotate(picture: Image.Image, degrees: float) -> Image.Image:
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=PAPER)


def lean(picture: Image.Image, by: float) -> Image.Image:
    """As seen from one side and above: the corners are drawn in by this share of the width, each differently."""
    width, height = picture.size
    room = Image.new("L", (width * 3 // 2, height * 3 // 2), PAPER)
    room.paste(picture, (width // 4, height // 4))
    wide, high = room.size
    seen: list[Corner] = [(0, 0), (wide, 0), (wide, high), (0, high)]
    taken: list[Corner] = [
        (-by * wide / 2, -by * high),
        (wide * (1 + by), 0),
        (wide, high * (1 + by)),
        (0, high * (1 + by / 2)),
    ]
    return room.transform(
        room.size, Image.Transform.PERSPECTIVE, _coefficients(seen, taken), Image.Resampling.BICUBIC, fillcolor=PAPER
    )


def blur(picture: Image.Image, radius: float) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(radius))


def grain(picture: Image.Image, share: float) -> Image.Image:
    """Noise as of a sensor in a dark room, the same each time."""
    noise = Random(picture.width).randbytes(picture.width * picture.height)
    return Image.blend(picture, Image.frombytes("L", picture.size, noise), share)


def shade(picture: Image.Image) -> Image.Image:
    """A shadow that falls over half of it."""
    dark = Image.linear_gradient("L").resize(picture.size).point(lambda level: 90 + level // 2)
    return Image.composite(picture, Image.new("L", picture.size, 0), dark)


def beside(*pictures: Image.Image) -> Image.Image:
    """Several on one table."""
    table = Image.new("L", (sum(one.width for one in pictures), max(one.height for one in pictures)), PAPER)
    left = 0
    for one in pictures:
        table.paste(one, (left, 0))
        left += one.width
    return table


def to_file(picture: Image.Image, kind: str = "JPEG", **options: int) -> bytes:
    """The bytes of a file of this kind."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _coefficients(seen: Sequence[Corner], taken: Sequence[Corner]) -> list[float]:
    """The eight numbers of a perspective that puts each corner where it is seen (Gauss-Jordan elimination)."""
    rows = []
    for (x, y), (u, v) in zip(seen, taken, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for at in range(8):
        best = max(range(at, 8), key=lambda row: abs(rows[row][at]))
        rows[at], rows[best] = rows[best], rows[at]
        for row in range(8):
            if row != at:
                share = rows[row][at] / rows[at][at]
                rows[row] = [one - share * other for one, other in zip(rows[row], rows[at], strict=True)]
    return [rows[at][8] / rows[at][at] for at in range(8)]
