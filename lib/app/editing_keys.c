/* editing_keys.c - API keys: made and revoked while others come in; see editing.h. */
#include "app/editing.h"

#include "app/edit.h"

#include <string.h>

struct create_key {
    const struct lf_stored_key *key;
    const struct lf_change *change;
};

static enum lf_status
create_key(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct create_key *create = argument;

    return lf_store_create_key(store, create->key, create->change, error);
}

enum lf_status
lf_edit_create_key(struct lf_service *service, const char *name, uint32_t scopes, int64_t expires_at_ms,
                   const struct lf_change *change, struct lf_stored_key *ret_key, char ret_text[LF_API_KEY_TEXT_MAX],
                   struct lf_error *error)
{
    struct lf_stored_key key;
    char text[LF_API_KEY_TEXT_MAX];
    struct create_key create = {.key = &key, .change = change};
    struct lf_keyring *keyring = lf_service_keyring(service);
    enum lf_status status = lf_api_key_create(name, scopes, change->at_ms, expires_at_ms, &key, text, error);

    if (status != LF_OK)
        return status;
    lf_service_lock_keys(service);
    status = lf_keyring_prepare(keyring, &key, error);
    if (status == LF_OK)
        status = lf_recorder_run(lf_service_recorder(service), create_key, &create, error);
    if (status == LF_OK)
        lf_keyring_publish(keyring);
    lf_service_unlock_keys(service);
    if (status != LF_OK)
        return status;
    *ret_key = key;
    memcpy(ret_text, text, sizeof text);
    lf_edit_log(change, "key.create", key.id, 0);
    return LF_OK;
}

struct revoke_key {
    const char *id;
    const struct lf_change *change;
};

static enum lf_status
revoke_key(struct lf_store *store, void *argument, struct lf_error *error)
{
    const struct revoke_key *revoke = argument;

    return lf_store_revoke_key(store, revoke->id, revoke->change, error);
}

enum lf_status
lf_edit_revoke_key(struct lf_service *service, const char *id, const struct lf_change *change, struct lf_error *error)
{
    struct revoke_key revoke = {id, change};
    enum lf_status status = LF_OK;

    lf_service_lock_keys(service);
    status = lf_recorder_run(lf_service_recorder(service), revoke_key, &revoke, error);
    if (status == LF_OK)
        lf_keyring_revoke(lf_service_keyring(service), id, change->at_ms);
    lf_service_unlock_keys(service);
    if (status == LF_OK)
        lf_edit_log(change, "key.revoke", id, 0);
    return status;
}
