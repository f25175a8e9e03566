"""Who a request really comes from, when proxies stand before us."""

from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def client_address(
    peer: str | None, forwarded_for: Sequence[str], trusted: Collection[Network]
) -> str:
    """The address nearest to us that no trusted proxy has.

    `peer` is the other end of the connection, `forwarded_for` the values of the
    X-Forwarded-For headers in their order. Each proxy adds at the end the address that it
    was called from; what stands before the first one that we do not trust may be made up.
    """
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    current = _parse(peer or "")
    if current is None:
        return peer or "unknown"
    while hops and any(current in network for network in trusted):
        before = _parse(hops.pop())
        if before is None:
            break
        current = before
    return str(current)


def is_trusted(peer: str | None, trusted: Collection[Network]) -> bool:
    """Whether `peer` is one of our proxies, whose headers can be believed."""
    address = _parse(peer or "")
    return address is not None and any(address in network for network in trusted)


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 one.

    Whoever has one IPv6 address has the other 2^64 of its network, too.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return f"{IPv6Address(int(ip) >> 64 << 64)}/64"


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped
