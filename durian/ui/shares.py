"""Use of shared resources by each address, limited so that nobody takes all of it.

An address of IPv6 stands for its /64, which the smallest household has. Many have a /48 with 65,536 of those, so all of
a /48 together have :data:`SHARES_OF_A_SITE` shares: nobody gets more by changing within it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from durian.errors import QueueFull
from durian.settings import Settings

ADDRESSES_KEPT = 10_000
"""Addresses whose shares are remembered; above, those that have rested longest are forgotten, and whose files have
gone."""
CONNECTIONS_A_PAGE = 4
"""Requests that a page may have open at once: its sign of life, its events, and two more."""
UPLOADS_AT_ONCE = 10
"""Of one address: each may hold 32 files open, of which a process has a thousand or a few."""
SHARES_OF_A_SITE = 2
"""Of a /48 of IPv6, where two of a provider's customers may meet; a line of eight has room for two shares of four."""
MINUTE = 60.0


@dataclass
class _Bucket:
    """So many a minute, saved up for one minute at most."""

    a_minute: float
    left: float
    filled: float

    def wait(self, now: float, count: float = 1) -> float:
        """Seconds after which there are so many to take; 0 for at once."""
        self.left = min(self.a_minute, self.left + (now - self.filled) * self.a_minute / MINUTE)
        self.filled = now
        return 0.0 if self.left >= count else (count - self.left) * MINUTE / self.a_minute


@dataclass
class _Share:
    """Use by one address, or one site, which has ``times`` the share of one address."""

    times: int
    calls: _Bucket
    requests: _Bucket
    seen: float
    open_requests: int = 0
    open_uploads: int = 0
    files: list[tuple[float, int]] = field(default_factory=list)
    """Of uploads, and of what was made: when, and how many bytes."""
    made: dict[bytes, float] = field(default_factory=dict)
    """Places and digests of what was made, and when: who presses a button twice gets the same file."""

    def is_idle(self, since: float) -> bool:
        """Whether nothing of theirs is under way, or came after a time."""
        return not (self.open_requests or self.open_uploads or (self.files and self.files[-1][0] > since))


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


