/*
 * serve.c - leadfit serve: configuration, start, signals, an orderly stop.
 *
 * The main thread waits for signals; everything else runs on the threads of the server and of the service.
 */
#include "command.h"

#include "api/routes.h"
#include "app/service.h"
#include "base/log.h"
#include "http/server.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    STALL_MS = 30000, /* a commit that takes longer means that the disk is gone */
    THREADS_MAX = 64,
    DESK_THREADS = 4,  /* so that a replay or a long list does not keep the next draft waiting */
    DESK_QUEUE = 256,  /* far above what people at screens ask for at once */
    LARGE = 256 << 10, /* more than scoring takes in one piece */
    SPARE = 4 << 20,   /* what each thread may keep for its next request */
};

/* Splits "127.0.0.1:8080" or "[::1]:8080". */
static enum lf_status
split_listen(const char *listen, char *address, size_t size, uint16_t *ret_port, struct lf_error *error)
{
    const char *colon = strrchr(listen, ':');
    size_t len = colon != NULL ? (size_t)(colon - listen) : 0;
    char *end = NULL;
    long port = 0;

    if (colon == NULL || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        (port = strtol(colon + 1, &end, 10)) > 65535)
        return lf_fail(error, LF_CONFIG,
                       "listen \"%s\": an address and a port belong there, such as 127.0.0.1:8080 or [::1]:8080",
                       listen);
    if (len >= 2 && listen[0] == '[' && colon[-1] == ']') {
        listen++;
        len -= 2;
    }
    if (len >= size)
        return lf_fail(error, LF_CONFIG, "listen: the address is too long");
    memcpy(address, listen, len);
    address[len] = '\0';
    if (len == 0)
        (void)snprintf(address, size, "%s", "127.0.0.1");
    *ret_port = (uint16_t)port;
    return LF_OK;
}

static enum lf_status
authenticate(void *context, const char *token, struct lf_identity *ret_identity)
{
    return lf_service_admit(context, token, ret_identity->key_id, &ret_identity->scopes);
}

/* Counts an answered request, for /metrics. */
static void
observe(void *context, const struct lf_observation *observation)
{
    lf_metrics_request(lf_service_metrics(context), observation->route_index, observation->status,
                       observation->duration_us);
}

static void
apply_log(const struct lf_config *config)
{
    int64_t format = lf_config_number(config, LF_SETTING_LOG_FORMAT);
    bool text = format == LF_LOG_FORMAT_TEXT || (format == LF_LOG_FORMAT_AUTO && isatty(STDERR_FILENO));

    lf_log_setup(STDERR_FILENO, text ? LF_LOG_TEXT : LF_LOG_JSON);
    lf_log_set_level((enum lf_log_level)lf_config_number(config, LF_SETTING_LOG_LEVEL));
}

static unsigned
thread_count(const struct lf_config *config)
{
    int64_t threads = lf_config_number(config, LF_SETTING_THREADS);

    if (threads == 0)
        threads = sysconf(_SC_NPROCESSORS_ONLN);
    return threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : (unsigned)threads;
}

static enum lf_status
start_server(const struct lf_config *config, struct lf_service *service, char *address, size_t size,
             struct lf_server **ret_server, struct lf_error *error)
{
    struct lf_server_options options = {
        .address = address,
        .listen_fd = -1,
        .threads = thread_count(config),
        .max_connections = (unsigned)lf_config_number(config, LF_SETTING_MAX_CONNECTIONS),
        .max_per_address = (unsigned)lf_config_number(config, LF_SETTING_MAX_CONNECTIONS_PER_ADDRESS),
        .max_body = (size_t)lf_config_number(config, LF_SETTING_MAX_BODY),
        .desk_threads = DESK_THREADS,
        .desk_queue = DESK_QUEUE,
        .request_timeout_ms = lf_config_number(config, LF_SETTING_REQUEST_TIMEOUT),
        .idle_timeout_ms = lf_config_number(config, LF_SETTING_IDLE_TIMEOUT),
        .log_requests = (enum lf_log_requests)lf_config_number(config, LF_SETTING_LOG_REQUESTS),
        .authenticate = authenticate,
        .observe = observe,
        .context = service,
    };
    enum lf_status status =
        split_listen(lf_config_text(config, LF_SETTING_LISTEN), address, size, &options.port, error);

    options.routes = lf_api_routes(lf_service_open_metrics(service), &options.route_count);
    return status == LF_OK ? lf_server_start(&options, ret_server, error) : status;
}

/* Waits until a signal asks to stop; false when the service failed meanwhile. SIGHUP reads the log's settings again. */
static bool
wait_for_stop(const sigset_t *signals, const char *file, struct lf_service *service)
{
    for (;;) {
        struct timespec second = {.tv_sec = 1};
        int signal = sigtimedwait(signals, NULL, &second);

        if (signal == SIGTERM || signal == SIGINT)
            return true;
        if (signal == SIGHUP) {
            int code = 0;
            struct lf_config *config = make_config(file, &code);
            if (config != NULL)
                lf_log_set_level((enum lf_log_level)lf_config_number(config, LF_SETTING_LOG_LEVEL));
            lf_log(LF_LOG_INFO, "reloaded", lf_log_text("result", config != NULL ? "fine" : "refused"));
            lf_config_destroy(config);
        }
        if (lf_service_failed(service))
            return false;
    }
}

