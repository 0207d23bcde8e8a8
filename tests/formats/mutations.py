"""Files with a few places damaged, as many as the environment asks for and the same ones each time."""

import os
import random
from collections.abc import Iterator, Sequence


def fuzz_inputs(default: int) -> int:
    """Return how many damaged files a test reads; a full run sets OPENG2G_FUZZ_INPUTS to 20000."""
    return int(os.environ.get("OPENG2G_FUZZ_INPUTS", default))


def mutated(seeds: Sequence[bytes], tokens: Sequence[bytes], count: int) -> Iterator[bytes]:
    """Yield files of which a few places are cut out, repeated, or replaced by what does not belong there."""
    chance = random.Random(5)
    for _ in range(count):
        data = chance.choice(seeds)
        for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
            start = chance.randrange(len(data) + 1)
            end = min(len(data), start + chance.choice((0, 1, 1, 2, 5, 40, 400)))
            inserted = chance.choice((chance.choice(tokens), chance.randbytes(end - start), data[start:end] * 2, b""))
            data = data[:start] + inserted + data[end:]
        yield data
