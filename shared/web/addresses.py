"""Client addresses behind trusted reverse proxies. Pure."""

from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def client_address(
    peer: str | None, forwarded_for: Sequence[str], trusted: Collection[Network]
) -> str:
    """The last address in the chain of proxies that is not a trusted proxy.

    `peer` is the other end of the connection, `forwarded_for` the values of the
    X-Forwarded-For headers in their order. Each proxy appends the address that it was called
    from; the entries before the first address that is not trusted can be forged.
    """
    hops = [hop.strip() for value in forwarded_for for hop in value.split(",")]
    current = _parse(peer or "")
    if current is None:
        return peer or "unknown"
    while hops and any(current in network for network in trusted):
        previous = _parse(hops.pop())
        if previous is None:
            break
        current = previous
    return str(current)


def is_trusted(peer: str | None, trusted: Collection[Network]) -> bool:
    """Whether `peer` is a trusted proxy."""
    address = _parse(peer or "")
    return address is not None and any(address in network for network in trusted)


def client_network(address: str) -> str:
    """The key under which an address is rate limited: an IPv4 address, or an IPv6 /64 network.

    A client with one IPv6 address usually has all 2^64 addresses of its network.
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