class Shares:
    """The shares of all addresses, as :func:`shared_address` gives them. Safe from any thread.

    Args:
        settings: the shares' sizes.
        clock: seconds, never going back.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.RLock()
        self._shares: dict[str, _Share] = {}

    def count_request(self, address: str, times: int = 1) -> None:
        """Count a request, or one that is as much work as so many.

        Raises:
            QueueFull: the address has sent ``visitor_requests`` in a minute.
        """
        with self._lock:
            self._take([share.requests for share in self._of(address)], "requests", times)

    def count_call(self, address: str) -> None:
        """
        Raises:
            QueueFull: the address has made ``visitor_calls`` in a minute.
        """
        with self._lock:
            self._take([share.calls for share in self._of(address)], "calls")

    def _take(self, buckets: list[_Bucket], what: str, count: int = 1) -> None:
        now = self._clock()
        for bucket in buckets:
            if wait := bucket.wait(now, min(count, bucket.a_minute)):
                raise QueueFull(
                    f"More than {bucket.a_minute:g} {what} came from your address within a minute: "
                    f"wait {math.ceil(wait)} s and try again."
                )
        for bucket in buckets:
            bucket.left -= min(count, bucket.a_minute)

    def check_events(self, address: str, events: Sequence[str]) -> None:
        """
        Args:
            address: who begins one more event.
            events: of each event that waits for its turn or has it, whose it is.

        Raises:
            QueueFull: ``visitor_events`` of theirs are there.
        """
        if theirs := count_of(address, events, self._settings.visitor_events):
            raise QueueFull(f"{theirs} events from your address are waiting: wait for some to end.")

    def open_request(self, address: str) -> None:
        """Note a request that begins; :meth:`close_request` must follow.

        Raises:
            QueueFull: the address has too many open.
        """
        with self._lock:
            shares = self._of(address)
            for share in shares:
                if share.open_requests >= share.times * CONNECTIONS_A_PAGE * self._settings.visitor_pages:
                    raise QueueFull(f"{share.open_requests} requests from your address are open: wait for some to end.")
            for share in shares:
                share.open_requests += 1

    def close_request(self, address: str) -> None:
        with self._lock:
            for share in self._of(address):
                share.open_requests -= 1

    def count_file(self, address: str, size: int) -> None:
        """Count an upload before it is read, or a file that was made for somebody: both lie on the disk for as long.

        Args:
            address: whose it is.
            size: bytes.

        Raises:
            QueueFull: with it the address has more than ``visitor_upload_mb`` of ``keep_seconds``.
        """
        with self._lock:
            shares = self._of(address)
            self._check_files(shares, size)
            self._note_file(shares, size)

    def _check_files(self, shares: list[_Share], size: int) -> None:
        now = self._clock()
        for share in shares:
            share.files = [(when, n) for when, n in share.files if now - when < self._settings.keep_seconds]
            share.made = {made: when for made, when in share.made.items() if now - when < self._settings.keep_seconds}
            limit = share.times * self._settings.visitor_upload_mb
            if sum(n for _, n in share.files) + size > limit * 1_000_000:
                minutes = max(1, round(self._settings.keep_seconds / 60))
                raise QueueFull(
                    f"More than {limit} MB were uploaded from your address or made for it within {minutes} minutes: "
                    "try again later."
                )

    def _note_file(self, shares: list[_Share], size: int) -> None:
        now = self._clock()
        for share in shares:
            share.files.append((now, size))

    def check_room(self, address: str) -> int:
        """How many bytes an address may still upload or have made for it.

        Raises:
            QueueFull: as :meth:`count_file`, of a file that nobody knows the size of yet.
        """
        with self._lock:
            shares = self._of(address)
            self._check_files(shares, 1)
            limits = [share.times * self._settings.visitor_upload_mb * 1_000_000 for share in shares]
            return min(limit - sum(n for _, n in share.files) for limit, share in zip(limits, shares, strict=True))

    def count_made(self, address: str, *paths: Path, stays: bool = False) -> None:
        """Count files that were made for an address; those that there is no room for are deleted.

        One that is there already counts no more. The same content in another file does: it lies on the disk as well.

        Args:
            address: whose they are.
            paths: the files.
            stays: keep them all the same, as what took minutes; :meth:`check_room` comes before it.

        Raises:
            QueueFull: there is no room left for them.
        """
        # A result is another file each time, and large: nobody reads it for this.
        made = {
            str(path).encode() + (b"" if stays else _digest(path)): path.stat().st_size
            for path in paths
            if path.is_file()
        }
        try:
            with self._lock:
                shares = self._of(address)
                new = {digest: size for digest, size in made.items() if digest not in shares[0].made}
                size = sum(new.values())
                if not stays:
                    self._check_files(shares, size)
                self._note_file(shares, size)
                shares[0].made |= dict.fromkeys(new, self._clock())
        except QueueFull:
            for path in paths:
                path.unlink(missing_ok=True)
            raise

    @contextmanager
    def uploading(self, address: str) -> Iterator[None]:
        """A context in which an upload is read.

        Raises:
            QueueFull: the address has :data:`UPLOADS_AT_ONCE` under way.
        """
        with self._lock:
            shares = self._of(address)
            for share in shares:
                if share.open_uploads >= share.times * UPLOADS_AT_ONCE:
                    raise QueueFull(
                        f"{share.open_uploads} uploads from your address are under way: wait for some to end."
                    )
            for share in shares:
                share.open_uploads += 1
        try:
            yield
        finally:
            with self._lock:
                for share in shares:
                    share.open_uploads -= 1

    def _of(self, address: str) -> list[_Share]:
        """The address's own share, and that of the site it belongs to."""
        return [self._share(network, times) for network, times in networks_of(address)]

    def _share(self, network: str, times: int) -> _Share:
        now = self._clock()
        share = self._shares.get(network)
        if share is None:
            if len(self._shares) >= ADDRESSES_KEPT:
                since = now - self._settings.keep_seconds
                idle = [name for name, other in self._shares.items() if other.is_idle(since)]
                for name in sorted(idle, key=lambda name: self._shares[name].seen)[: ADDRESSES_KEPT // 2]:
                    del self._shares[name]
            calls, requests = times * self._settings.visitor_calls, times * self._settings.visitor_requests
            share = _Share(times, _Bucket(calls, calls, now), _Bucket(requests, requests, now), now)
            self._shares[network] = share
        share.seen = now
        return share


def shared_address(host: str | None) -> str:
    """The address that shares are counted for: of IPv6 its /64, of an IPv4 address within IPv6 that one."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return host or "unknown"
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address.packed, 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)


def site_of(address: str) -> str:
    """The /48 that a /64 of :func:`shared_address` lies in; any other address as it is."""
    if not address.endswith("/64"):
        return address
    try:
        return str(ipaddress.IPv6Network(address).supernet(new_prefix=48))
    except ValueError:
        return address  # the word of a proxy that is none


def networks_of(address: str) -> list[tuple[str, int]]:
    """The networks that an address counts for, the smaller first, and how many times an address's share each has."""
    site = site_of(address)
    return [(address, 1)] if site == address else [(address, 1), (site, SHARES_OF_A_SITE)]


def count_of(address: str, addresses: Sequence[str], most: int) -> int:
    """How many of ``addresses`` count for the same as ``address``, where those are as many as it may have; else 0."""
    for network, times in networks_of(address):
        theirs = sum(network in (other, site_of(other)) for other in addresses)
        if theirs >= times * most:
            return theirs
    return 0
