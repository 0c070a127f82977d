"""Who this side is on the line, and whom it believes: TLS 1.3 with a client certificate (RFC 8446)."""

import ssl
import tempfile
from pathlib import Path

from appliance.errors import ConfigError


class LineIdentityError(ConfigError):
    """The line's certificate, its key or the authority do not fit together."""

    code = "line.identity"


class _Socket(ssl.SSLSocket):
    """Closes itself when the other side is not believed; paho forgets a connection that fails this early."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def line_tls(authority: bytes, certificate: bytes, key_file: Path | str) -> ssl.SSLContext:
    """A context that trusts ``authority`` alone (PEM) and shows ``certificate`` (PEM) with the key in ``key_file``.

    Raises ``LineIdentityError``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslsocket_class = _Socket
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The library takes a certificate from a file only; it is public, and the file is gone after the call.
    with tempfile.NamedTemporaryFile(suffix=".crt") as chain:
        chain.write(certificate)
        chain.flush()
        try:
            context.load_verify_locations(cadata=authority.decode("ascii"))
            context.load_cert_chain(chain.name, key_file)
        except OSError as error:  # ssl.SSLError is one
            raise LineIdentityError(reason=type(error).__name__) from None
        except ValueError as error:
            raise LineIdentityError(reason="authority is not PEM") from error
    return context
