package limit

import "net/netip"

// siteBits is how much of an IPv6 address one customer of a network has at least: the rest is theirs to choose.
const siteBits = 64

// network returns whose an address with a port is: an IPv4 address, or the network of an IPv6 address. What is neither, is itself.
func network(address string) string {
	from, err := netip.ParseAddrPort(address)
	if err != nil {
		return address
	}
	host := from.Addr().Unmap().WithZone("")
	if host.Is4() {
		return host.String()
	}
	return netip.PrefixFrom(host, siteBits).Masked().String()
}
