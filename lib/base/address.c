/*
 * address.c - see address.h.
 *
 * IPv4: everything is public that is not in the list. IPv6: nothing is but what has been given out for the internet
 * (2000::/3), and of that what is not in the list; and addresses that a network translates to IPv4 (mapped, NAT64)
 * where the IPv4 address is. Blocks for transition (6to4, Teredo) and for services of the network itself (anycast of
 * 192.0.0.0/24 and 2001::/23, the relays of 192.88.99.0/24) are refused whole: nobody serves HTTP there.
 */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { HOST_MAX = 255 };

struct block4 {
    uint32_t address;
    int bits;
};

static const struct block4 NOT_PUBLIC_4[] = {
    {0x00000000, 8},  /* 0.0.0.0/8: this network */
    {0x0A000000, 8},  /* 10.0.0.0/8: private use */
    {0x64400000, 10}, /* 100.64.0.0/10: shared, behind carriers' translation */
    {0x7F000000, 8},  /* 127.0.0.0/8: loopback */
    {0xA9FE0000, 16}, /* 169.254.0.0/16: link-local, where clouds keep their secrets */
    {0xAC100000, 12}, /* 172.16.0.0/12: private use */
    {0xC0000000, 24}, /* 192.0.0.0/24: protocol assignments */
    {0xC0000200, 24}, /* 192.0.2.0/24: documentation */
    {0xC0586300, 24}, /* 192.88.99.0/24: relays of 6to4, given up */
    {0xC0A80000, 16}, /* 192.168.0.0/16: private use */
    {0xC6120000, 15}, /* 198.18.0.0/15: benchmarks */
    {0xC6336400, 24}, /* 198.51.100.0/24: documentation */
    {0xCB007100, 24}, /* 203.0.113.0/24: documentation */
    {0xE0000000, 4},  /* 224.0.0.0/4: multicast */
    {0xF0000000, 4},  /* 240.0.0.0/4: reserved, and broadcast */
};

struct block6 {
    uint8_t address[6]; /* its beginning */
    int bits;
};

static const struct block6 PUBLIC_6 = {{0x20}, 3};
static const struct block6 NOT_PUBLIC_6[] = {
    {{0x20, 0x01}, 23},             /* 2001::/23: protocol assignments, Teredo among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* 2001:db8::/32: documentation */
    {{0x20, 0x02}, 16},             /* 2002::/16: 6to4, given up */
    {{0x3f, 0xff}, 20},             /* 3fff::/20: documentation */
};

/* What stands in front of an IPv4 address. */
static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}; /* ::ffff:0:0/96 */
static const uint8_t NAT64[12] = {0x00, 0x64, 0xff, 0x9b};                    /* 64:ff9b::/96 */

static bool
is_public_4(uint32_t address)
{
    for (size_t i = 0; i < sizeof NOT_PUBLIC_4 / sizeof NOT_PUBLIC_4[0]; i++) {
        if ((address ^ NOT_PUBLIC_4[i].address) >> (32 - NOT_PUBLIC_4[i].bits) == 0)
            return false;
    }
    return true;
}

static bool
is_within(const uint8_t address[16], const struct block6 *block)
{
    int bytes = block->bits / 8, rest = block->bits % 8;

    return memcmp(address, block->address, (size_t)bytes) == 0 &&
           (rest == 0 || (address[bytes] ^ block->address[bytes]) >> (8 - rest) == 0);
}

static bool
is_public_6(const uint8_t address[16])
{
    if (memcmp(address, MAPPED, sizeof MAPPED) == 0 || memcmp(address, NAT64, sizeof NAT64) == 0)
        return is_public_4((uint32_t)address[12] << 24 | (uint32_t)address[13] << 16 | (uint32_t)address[14] << 8 |
                           address[15]);
    if (!is_within(address, &PUBLIC_6))
        return false;
    for (size_t i = 0; i < sizeof NOT_PUBLIC_6 / sizeof NOT_PUBLIC_6[0]; i++) {
        if (is_within(address, &NOT_PUBLIC_6[i]))
            return false;
    }
    return true;
}

