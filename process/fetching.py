"""The one way out: fetching a file from an address, under a policy an administrator set (threats.md X-01).

An address is looked at three times: its form and host against the list, the network addresses its host resolves to,
and every redirect anew. The connection goes to the very address that was looked at.
"""

import contextlib
import hashlib
import http.client
import ipaddress
import logging
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from spatial.errors import Kind, OnemapError

log = logging.getLogger("onemap.fetching")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Sequence[str]]

PORTS = {"http": 80, "https": 443}
MOST_REDIRECTS = 2
SILENCE_S = 10.0  # the longest a source may say nothing
CHUNK = 1 << 16
MOVED = frozenset({301, 302, 303, 307, 308})
# Networks that carry another, possibly private, address within.
_WRAPPING = tuple(
    ipaddress.IPv6Network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\]")
_SAFE = "/%:@!$&'()*+,;=~-._"


class AddressNotAllowed(OnemapError):
    """The address is none this platform fetches from."""

    kind: ClassVar = Kind.FORBIDDEN
    code: ClassVar = "address-not-allowed"
    message: ClassVar = "the platform does not fetch from this address: {reason}"
    message_zh: ClassVar = "平台不从该地址获取数据：{reason}"


class SourceUnreachable(OnemapError):
    """The source did not answer; why is said in the log alone."""

    kind: ClassVar = Kind.UNAVAILABLE
    code: ClassVar = "source-unreachable"
    message: ClassVar = "the source did not answer"
    message_zh: ClassVar = "数据源无应答"


class SourceRefused(OnemapError):
    """The source answered, but not with the data."""

    kind: ClassVar = Kind.UNAVAILABLE
    code: ClassVar = "source-refused"
    message: ClassVar = "the source answered {answer} instead of the data"
    message_zh: ClassVar = "数据源返回 {answer}，未提供数据"


class SourceCutOff(OnemapError):
    """The data ended before their announced end, or came in a form that was not asked for."""

    kind: ClassVar = Kind.UNAVAILABLE
    code: ClassVar = "source-cut-off"
    message: ClassVar = "the source's data were cut off or packed"
    message_zh: ClassVar = "数据源的数据不完整或经过压缩编码"


class SourceTooBig(OnemapError):
    """More than may be fetched."""

    kind: ClassVar = Kind.TOO_LARGE
    code: ClassVar = "source-too-large"
    message: ClassVar = "the source sends more than {most_bytes} bytes"
    message_zh: ClassVar = "数据源超过 {most_bytes} 字节上限"


class SourceTooSlow(OnemapError):
    """It took longer than may be."""

    kind: ClassVar = Kind.UNAVAILABLE
    code: ClassVar = "source-too-slow"
    message: ClassVar = "the source did not send its data within {seconds} s"
    message_zh: ClassVar = "数据源未能在 {seconds} 秒内传完数据"


class BadHostRule(OnemapError):
    """The setting names no host."""

    kind: ClassVar = Kind.INVALID
    code: ClassVar = "bad-host-rule"
    message: ClassVar = (
        "{rule} is no rule for a host: HOST[:PORT], HOST[:PORT]=private or HOST[:PORT]=NETWORK"
    )
    message_zh: ClassVar = "{rule} 不是有效的主机规则：HOST[:PORT]、HOST[:PORT]=private 或 HOST[:PORT]=网段"


@dataclass(frozen=True)
class HostRule:
    """One host that may be fetched from.

    Attributes
    ----------
    port
        None for the scheme's own.
    private
        Whether it may lie in private or loopback space.
    network
        The one network it must lie in, private or not; None for any.
    """

    host: str
    port: int | None = None
    private: bool = False
    network: Network | None = None

    @classmethod
    def of(cls, text: str) -> "HostRule":
        """From a setting: `data.city.gov.cn`, `survey.lan:8080=private`, `10.1.2.3:8080=10.1.0.0/16`.

        Raises
        ------
        BadHostRule
        """
        where, _, mark = text.strip().partition("=")
        try:
            parts = urlsplit(f"//{where}")
            host, port = (parts.hostname or "").lower(), parts.port
            network = ipaddress.ip_network(mark) if mark not in {"", "private"} else None
        except ValueError as error:
            raise BadHostRule(rule=text[:100]) from error
        if not host or parts.path or parts.username is not None:
            raise BadHostRule(rule=text[:100])
        return cls(host, port, mark == "private", network)

    def fits(self, host: str, port: int, scheme: str) -> bool:
        """Whether an address names this host and port."""
        return host == self.host and port == (self.port if self.port is not None else PORTS[scheme])

    def admits(self, address: Address) -> bool:
        """Whether the host may lie at this network address."""
        if self.network is not None:
            return address in self.network
        if address.is_multicast or address.is_unspecified or address.is_link_local or address.is_reserved:
            return address.is_loopback and self.private  # ::1 counts as reserved
        return address.is_global or (self.private and (address.is_private or _shared(address)))


