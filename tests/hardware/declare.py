"""``python -m tests.hardware.declare --reader NAME FILE``: drafts the declaration of the card on the reader.

Reads the authentication certificate, which is free to read, and asks for no PIN. The holder then declares the card by
editing the file.
"""

import argparse
import sys
from pathlib import Path

from appliance.card.desk import Desk
from appliance.card.pcsc import PcscReaders
from appliance.errors import MadoguchiError
from appliance.programs.cli.reader import settled
from tests.hardware.declaration import DeclarationError, draft


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hardware.declare", description="Drafts a declaration.")
    parser.add_argument("--reader", default="", metavar="NAME", help="beginning of the reader's name")
    parser.add_argument("file", type=Path, metavar="FILE", help="a name that ends in .test-card.toml")
    chosen = parser.parse_args()
    service = Desk(PcscReaders(chosen.reader)).client()
    try:
        certificate = settled(service.read).certificate
        if certificate is None:
            raise DeclarationError("a telephone cannot be declared: it shows its certificate behind the PIN only")
        draft(certificate, chosen.file)
    except (MadoguchiError, DeclarationError, OSError) as error:
        sys.stderr.write(f"declare: {error}\n")
        return 2
    finally:
        service.leave()
    sys.stdout.write(f"{chosen.file} is written. If this is your own card, write declared_by_holder = true in it.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
