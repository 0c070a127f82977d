"""A target that never comes back from most inputs."""

import time
from collections.abc import Iterator


def one(data: bytes) -> None:
    while len(data) > 3:
        time.sleep(0.1)


def seeds() -> Iterator[bytes]:
    yield b"long"
