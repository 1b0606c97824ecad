/*
 * replay.c - gives a fuzz target the files it was once fed: the corpus, and every crash that was ever found.
 *
 *     fuzz_json FILE|FOLDER…
 *
 * The fuzzers themselves are libFuzzer's (tests/fuzz/run); this needs no clang, so that each build replays them.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed, failed;

static void
replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = 0;

    if (file != NULL && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) >= 0 &&
        (data = malloc((size_t)size + 1)) != NULL && fseek(file, 0, SEEK_SET) == 0 &&
        fread(data, 1, (size_t)size, file) == (size_t)size) {
        (void)LLVMFuzzerTestOneInput(data, (size_t)size);
        replayed++;
    } else {
        (void)fprintf(stderr, "cannot read %s\n", path);
        failed++;
    }
    free(data);
    if (file != NULL)
        (void)fclose(file);
}

static void
replay(const char *path)
{
    struct stat status;
    struct dirent *entry = NULL;
    DIR *folder = NULL;

    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode)) {
        replay_file(path);
        return;
    }
    folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char inner[4096];

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        replay(inner);
    }
    if (folder != NULL)
        (void)closedir(folder);
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    (void)printf("%u passed, %u failed\n", replayed, failed);
    return failed > 0 || replayed == 0 ? 1 : 0;
}
