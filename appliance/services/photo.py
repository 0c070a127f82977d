"""QR codes in a photo or a screenshot that somebody brings: the only module that knows Pillow and the QR decoder.

A picture is foreign data: how many bytes and pixels it may have is bounded, the pixels before any of them is unpacked,
and no reader of another format is ever asked.
"""

import io
import warnings

import zxingcpp
from PIL import Image, ImageFilter

from appliance.errors import RefusedError

MOST_PHOTO_PIXELS = 64_000_000
"""More than a telephone's camera of 50 megapixels takes; a JPEG is unpacked as one byte a pixel."""
MOST_PIXELS = 25_000_000
"""Of a PNG or WebP, which cost up to 16 bytes a pixel: more than any screen has."""
QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
FORMATS = ("PNG", "JPEG", "WEBP")
READABLE = ((0, b"\x89PNG\r\n\x1a\n"), (0, b"\xff\xd8\xff"), (8, b"WEBP"))
"""Where in a file which bytes tell its kind; the first is what PNG 3 (section 5.2) demands, the second a JPEG's SOI
and the next marker, the third follows RIFF and a length."""
OTHER = ((4, b"ftyp"), (0, b"GIF8"), (0, b"BM"), (0, b"II*\0"), (0, b"MM\0*"), (0, b"%PDF"))
"""Pictures that are not read: HEIC and AVIF (the telephones'), GIF, BMP, TIFF, and PDF."""


class PictureKindError(RefusedError):
    """A picture of a kind that is not read here."""

    code = "photo.kind"


class PictureSizeError(RefusedError):
    """More pixels than are unpacked."""

    code = "photo.size"


class DamagedPictureError(RefusedError):
    """A picture that ends too early or cannot be unpacked."""

    code = "photo.damaged"


def is_picture(data: bytes) -> bool:
    """Whether these bytes begin as a picture does; raises ``PictureKindError`` for a kind that is not read."""
    if _begins(data, OTHER):
        raise PictureKindError(kinds=", ".join(FORMATS))
    return _begins(data, READABLE)


def codes_in(picture: bytes) -> list[str]:
    """The texts of all QR codes in a PNG, JPEG or WebP, none if there is no code.

    Raises ``PictureSizeError`` or ``DamagedPictureError``.
    """
    gray = _gray(picture)
    # The noise of a photo in a dark room hides a code from the decoder; a blur of one pixel takes it away.
    return _texts(gray) or _texts(gray.filter(ImageFilter.GaussianBlur(1)))


def _texts(gray: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(gray, formats=QR)]


def _gray(picture: bytes) -> Image.Image:
    with warnings.catch_warnings():
        # Pillow warns of a size first and refuses at twice of it; here both are the same refusal.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(picture), formats=FORMATS) as image:
                most = MOST_PIXELS if image.format in ("PNG", "WEBP") else MOST_PHOTO_PIXELS
                if image.width * image.height > most:
                    raise PictureSizeError(most=most)
                image.draft("L", image.size)
                return _on_white(image)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise PictureSizeError(most=MOST_PHOTO_PIXELS) from error
        except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
            raise DamagedPictureError() from error


def _on_white(image: Image.Image) -> Image.Image:
    """In gray levels; what is see-through is paper, for some programs save a code as black on nothing."""
    if not image.has_transparency_data:
        return image.convert("L")
    seen = image if image.mode in ("LA", "RGBA") else image.convert("RGBA")
    paper = Image.new("L", seen.size, "white")
    paper.paste(seen.convert("L"), mask=seen.getchannel("A"))
    return paper


def _begins(data: bytes, signs: tuple[tuple[int, bytes], ...]) -> bool:
    return any(data[at : at + len(sign)] == sign for at, sign in signs)
