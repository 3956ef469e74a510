"""Use of shared resources by each address, limited so that nobody takes all of it.

An address of IPv6 stands for its /64, which the smallest household has. Many have a /48 with 65,536 of those, so all of
a /48 together have :data:`SHARES_OF_A_SITE` shares: nobody gets more by changing within it.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from durian.errors import DurianError, OutputFailed, QueueFull
from durian.folders import DISK_FULL, room_on_disk
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
SECONDS_BETWEEN_LOOKS = 1.0
"""Between two looks at the disk's room while something is written; in one, encoders write some ten megabytes."""

PNG_GROWTH, PNG_HEAD = 1.01, 10_000
"""By which a picture's bytes may grow as a PNG, and those of what stands beside them."""


def png_bytes(raw: int) -> int:
    """Bytes of a PNG at most, of a picture of ``raw`` bytes."""
    return round(PNG_GROWTH * raw) + PNG_HEAD


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
    reserved: int = 0
    """Bytes of what is being made."""
    files: list[tuple[float, int]] = field(default_factory=list)
    """Of uploads, and of what was made: when, and how many bytes."""

    def is_idle(self, since: float) -> bool:
        """Whether nothing of theirs is under way, or came after a time."""
        return not (
            self.open_requests or self.open_uploads or self.reserved or (self.files and self.files[-1][0] > since)
        )


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
        self.awaited = 0
        """Bytes that are reserved, of all addresses, and not written yet."""

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
        """Count an upload before it is read; what is made for somebody counts as well, see :meth:`reserve`.

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
            limit = share.times * self._settings.visitor_upload_mb
            if sum(n for _, n in share.files) + share.reserved + size > limit * 1_000_000:
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
            return min(
                limit - share.reserved - sum(n for _, n in share.files)
                for limit, share in zip(limits, shares, strict=True)
            )

    def reserve(self, address: str, folder: Path, size: int | None = None) -> Reserved:
        """Reserve room for files that are going to be made, so that what is begun at once does not exceed it together.

        Args:
            address: whose they are.
            folder: where they are written, on whose disk there must be room, too.
            size: bytes that they have at most, or usually; by default half of all that there is room for.

        Raises:
            QueueFull: as :meth:`count_file`.
            OutputFailed: the disk is full.
        """
        with self._lock:
            on_disk = room_on_disk(folder) - self.awaited
            if size is None:
                size = max(1, min(self.check_room(address), on_disk) // 2)
            if on_disk < size:
                raise OutputFailed(DISK_FULL)
            reserved = Reserved(self, address, folder)
            reserved._grow(size)
            return reserved

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


class Reserved:
    """Room for files that are being made, by :meth:`Shares.reserve`; a context manager. Safe from any thread."""

    def __init__(self, shares: Shares, address: str, folder: Path) -> None:
        self._all = shares
        self._address = address
        self._folder = folder
        self._shares = shares._of(address)
        self._looked = shares._clock()
        self._written = 0
        self._is_open = True
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hold(self, size: int) -> None:
        """Note that so many bytes are written by now; where they are more than was reserved, reserve them.

        Raises:
            QueueFull: the address has no more room.
            OutputFailed: the disk is full.
        """
        with self._all._lock:
            if not self._is_open:
                return
            if size > self.size:
                self._grow(size)
            self._all.awaited -= size - self._written
            self._written = size
            now = self._all._clock()
            is_due = now - self._looked >= SECONDS_BETWEEN_LOOKS
            self._looked = now if is_due else self._looked
        if is_due and room_on_disk(self._folder) < 0:
            raise OutputFailed(DISK_FULL)

    def settle(self, *paths: Path) -> None:
        """What was made counts from now on, for as long as it is kept, instead of what was reserved.

        Raises:
            QueueFull, OutputFailed: as :meth:`hold`; the files are deleted.
        """
        size = sum(path.stat().st_size for path in paths)
        try:
            self.hold(size)
        except DurianError:
            for path in paths:
                path.unlink(missing_ok=True)
            raise
        with self._all._lock:
            self.close()
            self._all._note_file(self._shares, size)

    def close(self) -> None:
        """Give back what is reserved still."""
        with self._all._lock:
            self._all.awaited -= self.size - self._written
            for share in self._shares:
                share.reserved -= self.size
            self.size = self._written = 0
            self._is_open = False

    def _grow(self, size: int) -> None:
        self._all._check_files(self._shares, size - self.size)
        for share in self._shares:
            share.reserved += size - self.size
        self._all.awaited += size - self.size
        self.size = size


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
