"""ML-DSA-65 in plain numbers, from FIPS 204 alone: a second opinion on the library's, and signatures that repeat.

The library hedges its signatures, so no two are equal; vectors and the worked example need the deterministic variant
(section 3.4). Slow, not constant in time, and for tests only. Names of functions and parameters are the standard's.
"""

from functools import lru_cache
from hashlib import shake_128, shake_256
from itertools import count

Q, N, D = 8_380_417, 256, 13
K, L, ETA, TAU, BETA, OMEGA = 6, 5, 4, 49, 196, 55
GAMMA1, GAMMA2 = 1 << 19, (Q - 1) // 32
C_BYTES = 48
Poly = list[int]
ZETAS = [pow(1753, int(f"{number:08b}"[::-1], 2), Q) for number in range(N)]


def ntt(poly: Poly) -> Poly:
    w, at, step = list(poly), 0, 128
    while step >= 1:
        for start in range(0, N, 2 * step):
            at += 1
            zeta = ZETAS[at]
            for j in range(start, start + step):
                t = zeta * w[j + step] % Q
                w[j + step], w[j] = (w[j] - t) % Q, (w[j] + t) % Q
        step //= 2
    return w


def inverse_ntt(poly: Poly) -> Poly:
    w, at, step = list(poly), N, 1
    while step < N:
        for start in range(0, N, 2 * step):
            at -= 1
            zeta = -ZETAS[at]
            for j in range(start, start + step):
                t = w[j]
                w[j], w[j + step] = (t + w[j + step]) % Q, zeta * (t - w[j + step]) % Q
        step *= 2
    factor = pow(N, -1, Q)
    return [factor * one % Q for one in w]


def multiplied(a: Poly, b: Poly) -> Poly:
    return [one * other % Q for one, other in zip(a, b, strict=True)]


def added(a: Poly, b: Poly) -> Poly:
    return [(one + other) % Q for one, other in zip(a, b, strict=True)]


def subtracted(a: Poly, b: Poly) -> Poly:
    return [(one - other) % Q for one, other in zip(a, b, strict=True)]


def centred(number: int, modulus: int = Q) -> int:
    number %= modulus
    return number - modulus if number > modulus // 2 else number


def norm(polys: list[Poly]) -> int:
    return max(abs(centred(one)) for poly in polys for one in poly)


