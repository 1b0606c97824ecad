/*
 * address.h - which internet addresses belong to the public, and which names say by themselves that they do not.
 *
 * For outgoing calls whose target somebody else chose: an address that only this machine or its network knows must not
 * be reached. Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and what followed). Pure.
 */
#ifndef LF_BASE_ADDRESS_H
#define LF_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Whether the address is one of the public internet: IPv4 or IPv6, not private, loopback, link-local, shared, reserved,
 * documentation, benchmark or multicast, nor an IPv6 address that leads to such an IPv4 one (mapped, compatible, 6to4,
 * Teredo, NAT64). false for any other family. */
bool lf_address_is_public(const struct sockaddr *address, socklen_t len);

/* Whether a URL's host stands for an address that is not public as it is written: an IPv4 address in any spelling that
 * resolvers take ("127.1", "0x7f000001", "2130706433"), an IPv6 address (with or without brackets and zone), or a name
 * that means this machine or this network ("localhost", "x.localhost", "x.local", "x.internal", "x.home.arpa", also
 * with a dot at the end). false for a name that has to be resolved. */
bool lf_host_is_private(const char *host);

#endif
