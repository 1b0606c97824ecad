// Lints schema/openapi.json, generates a client's types from it, type-checks client.ts against them, and runs that
// client against the real service, on a free port and with a new database.
//
//   node test.mjs LEADFIT        the built program
//
// Closing line: N passed, N failed. A step that fails ends those that need it, and is told.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, mkdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { formatProblems, getTotals, lint, loadConfig } from "@redocly/openapi-core";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const document = join(here, "..", "..", "schema", "openapi.json");
const generated = join(here, "generated");
const DEADLINE_MS = 60_000;

let passed = 0;
let failed = 0;

// Does one step, and tells whether it went well.
async function check(name, step) {
  try {
    await step();
    passed += 1;
    console.log(`ok ${name}`);
    return true;
  } catch (trouble) {
    failed += 1;
    const said = `${trouble?.stdout ?? ""}${trouble?.stderr ?? ""}`; // of a program that was run
    console.log(`FAILED ${name}: ${said || trouble?.message || trouble}`);
    return false;
  }
}

async function lockNamesNoHost() {
  const lock = await readFile(join(here, "package-lock.json"), "utf8");
  if (/:\/\/|"resolved"/.test(lock)) {
    throw new Error("package-lock.json names a host: `npm run lock` writes it without");
  }
}

async function lintDocument() {
  const config = await loadConfig({ configPath: join(here, "redocly.yaml") });
  const problems = await lint({ ref: document, config });
  const totals = getTotals(problems);
  if (problems.length > 0) {
    formatProblems(problems, { totals, version: "", maxProblems: 50 });
    throw new Error(`${totals.errors} errors and ${totals.warnings} warnings, told above`);
  }
}

// A tool of node_modules, by its own file: what npm links to it differs from machine to machine.
function tool(path, ...options) {
  return run(process.execPath, [join(here, "node_modules", path), ...options], { cwd: here });
}

async function generate() {
  await rm(generated, { recursive: true, force: true });
  await mkdir(generated);
  // A member with a default may be left out of a request: by itself the generator takes it for always there.
  const options = ["--default-non-nullable", "false", "--output", join(generated, "api.d.ts")];
  await tool("openapi-typescript/bin/cli.js", document, ...options);
}

const typeCheck = () => tool("typescript/bin/tsc", "--project", here);

// Runs `act` with the address of a new service and an admin's key to it.
async function withService(leadfit, act) {
  const folder = await mkdtemp(join(tmpdir(), "leadfit-client-"));
  const db = join(folder, "leadfit.db");
  try {
    const made = await run(leadfit, ["keys", "create", "--db", db, "--name", "client test", "--scopes", "admin"]);
    const options = ["--db", db, "--listen", "127.0.0.1:0", "--log-level", "warn"];
    const server = spawn(leadfit, ["serve", ...options], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(server, "exit");
    const guard = setTimeout(() => server.kill("SIGKILL"), DEADLINE_MS);
    try {
      const [line] = await Promise.race([once(createInterface(server.stdout), "line"), ended]);
      const address = /ready on (http:\S+)/.exec(String(line))?.[1];
      if (address === undefined) {
        throw new Error(`the service did not start: its first line, or exit code, is ${line}`);
      }
      await act(address, made.stdout.trim());
    } finally {
      server.kill("SIGTERM");
      const [code] = await ended;
      clearTimeout(guard);
      if (code !== 0) {
        await check("the service ends in order", () => Promise.reject(new Error(`exit code ${code}`)));
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function main() {
  if (process.argv.length !== 3) {
    throw new Error("usage: node test.mjs LEADFIT");
  }
  const leadfit = resolve(process.argv[2]);
  await check("the lock file names no host", lockNamesNoHost);
  await check("the document passes the linter", lintDocument);
  if ((await check("types are generated", generate)) && (await check("the client type-checks", typeCheck))) {
    const { tour } = await import("./generated/client.js");
    await check("the service is toured to the end", () =>
      withService(leadfit, (address, key) => tour(address, key, check)),
    );
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

await main();
