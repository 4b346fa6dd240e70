"""Ways to spoil a frame."""

from __future__ import annotations

from random import Random


def noise(rng: Random, most: int = 80) -> bytes:
    """Bytes that mean nothing."""
    return rng.randbytes(rng.randint(0, most))


def mutated(rng: Random, frame: bytes) -> bytes:
    """A frame with one to three faults of a real line: flipped bits, lost, doubled or foreign bytes, a cut."""
    body = bytearray(frame)
    for _ in range(rng.randint(1, 3)):
        if not body:
            return noise(rng)
        at = rng.randrange(len(body))
        match rng.randrange(6):
            case 0:
                body[at] ^= 1 << rng.randrange(8)
            case 1:
                body[at] = rng.randrange(256)
            case 2:
                del body[at]
            case 3:
                body.insert(at, rng.randrange(256))
            case 4:
                del body[at:]
            case _:
                body[at:at] = body[at : at + rng.randint(1, 8)]
    return bytes(body)


def pieces(rng: Random, data: bytes) -> list[bytes]:
    """The same bytes as a wire may hand them over: byte by byte, in pieces, or all at once."""
    match rng.randrange(3):
        case 0:
            return [data[at : at + 1] for at in range(len(data))]
        case 1:
            return [data]
    cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(1, 4)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a != b]