def packed(numbers: list[int], bits: int) -> bytes:
    whole = sum(number << bits * at for at, number in enumerate(numbers))
    return whole.to_bytes(len(numbers) * bits // 8, "little")


def unpacked(data: bytes, bits: int) -> list[int]:
    whole = int.from_bytes(data, "little")
    return [whole >> bits * at & ((1 << bits) - 1) for at in range(N)]


def rej_ntt_poly(seed: bytes) -> Poly:
    stream = shake_128(seed).digest(1200)
    triples = (int.from_bytes(stream[at : at + 3], "little") & 0x7FFFFF for at in range(0, len(stream), 3))
    return [one for one in triples if one < Q][:N]


def rej_bounded_poly(seed: bytes) -> Poly:
    halves = (half for byte in shake_256(seed).digest(600) for half in (byte & 15, byte >> 4))
    return [ETA - half for half in halves if half < 9][:N]


def sample_in_ball(seed: bytes) -> Poly:
    stream = shake_256(seed).digest(1000)
    signs, at, poly = int.from_bytes(stream[:8], "little"), 8, [0] * N
    for i in range(N - TAU, N):
        while stream[at] > i:
            at += 1
        j = stream[at]
        at += 1
        poly[i], poly[j] = poly[j], -1 if signs & 1 else 1
        signs >>= 1
    return poly


def decompose(number: int) -> tuple[int, int]:
    r0 = centred(number, 2 * GAMMA2)
    if (number - r0) % Q == Q - 1:
        return 0, r0 - 1
    return (number - r0) % Q // (2 * GAMMA2), r0


def high_bits(number: int) -> int:
    return decompose(number % Q)[0]


class Key:
    """A key pair from its seed (algorithm 6)."""

    def __init__(self, seed: bytes) -> None:
        expanded = shake_256(seed + bytes([K, L])).digest(128)
        rho, rho1, self.key = expanded[:32], expanded[32:96], expanded[96:]
        self.matrix = [[rej_ntt_poly(rho + bytes([s, r])) for s in range(L)] for r in range(K)]
        small = [rej_bounded_poly(rho1 + r.to_bytes(2, "little")) for r in range(L + K)]
        self.s1, self.s2 = [ntt(one) for one in small[:L]], [ntt(one) for one in small[L:]]
        t = [added(one, s2) for one, s2 in zip(self._times(self.s1), small[L:], strict=True)]
        t0 = [[centred(one, 1 << D) for one in poly] for poly in t]
        t1 = [[(one - low) >> D for one, low in zip(poly, lows, strict=True)] for poly, lows in zip(t, t0, strict=True)]
        self.t0 = [ntt(one) for one in t0]
        self.public = rho + b"".join(packed(one, 10) for one in t1)
        self.tr = shake_256(self.public).digest(64)

    def _times(self, vector: list[Poly]) -> list[Poly]:
        """The matrix times a vector in NTT form, back in normal form."""
        result = []
        for row in self.matrix:
            total = [0] * N
            for one, other in zip(row, vector, strict=True):
                total = added(total, multiplied(one, other))
            result.append(inverse_ntt(total))
        return result

    def sign(self, message: bytes) -> bytes:
        """The deterministic signature with an empty context (algorithms 2 and 7)."""
        mu = shake_256(self.tr + b"\0\0" + message).digest(64)
        rho2 = shake_256(self.key + bytes(32) + mu).digest(64)
        for kappa in count(0, L):
            masks = [shake_256(rho2 + (kappa + r).to_bytes(2, "little")).digest(32 * 20) for r in range(L)]
            y = [[GAMMA1 - one for one in unpacked(mask, 20)] for mask in masks]
            w = self._times([ntt(one) for one in y])
            encoded = b"".join(packed([high_bits(one) for one in poly], 4) for poly in w)
            c_hash = shake_256(mu + encoded).digest(C_BYTES)
            c = ntt(sample_in_ball(c_hash))
            z = [added(one, inverse_ntt(multiplied(c, s))) for one, s in zip(y, self.s1, strict=True)]
            rest = [subtracted(one, inverse_ntt(multiplied(c, s))) for one, s in zip(w, self.s2, strict=True)]
            low = max(abs(decompose(one)[1]) for poly in rest for one in poly)
            if norm(z) >= GAMMA1 - BETA or low >= GAMMA2 - BETA:
                continue
            ct0 = [inverse_ntt(multiplied(c, t)) for t in self.t0]
            hints = [
                [at for at in range(N) if high_bits(r[at]) != high_bits(r[at] + t[at])]
                for r, t in zip(rest, ct0, strict=True)
            ]
            if norm(ct0) < GAMMA2 and sum(map(len, hints)) <= OMEGA:
                return (
                    c_hash + b"".join(packed([GAMMA1 - centred(one) for one in poly], 20) for poly in z) + hint(hints)
                )
        raise AssertionError  # the count has no end


def hint(hints: list[list[int]]) -> bytes:
    """HintBitPack (algorithm 20)."""
    places = [at for one in hints for at in one]
    ends = [sum(map(len, hints[: number + 1])) for number in range(K)]
    return bytes(places) + bytes(OMEGA - len(places)) + bytes(ends)


@lru_cache(maxsize=4)
def key_from(seed: bytes) -> Key:
    return Key(seed)


@lru_cache(maxsize=256)
def signed(seed: bytes, message: bytes) -> bytes:
    return key_from(seed).sign(message)
