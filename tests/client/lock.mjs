// Takes the addresses that package-lock.json has besides the packages' own (whom to fund) out of it again: no host
// name stands in the lock file. `npm run lock` calls this after a change of package.json.
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
for (const each of Object.values(lock.packages)) {
  delete each.funding;
}
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
