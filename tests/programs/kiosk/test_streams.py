"""Event streams: the newest page is always served."""

from appliance.programs.kiosk.streams import MOST, Streams


def test_each_version_is_told_once() -> None:
    versions = iter([1, 1, 2])
    stream = Streams(lambda version, timeout_s: next(versions)).follow()
    assert next(stream) == "data: 1\n\n"
    assert next(stream) == "data: 2\n\n"


def test_the_oldest_ends_for_the_newest() -> None:
    streams = Streams(lambda version, timeout_s: version + 1)
    opened = [streams.follow() for _ in range(MOST + 1)]
    assert [next(one) for one in opened] == ["data: 0\n\n"] * (MOST + 1)
    assert next(opened[0], "ended") == "ended"
    assert [next(one) for one in opened[1:]] == ["data: 1\n\n"] * MOST
    assert len(streams) == MOST


def test_a_closed_stream_gives_its_place_back() -> None:
    streams = Streams(lambda version, timeout_s: version + 1)
    stream = streams.follow()
    next(stream)
    assert len(streams) == 1
    stream.close()  # type: ignore[attr-defined]  # a generator has it
    assert len(streams) == 0