def _shared(address: Address) -> bool:
    """Whether an address is of the space that carriers share (RFC 6598)."""
    return address.version == 4 and address in ipaddress.IPv4Network("100.64.0.0/10")


@dataclass(frozen=True)
class Policy:
    """What may be fetched, and how much of it for how long."""

    hosts: tuple[HostRule, ...]
    most_bytes: int
    seconds: float
    silence_s: float = SILENCE_S


@dataclass(frozen=True)
class Fetched:
    """What a fetch brought.

    Attributes
    ----------
    path
        The file; None when the source says that nothing changed.
    name
        What the source calls it, made safe.
    validators
        `etag` and `last_modified`, to be sent the next time.
    """

    path: Path | None
    name: str = ""
    size: int = 0
    sha256: str = ""
    validators: Mapping[str, str] = field(default_factory=dict)


def system_resolver(host: str, port: int) -> list[str]:
    """The network addresses of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def fetch(
    address: str,
    into: Path,
    policy: Policy,
    *,
    validators: Mapping[str, str] | None = None,
    resolve: Resolver = system_resolver,
) -> Fetched:
    """Fetch a file into a folder.

    Parameters
    ----------
    address
        http or https, of a host on the policy's list.
    into
        A folder of ours.
    validators
        Those of the last time; the source may then answer that nothing changed.
    resolve
        From a host and a port to network addresses.

    Raises
    ------
    AddressNotAllowed
        The address, one it leads to, or where its host lies, is not on the list.
    SourceUnreachable, SourceRefused, SourceCutOff, SourceTooBig, SourceTooSlow
        It was tried in vain; no file stays.
    """
    ends = time.monotonic() + policy.seconds
    for _ in range(MOST_REDIRECTS + 1):
        parts, rule = _allowed(address, policy)
        pinned = _pinned(parts, rule, resolve)
        with _connected(parts, pinned, policy, ends) as link:
            answer = _ask(link, parts, validators or {})
            if answer.status not in MOVED:
                return _taken(link, answer, into, policy)
            target = urljoin(address, answer.headers.get("Location", ""))
        if parts.scheme == "https" and not target.lower().startswith("https:"):
            raise AddressNotAllowed(reason="it leads from https to http")
        address = target
    raise AddressNotAllowed(reason=f"it leads on more than {MOST_REDIRECTS} times")


def check_address(address: str, policy: Policy) -> None:
    """Refuse (AddressNotAllowed) an address that could not be fetched, without touching the network."""
    _allowed(address, policy)


def _allowed(address: str, policy: Policy) -> tuple[SplitResult, HostRule]:
    if len(address) > 2_000 or any(one.isspace() or ord(one) < 32 or one == "\\" for one in address):
        raise AddressNotAllowed(reason="it is written in an unusual way")
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").lower().removesuffix("."), parts.port
    except ValueError as error:
        raise AddressNotAllowed(reason="it is written in an unusual way") from error
    if parts.scheme not in PORTS or parts.username is not None or parts.password is not None:
        raise AddressNotAllowed(reason="http or https, without a name or password in it")
    if not _HOST.fullmatch(f"[{host}]" if ":" in host else host):
        raise AddressNotAllowed(reason="it is written in an unusual way")
    wanted = port or PORTS[parts.scheme]
    for rule in policy.hosts:
        if rule.fits(host, wanted, parts.scheme):
            return parts._replace(netloc=host), HostRule(host, wanted, rule.private, rule.network)
    raise AddressNotAllowed(reason="its host and port are not on the list of the settings")


def _pinned(parts: SplitResult, rule: HostRule, resolve: Resolver) -> tuple[str, int]:
    """Where to connect to: the first address of the host, once all of them were looked at."""
    port = rule.port or PORTS[parts.scheme]
    try:
        found = [_plain(ipaddress.ip_address(one.split("%")[0])) for one in resolve(rule.host, port)]
    except (OSError, ValueError) as error:
        log.info("a source's host has no address: %s", type(error).__name__)
        raise SourceUnreachable() from error
    if not found:
        raise SourceUnreachable()
    if not all(rule.admits(one) for one in found):
        raise AddressNotAllowed(reason="its host lies where the settings do not allow it to")
    return str(found[0]), port


def _plain(address: Address) -> Address:
    """The address meant by one that wraps another; what cannot be told apart is no address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if any(address in network for network in _WRAPPING):
            raise ValueError(address)
    return address


