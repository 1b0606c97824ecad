/* test_address.c - which addresses are public: block by block, against Python's list, and in every spelling. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- helpers ---- */

static bool
is_public(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(443)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(443), .sin6_scope_id = 2};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return lf_address_is_public((struct sockaddr *)&in, sizeof in);
    if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
        fail_msg("%s is no address", text);
    return lf_address_is_public((struct sockaddr *)&in6, sizeof in6);
}

static void
expect(const char *text, bool expected)
{
    if (is_public(text) != expected)
        fail_msg("%s: expected %s", text, expected ? "public" : "not public");
}

static uint64_t seed = 20261122;

static uint32_t
random_32(void)
{
    seed = seed * 6364136223846793005 + 1442695040888963407;
    return (uint32_t)(seed >> 32);
}

/* ---- addresses ---- */

/* Each block by its first and last address, and those beside it. */
static void
test_blocks_4(void **state)
{
    static const struct {
        const char *before, *first, *last, *behind; /* NULL: another block, or none */
    } BLOCKS[] = {
        {NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
        {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
        {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
        {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
        {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
        {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
        {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
        {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
        {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
        {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
        {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
        {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
        {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
        {"223.255.255.255", "224.0.0.0", "239.255.255.255", NULL},
        {NULL, "240.0.0.0", "255.255.255.255", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof BLOCKS / sizeof BLOCKS[0]; i++) {
        expect(BLOCKS[i].first, false);
        expect(BLOCKS[i].last, false);
        if (BLOCKS[i].before != NULL)
            expect(BLOCKS[i].before, true);
        if (BLOCKS[i].behind != NULL)
            expect(BLOCKS[i].behind, true);
    }
    expect("169.254.169.254", false); /* where clouds tell their machines' secrets */
    expect("8.8.8.8", true);
    expect("192.31.196.1", true); /* AS112 and AMT are reached from everywhere */
    expect("192.52.193.1", true);
    expect("192.175.48.1", true);
}

static void
test_blocks_6(void **state)
{
    static const struct {
        const char *text;
        bool expected;
    } ADDRESSES[] = {
        {"::", false},
        {"::1", false},
        {"::2", false},
        {"::8.8.8.8", false}, /* compatible: given up */
        {"::10.0.0.1", false},
        {"::fffe:ffff:ffff", false},
        {"::ffff:0:0", false}, /* mapped: as its IPv4 address */
        {"::ffff:10.0.0.1", false},
        {"::ffff:127.0.0.1", false},
        {"::ffff:169.254.169.254", false},
        {"::ffff:8.8.8.8", true},
        {"::ffff:0:8.8.8.8", false}, /* translated: never given out */
        {"64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"64:ff9b::", false}, /* NAT64: as its IPv4 address */
        {"64:ff9b::10.0.0.1", false},
        {"64:ff9b::127.0.0.1", false},
        {"64:ff9b::8.8.8.8", true},
        {"64:ff9b::255.255.255.255", false},
        {"64:ff9b::1:8.8.8.8", false},
        {"64:ff9b:1::", false}, /* NAT64 of one's own network */
        {"64:ff9b:1::8.8.8.8", false},
        {"64:ff9b:1:ffff:ffff:ffff:ffff:ffff", false},
        {"100::", false}, /* discard */
        {"100::ffff:ffff:ffff:ffff", false},
        {"100:0:0:1::1", false},
        {"1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false}, /* before what has been given out */
        {"2000::", true},
        {"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"2001::", false}, /* Teredo */
        {"2001:0:4136:e378:8000:63bf:3fff:fdd2", false},
        {"2001:0:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"2001:1::1", false}, /* PCP, TURN */
        {"2001:1::2", false},
        {"2001:2::", false},     /* benchmarks */
        {"2001:3::", false},     /* AMT */
        {"2001:4:112::", false}, /* AS112 */
        {"2001:10::", false},    /* ORCHID */
        {"2001:20::", false},
        {"2001:30::", false}, /* drones */
        {"2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"2001:200::", true},
        {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"2001:db8::", false},
        {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"2001:db9::", true},
        {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"2002::", false}, /* 6to4 */
        {"2002:a00:1::", false},
        {"2002:808:808::1", false},
        {"2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"2003::", true},
        {"2606:4700:4700::1111", true},
        {"2620:4f:8000::1", true},
        {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"3fff::", false}, /* documentation */
        {"3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"3fff:1000::", true},
        {"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"4000::", false}, /* behind what has been given out */
        {"5f00::1", false},
        {"fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"fc00::", false}, /* of a network's own */
        {"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"fe80::1", false},
        {"febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
        {"fec0::1", false},
        {"ff02::1", false},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ADDRESSES / sizeof ADDRESSES[0]; i++)
        expect(ADDRESSES[i].text, ADDRESSES[i].expected);
}

static void
test_no_address(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/run/socket"};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x08080808)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr.s6_addr = {0x26, 0x06, 0x47}};

    (void)state;
    assert_false(lf_address_is_public(NULL, 0));
    assert_false(lf_address_is_public((struct sockaddr *)&un, sizeof un));
    assert_true(lf_address_is_public((struct sockaddr *)&in, sizeof in));
    assert_true(lf_address_is_public((struct sockaddr *)&in6, sizeof in6));
    for (socklen_t len = 0; len < sizeof in; len++)
        assert_false(lf_address_is_public((struct sockaddr *)&in, len));
    for (socklen_t len = 0; len < sizeof in6; len++)
        assert_false(lf_address_is_public((struct sockaddr *)&in6, len));
    in.sin_family = AF_UNSPEC;
    assert_false(lf_address_is_public((struct sockaddr *)&in, sizeof in));
}

/*
 * Python keeps a list of its own. It is asked about random addresses and the edges of its blocks; where we are stricter
 * on purpose it is not asked: 192.0.0.0/24, 2001::/23 (parts are anycast of the network's own), 192.88.99.0/24,
 * 2002::/16 (IANA: neither yes nor no), multicast (global in its own way), 3fff::/20 (not in older versions), and all
 * that lies outside 2000::/3, where nothing has been given out.
 */
static const char *const PYTHON = "import ipaddress, random\n"
                                  "n = ipaddress.ip_network\n"
                                  "strict = [n(b) for b in ('192.0.0.0/24', '192.88.99.0/24', '224.0.0.0/4', "
                                  "'2001::/23', '2002::/16', '3fff::/20')]\n"
                                  "random.seed(7)\n"
                                  "asked = [ipaddress.IPv4Address(random.getrandbits(32)) for _ in range(20000)]\n"
                                  "asked += [ipaddress.IPv6Address((1 << 125) + random.getrandbits(125)) "
                                  "for _ in range(20000)]\n"
                                  "blocks = list(ipaddress._IPv4Constants._private_networks)\n"
                                  "blocks += ipaddress._IPv6Constants._private_networks\n"
                                  "for b in blocks:\n"
                                  "    for a in (int(b[0]) - 1, int(b[0]), int(b[-1]), int(b[-1]) + 1):\n"
                                  "        if 0 <= a < 1 << b.max_prefixlen:\n"
                                  "            asked.append(type(b[0])(a))\n"
                                  "for a in asked:\n"
                                  "    if a.version == 6 and int(a) >> 125 != 1:\n"
                                  "        continue\n"
                                  "    if not any(a.version == b.version and a in b for b in strict):\n"
                                  "        print(a, int(a.is_global))\n";

static void
test_against_python(void **state)
{
    char path[] = "/tmp/lf_address_XXXXXX", command[64], text[128];
    FILE *out = NULL;
    size_t count = 0;
    int fd = mkstemp(path), global = 0;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(dprintf(fd, "%s", PYTHON), (int)strlen(PYTHON));
    assert_int_equal(close(fd), 0);
    (void)snprintf(command, sizeof command, "python3 %s", path);
    out = popen(command, "r");
    assert_non_null(out);
    for (; fscanf(out, "%127s %d", text, &global) == 2; count++)
        expect(text, global == 1);
    assert_int_equal(pclose(out), 0);
    assert_int_equal(remove(path), 0);
    assert_true(count > 30000);
}

/* ---- hosts ---- */

static void
test_hosts(void **state)
{
    static const struct {
        const char *host;
        bool expected;
    } HOSTS[] = {
        {"127.0.0.1", true},
        {"127.0.0.1.", true},
        {"127.1", true},
        {"127.0.1", true},
        {"2130706433", true},
        {"0x7f000001", true},
        {"0X7F.1", true},
        {"0x7f.0x0.0x0.0x1", true},
        {"0177.0.0.01", true},
        {"017700000001", true},
        {"0", true},
        {"0x", true},
        {"0.0.0.0", true},
        {"10.65535", true},
        {"10.0.65535", true},
        {"169.254.169.254", true},
        {"0xa9fea9fe", true},
        {"4294967295", true},
        {"8.8.8.8", false},
        {"8.8.2056", false},
        {"134744072", false},
        {"010.010.010.010", false}, /* octal: 8.8.8.8 */
        {"4294967296", false},      /* too large: a name, which nobody has */
        {"127.0.0.256", false},
        {"127.0.0.0.1", false},
        {"127.16777216", false},
        {"256.1", false},
        {"0x7g", false},
        {"08.1", false},
        {"127..1", false},
        {".127.0.0.1", false},
        {"[::1]", true},
        {"::1", true},
        {"[fe80::1%eth0]", true},
        {"[fe80::1%25eth0]", true},
        {"[2606:4700:4700::1111]", false},
        {"2606:4700:4700::1111", false},
        {"[2606:4700:4700::1111%1]", false},
        {"[::ffff:127.0.0.1]", true},
        {"[::ffff:7f00:1]", true},
        {"[::ffff:8.8.8.8]", false},
        {"[64:ff9b::10.0.0.1]", true},
        {"[2002:7f00:1::]", true},
        {"[::1", true}, /* neither an address nor a name */
        {"1:2", true},
        {"localhost", true},
        {"LocalHost", true},
        {"localhost.", true},
        {"crm.localhost", true},
        {"a.b.LOCALHOST.", true},
        {"localhost.localdomain", true},
        {"ip6-localhost", true},
        {"ip6-loopback", true},
        {"printer.local", true},
        {"local", true},
        {"metadata.google.internal", true},
        {"router.home.arpa", true},
        {"home.arpa.", true},
        {"arpa", false},
        {"example.com", false},
        {"localhost.example.com", false},
        {"notlocalhost", false},
        {"mylocal", false},
        {"internal.example.com", false},
        {"local-crm.example", false},
        {"", false},
        {".", false},
        {"[]", false},
        {"[", false},
    };
    char longest[400];

    (void)state;
    for (size_t i = 0; i < sizeof HOSTS / sizeof HOSTS[0]; i++) {
        if (lf_host_is_private(HOSTS[i].host) != HOSTS[i].expected)
            fail_msg("%s: expected %d", HOSTS[i].host, HOSTS[i].expected);
    }
    memset(longest, 'a', sizeof longest);
    for (size_t len = 240; len < 270; len++) {
        memcpy(longest + len, ".local", sizeof ".local");
        assert_true(lf_host_is_private(longest) == (len + 6 <= 255));
    }
}

/* Writes a number as decimal, octal or hexadecimal. */
static int
put_part(char *text, size_t size, uint32_t value)
{
    static const char *const FORMATS[] = {"%u", "0%o", "0x%x", "0X%X", "0x00%x"};
    static const char *const *format = NULL;

    format = &FORMATS[random_32() % 5];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return snprintf(text, size, *format, value);
#pragma GCC diagnostic pop
}

/* What the resolver here takes for a name, and others for an address, as we do: a dot at the end, a bare 0x. */
static bool
is_read_by_some(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((*at == 'x' || *at == 'X') && strspn(at + 1, "0123456789abcdefABCDEF") == 0)
            return true;
    }
    return text[strlen(text) - 1] == '.';
}

/* The resolver's own reading of random spellings is the measure. */
static void
test_spellings(void **state)
{
    static const uint32_t NETS[] = {0x7F000000, 0x0A000000, 0xC0A80000, 0xA9FE0000, 0xAC100000, 0x08080000, 0};
    size_t read = 0;

    (void)state;
    for (int i = 0; i < 50000; i++) {
        uint32_t address = NETS[random_32() % 7] | (random_32() & 0xFFFFF), parts = random_32() % 4 + 1;
        char text[128];
        int len = 0;
        struct sockaddr_in in = {.sin_family = AF_INET};

        for (uint32_t k = 0; k < parts; k++) {
            uint32_t value = k + 1 < parts ? address >> (24 - 8 * k) & 0xFF
                             : k == 0      ? address
                                           : address & (0xFFFFFFFF >> (8 * k));
            len += put_part(text + len, sizeof text - (size_t)len, value);
            if (k + 1 < parts)
                text[len++] = '.';
        }
        text[len] = '\0';
        if (random_32() % 4 == 0) /* a slip */
            text[random_32() % (uint32_t)len] = ".x0a789"[random_32() % 7];
        if (is_read_by_some(text))
            continue;
        if (inet_aton(text, &in.sin_addr) == 0) {
            if (lf_host_is_private(text))
                fail_msg("%s is no address", text);
            continue;
        }
        read++;
        if (lf_host_is_private(text) == lf_address_is_public((struct sockaddr *)&in, sizeof in))
            fail_msg("%s is %s", text, inet_ntoa(in.sin_addr));
    }
    assert_true(read > 30000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_4),       cmocka_unit_test(test_blocks_6), cmocka_unit_test(test_no_address),
        cmocka_unit_test(test_against_python), cmocka_unit_test(test_hosts),    cmocka_unit_test(test_spellings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
