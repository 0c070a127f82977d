"""The process that fuzzes: instruments the product, writes the seeds down, and feeds one target with what they become.

Started by ``tests.fuzz.run`` with the name of a target, a directory of its own, and options of libFuzzer.
"""

import hashlib
import importlib
import sys
from pathlib import Path

import atheris

INSTRUMENTED = ["appliance"]  # of it, what a target imports: the card and trust
LONGEST_BYTES = 8192
MOST_MEGABYTES = 512
FOUND = "found-"


def main() -> None:
    name, place, *options = sys.argv[1:]
    folder = Path(place)
    with atheris.instrument_imports(include=INSTRUMENTED):
        target = importlib.import_module(f"tests.fuzz.{name}")
    corpus = folder / "corpus"
    corpus.mkdir()
    for seed in target.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()).write_bytes(seed)
    said = [f"-artifact_prefix={folder}/{FOUND}", f"-max_len={LONGEST_BYTES}", f"-rss_limit_mb={MOST_MEGABYTES}"]
    words: tuple[bytes, ...] = target.words() if hasattr(target, "words") else ()
    if words:
        (folder / "words").write_text("".join(f'"{_escaped(word)}"\n' for word in words))
        said.append(f"-dict={folder / 'words'}")
    atheris.Setup([sys.argv[0], *said, *options, str(corpus)], target.one)
    atheris.Fuzz()


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02X}" for byte in word)


if __name__ == "__main__":
    main()