bool
lf_address_is_public(const struct sockaddr *address, socklen_t len)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (address == NULL || len < (socklen_t)(offsetof(struct sockaddr, sa_family) + sizeof address->sa_family))
        return false;
    if (address->sa_family == AF_INET && len >= (socklen_t)sizeof in) {
        memcpy(&in, address, sizeof in); /* it may be less aligned */
        return is_public_4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6 && len >= (socklen_t)sizeof in6) {
        memcpy(&in6, address, sizeof in6);
        return is_public_6(in6.sin6_addr.s6_addr);
    }
    return false;
}

/* ---- hosts as they are written ---- */

/* Reads a number of an IPv4 address as resolvers do: 0x… is hexadecimal, 0… octal. *ret_end: behind it. */
static bool
read_part(const char *text, uint64_t *ret_value, const char **ret_end)
{
    unsigned base = 10;
    uint64_t value = 0;
    size_t digits = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    } else if (text[0] == '0')
        base = 8;
    for (;; text++, digits++) {
        unsigned digit = *text >= '0' && *text <= '9'   ? (unsigned)(*text - '0')
                         : *text >= 'a' && *text <= 'f' ? (unsigned)(*text - 'a') + 10
                         : *text >= 'A' && *text <= 'F' ? (unsigned)(*text - 'A') + 10
                                                        : 16;
        if (digit >= base)
            break;
        value = value * base + digit;
        if (value > UINT32_MAX)
            return false;
    }
    *ret_value = value;
    *ret_end = text;
    return digits > 0 || base == 16; /* a bare 0x counts as 0 with some */
}

/* One to four numbers; the last one fills what is left. */
static bool
read_ipv4(const char *host, uint32_t *ret_address)
{
    uint64_t part = 0;
    uint32_t address = 0;

    for (int i = 0; i < 4; i++) {
        if (!read_part(host, &part, &host))
            return false;
        if (*host == '\0') {
            if (part >> (8 * (4 - i)) != 0)
                return false;
            *ret_address = address | (uint32_t)part;
            return true;
        }
        if (*host != '.' || part > 255)
            return false;
        address |= (uint32_t)part << (24 - 8 * i);
        host++;
    }
    return false;
}

/* Whether the name is that one or lies below it. */
static bool
is_below(const char *name, size_t len, const char *domain)
{
    size_t domain_len = strlen(domain);

    return len >= domain_len && strncasecmp(name + len - domain_len, domain, domain_len) == 0 &&
           (len == domain_len || name[len - domain_len - 1] == '.');
}

static bool
is_private_name(const char *name, size_t len)
{
    static const char *const DOMAINS[] = {"localhost",   "localdomain", "local",
                                          "internal",    "home.arpa",   "ip6-localhost" /* as Debian names it */,
                                          "ip6-loopback"};

    for (size_t i = 0; i < sizeof DOMAINS / sizeof DOMAINS[0]; i++) {
        if (is_below(name, len, DOMAINS[i]))
            return true;
    }
    return false;
}

bool
lf_host_is_private(const char *host)
{
    char text[HOST_MAX + 1];
    uint8_t in6[16];
    uint32_t in4 = 0;
    size_t len = strlen(host);

    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len > HOST_MAX) /* neither an address nor a name that anybody resolves */
        return false;
    memcpy(text, host, len);
    text[len] = '\0';
    if (strchr(text, ':') != NULL) {
        text[strcspn(text, "%")] = '\0';
        return inet_pton(AF_INET6, text, in6) != 1 || !is_public_6(in6); /* what is none leads nowhere */
    }
    if (len > 0 && text[len - 1] == '.')
        text[--len] = '\0';
    return read_ipv4(text, &in4) ? !is_public_4(in4) : is_private_name(text, len);
}
