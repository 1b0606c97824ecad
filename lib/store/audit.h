/*
 * audit.h - the chain of the audit: what each entry's hash covers, and what is wrong with a chain.
 *
 * An entry's chain is the SHA-256 of:
 *
 *     32 bytes  the chain of the entry before, zeros for the first
 *     then id, at_ms, by, key_id, action, icp, subject, version, note, before, after, each as
 *       8 bytes   its length, little-endian
 *       bytes     a text in UTF-8; a number as 8 bytes, little-endian
 *
 * Whoever changes one entry would have to change all that follow, and the head, which knows how many there are and the
 * last chain. Against somebody who does just that only a copy of a chain elsewhere helps: the API tells it.
 *
 * Pure: no I/O, no clock, no SQL. Thread-safe, but for a walk, which belongs to one thread.
 */
#ifndef LF_STORE_AUDIT_H
#define LF_STORE_AUDIT_H

#include "base/findings.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The chain of an entry behind `before`; entry->chain is not looked at. false when memory is out. */
bool lf_audit_chain(const uint8_t before[LF_SHA256_SIZE], const struct lf_audit_entry *entry,
                    uint8_t ret_chain[LF_SHA256_SIZE]) LF_MUST_CHECK;

/* What the head says. */
struct lf_audit_head {
    int64_t entries;
    uint8_t chain[LF_SHA256_SIZE]; /* the last entry's, zeros where there is none */
};

/* A walk over all entries, from the smallest id to the largest. Findings have the codes altered_audit_entry,
 * missing_audit_entry, foreign_audit_entry (put in by somebody else) and damaged_audit_head. */
struct lf_audit_walk {
    struct lf_audit_head head;
    struct lf_findings *findings;
    int64_t last_id; /* of the last entry looked at, 0 for none */
    int64_t shift;   /* ids from here on are that much larger than they were when they were written */
    uint8_t last[LF_SHA256_SIZE], before_last[LF_SHA256_SIZE]; /* chains */
    uint8_t hashed[LF_SHA256_SIZE];                            /* what the last entry's chain should have been */
    bool doubtful;                                             /* the last entry's chain was not that */
    bool after_doubt;                                          /* and what it should have followed was altered itself */
    bool met_head;                                             /* the entry that the head speaks of has passed */
};

void lf_audit_walk_init(struct lf_audit_walk *walk, const struct lf_audit_head *head, struct lf_findings *findings);

/* The next entry; its texts may go away afterwards. readable: false when the row holds what no entry can hold. false
 * when memory is out. */
bool lf_audit_walk_entry(struct lf_audit_walk *walk, const struct lf_audit_entry *entry, bool readable) LF_MUST_CHECK;

/* Holds the end against the head. */
void lf_audit_walk_end(struct lf_audit_walk *walk);

#endif