/* What of a lead is recorded, by the words of store_lead. */
static enum lf_kept
kept_of(const struct lf_config *config)
{
    static const enum lf_kept KEPT[] = {
        [LF_STORE_LEAD_FIELDS] = LF_KEPT_FIELDS,
        [LF_STORE_LEAD_WHOLE] = LF_KEPT_WHOLE,
        [LF_STORE_LEAD_HASHES] = LF_KEPT_HASHES,
        [LF_STORE_LEAD_NOTHING] = LF_KEPT_NOTHING,
    };

    return KEPT[lf_config_number(config, LF_SETTING_STORE_LEAD)];
}

/* Has the memory of large requests given back. Of itself glibc takes the first long list that is freed as a sign to
 * keep that much from then on, for each thread. Where it refuses, memory stays as it was: bounded, and too much. */
static void
return_large_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, SPARE);
}

static int
serve(const struct lf_config *config, const char *file)
{
    struct lf_service_options options = {
        .db = lf_config_text(config, LF_SETTING_DB),
        .queue = (size_t)lf_config_number(config, LF_SETTING_QUEUE),
        .batch = (size_t)lf_config_number(config, LF_SETTING_BATCH_MAX),
        .stall_ms = STALL_MS,
        .kept = kept_of(config),
        .never_store = lf_config_text(config, LF_SETTING_NEVER_STORE),
        .retention_days = (int)lf_config_number(config, LF_SETTING_RETENTION_DAYS),
        .open_metrics = lf_config_number(config, LF_SETTING_METRICS_OPEN) != 0,
        .rate_limit = (unsigned)lf_config_number(config, LF_SETTING_RATE_LIMIT),
        .public_url = lf_config_text(config, LF_SETTING_PUBLIC_URL),
        .idempotency_ms = lf_config_number(config, LF_SETTING_IDEMPOTENCY),
        .allow_private_targets = lf_config_number(config, LF_SETTING_ALLOW_PRIVATE_TARGETS) != 0,
        .outbox_max = lf_config_number(config, LF_SETTING_OUTBOX_MAX),
        .ca_file = lf_config_text(config, LF_SETTING_CA_FILE),
    };
    struct lf_service *service = NULL;
    struct lf_server *server = NULL;
    struct lf_error error;
    char address[64];
    int64_t stop_ms = lf_config_number(config, LF_SETTING_SHUTDOWN_TIMEOUT);
    sigset_t signals;
    bool asked = false;

    /* Blocked before any thread is there, so that only this one takes them. */
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);

    return_large_memory();
    (void)lf_api_routes(options.open_metrics, &options.routes);
    if (lf_service_start(&options, &service, &error) != LF_OK)
        return fault(&error);
    if (start_server(config, service, address, sizeof address, &server, &error) != LF_OK) {
        lf_service_stop(service);
        return fault(&error);
    }
    (void)printf(strchr(address, ':') != NULL ? "leadfit " LF_VERSION " ready on http://[%s]:%u\n"
                                              : "leadfit " LF_VERSION " ready on http://%s:%u\n",
                 address, (unsigned)lf_server_port(server));
    (void)fflush(stdout);
    lf_log(LF_LOG_INFO, "ready", lf_log_text("address", address), lf_log_int("port", lf_server_port(server)));

    asked = wait_for_stop(&signals, file, service);
    lf_log(LF_LOG_INFO, "stopping", lf_log_text("reason", asked ? "signal" : "storage_failed"));
    lf_service_drain(service);
    lf_service_give_up_in(service, stop_ms / 2); /* as the desk of the server does */
    (void)lf_server_drain(server, stop_ms);
    lf_server_stop(server);
    lf_service_stop(service);
    lf_log_event(LF_LOG_INFO, "stopped");
    return asked ? EXIT_FINE : EXIT_FAULT;
}

int
command_serve(const struct command *command, int argc, char **argv)
{
    const char *file = NULL;
    int code = 0, count = 0;
    struct lf_config *config = NULL;

    /* The file's name comes first, for options stand above what the file says. */
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            file = argv[i + 1];
        else if (strncmp(argv[i], "--config=", 9) == 0)
            file = argv[i] + 9;
    }
    config = make_config(file, &code);
    if (config == NULL)
        return code;
    const struct option options[] = {{.name = "--config", .value = &file}, {.name = NULL}};
    code = read_arguments(command, argc, argv, options, config, &count);
    if (code == 0 && count > 0)
        code = wrong_usage(command, "%s is too much: serve takes options only", argv[0]);
    else if (code == 0 && count == 0) {
        apply_log(config);
        code = serve(config, file);
    }
    lf_config_destroy(config);
    return code;
}