class _Pinned(http.client.HTTPConnection):
    """A connection to a network address that was chosen beforehand; no proxy, no second look-up."""

    def __init__(self, parts: SplitResult, pinned: tuple[str, int], timeout: float) -> None:
        super().__init__(parts.netloc, pinned[1], timeout=timeout)
        self.default_port = PORTS[parts.scheme]
        self.asked = parts.path
        self._pinned_to, self._secure = pinned, parts.scheme == "https"
        self.late = False

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.create_connection(self._pinned_to, self.timeout)
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """End whatever is being waited for, from another thread; to the reader it looks like the end of data."""
        self.late = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def _connected(parts: SplitResult, pinned: tuple[str, int], policy: Policy, ends: float) -> Iterator[_Pinned]:
    """A connection that is cut when the time is over, and whose failures are refusals."""
    left = ends - time.monotonic()
    if left <= 0:
        raise SourceTooSlow(seconds=policy.seconds)
    link = _Pinned(parts, pinned, min(policy.silence_s, left))
    watch = threading.Timer(left, link.cut)
    watch.daemon = True
    watch.start()
    try:
        yield link
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() >= ends:
            raise SourceTooSlow(seconds=policy.seconds) from error
        log.info("a source failed: %s", type(error).__name__)
        raise SourceUnreachable() from error
    finally:
        watch.cancel()
        link.close()


def _ask(link: _Pinned, parts: SplitResult, validators: Mapping[str, str]) -> http.client.HTTPResponse:
    target = quote(parts.path or "/", safe=_SAFE) + (
        f"?{quote(parts.query, safe=_SAFE + '?')}" if parts.query else ""
    )
    headers = {"User-Agent": "onemap", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
    names = {"etag": "If-None-Match", "last_modified": "If-Modified-Since"}
    headers |= {header: validators[name] for name, header in names.items() if validators.get(name)}
    link.request("GET", target, headers=headers)
    return link.getresponse()


def _taken(link: _Pinned, answer: http.client.HTTPResponse, into: Path, policy: Policy) -> Fetched:
    if link.late:
        raise SourceTooSlow(seconds=policy.seconds)
    if answer.status == 304:
        return Fetched(None)
    if answer.status != 200:
        raise SourceRefused(answer=answer.status)
    packed = answer.headers.get("Content-Encoding", "identity").lower() not in {"", "identity"}
    if packed or (answer.length is None and not answer.chunked):  # without a length, cut off looks like whole
        raise SourceCutOff()
    if (answer.length or 0) > policy.most_bytes:
        raise SourceTooBig(most_bytes=policy.most_bytes)
    name = safe_name(link.asked)
    path = into / f"fetched{Path(name).suffix}"
    try:
        size, digest = _copied(link, answer, path, policy)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    told = {"etag": answer.headers.get("ETag"), "last_modified": answer.headers.get("Last-Modified")}
    return Fetched(path, name, size, digest, {key: value[:300] for key, value in told.items() if value})


def safe_name(path: str) -> str:
    """The last piece of an address's path as a file name: letters of any script, digits, points, - and _."""
    piece = unquote(path.rstrip("/").rpartition("/")[2])
    return re.sub(r"[^\w.-]+", "_", piece).strip("._")[-100:] or "data"


def _copied(link: _Pinned, answer: http.client.HTTPResponse, path: Path, policy: Policy) -> tuple[int, str]:
    """Write the body, counting real bytes; its size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        while chunk := answer.read1(CHUNK):
            size += len(chunk)
            if size > policy.most_bytes:
                raise SourceTooBig(most_bytes=policy.most_bytes)
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if link.late:
        raise SourceTooSlow(seconds=policy.seconds)
    if answer.length:  # what was announced and did not come
        raise SourceCutOff()
    return size, digest.hexdigest()
