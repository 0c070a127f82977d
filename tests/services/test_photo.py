"""A receipt's QR code is read from what telephones make of it; what is no good picture is refused by name."""

import io
import zlib
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from appliance.errors import RefusedError
from appliance.ledger.base45 import encode45
from appliance.ledger.receipt import PREFIX
from appliance.services.photo import (
    MOST_PHOTO_PIXELS,
    MOST_PIXELS,
    DamagedPictureError,
    PictureKindError,
    PictureSizeError,
    codes_in,
    is_picture,
)
from tests.sim.photograph import beside, blur, draw, grain, lean, rotate, shade, to_file

# As long as receipts of a ledger of a few entries and of a million, and the same each time.
YOUNG, OLD = (PREFIX + encode45(Random(length).randbytes(length)) for length in (430, 1100))
Change = Callable[[Image.Image], Image.Image]

TAKEN: dict[str, Change] = {
    "as shown": lambda seen: seen,
    "a little crooked": lambda seen: rotate(seen, 7),
    "crooked": lambda seen: rotate(seen, -33),
    "upside down": lambda seen: rotate(seen, 180),
    "from the side": lambda seen: lean(seen, 0.08),
    "far from the side": lambda seen: lean(seen, 0.15),
    "out of focus": lambda seen: blur(seen, 1.8),
    "in a dim room": lambda seen: grain(seen, 0.3),
    "in a dark room": lambda seen: grain(seen, 0.5),
    "half in shadow": shade,
    "a negative": lambda seen: seen.point(lambda level: 255 - level),
    "in a mirror": lambda seen: seen.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "all of it": lambda seen: grain(blur(lean(rotate(seen, 11), 0.06), 1.2), 0.2),
}


@pytest.mark.parametrize("text", [YOUNG, OLD], ids=["young ledger", "million entries"])
@pytest.mark.parametrize("way", TAKEN)
def test_a_photo_is_read(way: str, text: str) -> None:
    assert codes_in(to_file(TAKEN[way](draw(text)), quality=50)) == [text]


@pytest.mark.parametrize("scale", [2, 3, 12])
def test_a_photo_from_near_and_far_is_read(scale: int) -> None:
    assert codes_in(to_file(rotate(draw(OLD, scale), 3), quality=80)) == [OLD]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_each_kind_of_picture_is_read(kind: str) -> None:
    data = to_file(draw(OLD), kind)
    assert is_picture(data)
    assert codes_in(data) == [OLD]


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGB", "RGBA", "I;16"])
def test_each_way_to_keep_colours_is_read(mode: str) -> None:
    picture = draw(OLD).convert("I").point(lambda level: level * 257) if mode == "I;16" else draw(OLD)
    assert codes_in(to_file(picture.convert(mode), "PNG")) == [OLD]


def test_a_code_on_nothing_is_a_code_on_white() -> None:
    picture = Image.new("LA", draw(OLD).size, 0)
    picture.putalpha(draw(OLD).point(lambda level: 255 - level))
    assert codes_in(to_file(picture, "PNG")) == [OLD]


def test_all_codes_of_a_picture_are_told() -> None:
    picture = beside(draw(OLD), rotate(draw("https://school.example/"), 12), draw(YOUNG))
    assert sorted(codes_in(to_file(picture))) == sorted([OLD, YOUNG, "https://school.example/"])


def test_a_picture_without_a_code_has_none() -> None:
    assert codes_in(to_file(grain(Image.new("L", (640, 480), 128), 0.5))) == []
    assert codes_in(to_file(blur(draw(OLD), 9))) == []


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_file_that_was_cut_short_is_damaged(kind: str) -> None:
    data = to_file(draw(OLD), kind)
    for length in (16, len(data) // 3, len(data) * 2 // 3):
        with pytest.raises(DamagedPictureError):
            codes_in(data[:length])


@settings(deadline=None)
@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=9))
def test_a_damaged_file_is_read_or_refused(kind: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL[kind])
    for place, value in changes:
        data[place % len(data)] = value
    try:
        codes_in(bytes(data))
    except RefusedError:
        return


SMALL = {kind: to_file(draw(YOUNG, 3), kind) for kind in ("PNG", "JPEG", "WEBP")}


def chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)


def png_of(width: int, height: int, more: bytes = b"") -> bytes:
    """A PNG in gray levels that announces this size and holds next to nothing."""
    head = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x00\x00\x00\x00"
    pixels = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(5001, 5000), (10_000, 9_000), (20_000, 20_000), (60_000, 60_000)])
def test_a_huge_picture_is_refused_before_it_is_unpacked(width: int, height: int) -> None:
    assert width * height > MOST_PIXELS
    with pytest.raises(PictureSizeError):
        codes_in(png_of(width, height))


@pytest.mark.parametrize("size", [(8001, 8000), (20_000, 20_000), (65_000, 65_000)])
def test_a_photo_may_be_larger_and_is_bounded_too(size: tuple[int, int]) -> None:
    data = bytearray(to_file(draw(YOUNG, 2)))
    frame = data.index(b"\xff\xc0")  # SOF0 (ITU-T T.81, B.2.2): length, precision, lines, samples a line
    data[frame + 5 : frame + 9] = size[1].to_bytes(2) + size[0].to_bytes(2)
    assert size[0] * size[1] > MOST_PHOTO_PIXELS > MOST_PIXELS
    with pytest.raises(PictureSizeError) as refused:
        codes_in(bytes(data))
    assert refused.value.fields == {"most": MOST_PHOTO_PIXELS}


def test_a_photo_of_several_pictures_is_read_as_its_first() -> None:
    out = io.BytesIO()
    draw(OLD).save(out, "MPO", save_all=True, append_images=[draw(YOUNG)])
    assert is_picture(out.getvalue())
    assert codes_in(out.getvalue()) == [OLD]


@pytest.mark.parametrize("mode", ["CMYK", "RGB"])
def test_a_photo_in_colours_is_read(mode: str) -> None:
    assert codes_in(to_file(draw(OLD).convert(mode))) == [OLD]


def test_text_that_unpacks_without_end_is_refused() -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80 << 20)))
    with pytest.raises(DamagedPictureError):
        codes_in(png_of(10, 10, bomb))


@pytest.mark.parametrize(
    "data",
    [b"\0\0\0\x18ftypheic", b"\0\0\0\x1cftypavif", b"GIF89a", b"BM\x36", b"II*\0", b"MM\0*", b"%PDF-1.7"],
    ids=["HEIC", "AVIF", "GIF", "BMP", "TIFF", "TIFF, other order", "PDF"],
)
def test_other_kinds_are_named(data: bytes) -> None:
    with pytest.raises(PictureKindError) as refused:
        is_picture(data + bytes(20))
    assert refused.value.fields == {"kinds": "PNG, JPEG, WEBP"}


@pytest.mark.parametrize("data", [b"", b"\x89PN", b"MDG1:00", b"\x82\x58", b"WEBP"])
def test_what_is_no_picture_is_not_taken_for_one(data: bytes) -> None:
    assert not is_picture(data)
    with pytest.raises(DamagedPictureError):
        codes_in(data)
