"""Which signatures were used already: a bounded memory of nonces.

Knows no clock: the caller gives the time. Only what a valid signature covers is remembered, so nobody
without a key can fill it.
"""

from collections import OrderedDict
from typing import Final

# The documents say 15 and 31 minutes; the shorter one, either way.
TOLERANCE: Final = 15 * 60.0  # seconds
CAPACITY: Final = 100_000  # some 20 MB; 55 requests a second for as long as a nonce counts


class Nonces:
    """Nonces of the last half hour, the oldest given up when there are too many."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._until: OrderedDict[tuple[str, str], float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def is_new(self, access_key_id: str, nonce: str, now: float) -> bool:
        """Whether the nonce was not used; from now on it is. `now` is in seconds and never falls."""
        while self._until and next(iter(self._until.values())) <= now:
            self._until.popitem(last=False)
        key = (access_key_id, nonce)
        if key in self._until:
            return False
        if len(self._until) >= self._capacity:
            self._until.popitem(last=False)
        # A request may be signed up to one tolerance ahead, and is good until one after that.
        self._until[key] = now + 2 * TOLERANCE
        return True
