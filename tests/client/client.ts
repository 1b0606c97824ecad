// A client as somebody would write it: every type comes from schema/openapi.json, and so does every path. It makes a
// draft, reads what it would change, publishes, scores, publishes again, rolls back, and reads what was kept of it.
// That it compiles says that the document's types are usable; that it runs, that the service answers as they say.
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/api.js";

type Definition = components["schemas"]["Definition"];
type Draft = components["schemas"]["Draft"];
type Check = (name: string, step: () => Promise<void>) => Promise<boolean>;

const ICP = "city-courier";
const LIST = "makers";
const DEFINITION: Definition = {
  key: ICP,
  name: "City courier whose vans stand in traffic",
  framework: "pain_points",
  attributes: [
    {
      key: "fleet",
      label: "Vans",
      category: "firmographic",
      weight: 60,
      rules: [
        { when: { field: "company.vans", between: [10, 80] }, label: "10-80 vans" },
        { when: { field: "company.vans", between: [5, 9] }, fit: 0.5, label: "5-9 vans" },
      ],
    },
    {
      key: "pain",
      label: "Pain",
      category: "need",
      weight: 40,
      rules: [{ when: { field: "pain_points", has_word: ["parking", "city access"] }, label: "Closed to vans" }],
    },
  ],
  disqualifiers: [
    { key: "maker", reason: "Makes cargo bikes itself", when: { field: "company.name", in_list: LIST } },
  ],
};

// The same with half the fit for a small fleet: leads with seven vans fall.
function stricter(): Definition {
  const changed = structuredClone(DEFINITION);
  const rule = changed.attributes[0]?.rules[1];
  if (rule === undefined) {
    throw new Error("the definition has lost a rule");
  }
  rule.fit = 0.25;
  return changed;
}

function equal(found: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  if (left !== right) {
    throw new Error(`${what}: expected ${right}, got ${left}`);
  }
}

// What an answer says, when it has this status.
function told<T>(answer: { data?: T; error?: unknown; response: Response }, status = 200): T {
  equal(answer.response.status, status, `status (${JSON.stringify(answer.error)})`);
  return answer.data as T;
}

// The problem's code, when the answer has this status.
function refused(answer: { error?: components["schemas"]["Problem"]; response: Response }, status: number): string {
  equal(answer.response.status, status, "status");
  if (answer.error === undefined) {
    throw new Error("a refusal without a problem");
  }
  return answer.error.code;
}

function etagOf(answer: { response: Response }): string {
  return answer.response.headers.get("ETag") ?? "";
}

export async function tour(address: string, key: string, check: Check): Promise<void> {
  const client = createClient<paths>({ baseUrl: address, headers: { Authorization: `Bearer ${key}` } });
  const icp = { path: { key: ICP } };

  const lead = (id: string, vans: number, name = "Flitz") => ({
    id,
    pain_points: ["Parking fines"],
    company: { name, vans },
  });
  const score = async (lead_id: string, vans: number, company?: string) => {
    const answer = told(await client.POST("/v1/score", { body: { lead: lead(lead_id, vans, company) } }));
    const { score, grade, version, id } = answer;
    return { score, grade, version, id, first: answer.results[0] };
  };

  await check("the service is ready", async () => {
    equal(told(await client.GET("/healthz")).status, "ok", "health");
    equal(told(await client.GET("/readyz")).status, "ready", "readiness");
    equal(told(await client.GET("/v1/icps")).icps, [], "ICPs of a new database");
  });

  await check("a list is put as JSON and as text, patched and read", async () => {
    const params = { path: { key: LIST } };
    const made = await client.PUT("/v1/lists/{key}", { params, body: ["Velomacher", "Lastrad AG"] });
    equal([told(made, 201).count, told(made, 201).revision], [2, 1], "a new list");
    const again = await client.PUT("/v1/lists/{key}", {
      params,
      body: "Velomacher\r\n\r\nLastrad AG\r\nCargo Nord\r\n",
      bodySerializer: (text) => String(text),
      headers: { "Content-Type": "text/plain" },
    });
    equal([told(again).count, told(again).revision], [3, 2], "a replaced list");
    const patch = { add: ["Pedalwerk"], remove: ["VELOMACHER"], note: "Velomacher has closed" };
    const stale = await client.PATCH("/v1/lists/{key}", {
      params: { ...params, header: { "If-Match": etagOf(made) } },
      body: patch,
    });
    equal(refused(stale, 412), "precondition_failed", "with an old ETag");
    const answer = await client.PATCH("/v1/lists/{key}", {
      params: { ...params, header: { "If-Match": etagOf(again) } },
      body: patch,
    });
    const changed = told(answer);
    equal([changed.count, changed.added, changed.removed], [3, 1, 1], "a patched list");
    const read = told(await client.GET("/v1/lists/{key}", { params }));
    if (typeof read === "string") {
      throw new Error("JSON was asked for, and text came");
    }
    equal([...read.entries].sort(), ["Cargo Nord", "Lastrad AG", "Pedalwerk"], "entries");
    const lines = await client.GET("/v1/lists/{key}", { params, headers: { Accept: "text/plain" }, parseAs: "text" });
    equal(String(told(lines)).split("\n").length, 4, "three lines, and the end of the last");
    equal(told(await client.GET("/v1/lists")).lists.map((one) => one.key), [LIST], "all lists");
  });

  let draft: Draft | undefined;
  await check("a draft is put, and not overwritten unseen", async () => {
    const made = await client.PUT("/v1/icps/{key}/draft", { params: icp, body: DEFINITION });
    equal(told(made, 201).etag, etagOf(made), "a new draft");
    equal(made.response.headers.get("Location"), `/v1/icps/${ICP}/draft`, "Location");
    const unsaid = await client.PUT("/v1/icps/{key}/draft", { params: icp, body: DEFINITION });
    equal(refused(unsaid, 428), "precondition_required", "without an ETag");
    const params = { ...icp, header: { "If-Match": etagOf(made) } };
    const changed = await client.PUT("/v1/icps/{key}/draft", { params, body: DEFINITION });
    draft = told(changed);
    const stale = await client.PUT("/v1/icps/{key}/draft", { params, body: DEFINITION });
    equal(refused(stale, 412), "precondition_failed", "with an old ETag");
    const read = told(await client.GET("/v1/icps/{key}/draft", { params: icp }));
    equal([read.etag, read.definition], [draft.etag, DEFINITION], "the draft");
    equal(told(await client.GET("/v1/icps/{key}", { params: icp })).state, "draft", "state");
  });

  await check("the lint names what is unwise", async () => {
    const kept = told(await client.GET("/v1/icps/{key}/draft/lint", { params: icp }));
    equal(kept.errors, 0, "errors");
    equal(kept.lint.some((one) => one.code === "static_profile" && one.severity === "warning"), true, "no review date");
    equal(kept.warnings, kept.lint.filter((one) => one.severity === "warning").length, "warnings");
    const wrong = structuredClone(DEFINITION);
    wrong.disqualifiers?.push({ key: "x", reason: "Nobody", when: { field: "company.name", in_list: "no-such-list" } });
    const sent = told(await client.POST("/v1/lint", { body: wrong }));
    equal([sent.errors, sent.lint[0]?.code], [1, "unknown_list"], "an unknown list");
  });

  await check("what a mistake costs is a sentence, not a version", async () => {
    const answer = await client.POST("/v1/lint", {
      // @ts-expect-error: a weight is a number, and the types say so
      body: { ...DEFINITION, attributes: [{ ...DEFINITION.attributes[0], weight: "sixty" }] },
    });
    equal(refused(answer, 422), "invalid_definition", "code");
    equal(answer.error?.errors[0]?.pointer, "/attributes/0/weight", "pointer");
    // @ts-expect-error: there is no such operation, and the types say so
    await client.GET("/v1/leads-of-yesterday");
    // @ts-expect-error: an ICP's key is needed, and the types say so
    const nobody = () => client.GET("/v1/icps/{key}/versions", {});
    equal(typeof nobody, "function", "never called");
  });

  await check("the first version scores leads", async () => {
    const impact = told(await client.GET("/v1/icps/{key}/draft/impact", { params: icp }));
    equal([impact.from_version, impact.leads, impact.movers], [0, 0, []], "impact on nobody");
    const params = { ...icp, header: { "If-Match": draft?.etag ?? "" } };
    const answer = await client.POST("/v1/icps/{key}/publish", { params, body: { note: "first one" } });
    equal([told(answer, 201).version, told(answer, 201).note], [1, "first one"], "publication");
    equal(answer.response.headers.get("Location"), `/v1/icps/${ICP}/versions/1`, "Location");
    const small = await score("L-1", 7);
    equal([small.score, small.grade, small.version], [70, "B", 1], "seven vans");
    equal(small.first?.lists, [{ key: LIST, revision: 3 }], "the lists that were asked");
    equal((await score("L-2", 20)).grade, "A", "twenty vans");
    equal((await score("L-3", 20, "LASTRAD ag")).grade, "DQ", "a maker");
    equal((await score("L-4", 6)).grade, "B", "six vans");
  });

  await check("a second version is weighed, guarded and published", async () => {
    const put = told(await client.PUT("/v1/icps/{key}/draft", { params: icp, body: stricter() }), 201);
    const sample = { ...icp, query: { sample: 100 } };
    const impact = told(await client.GET("/v1/icps/{key}/draft/impact", { params: sample }));
    equal([impact.from_version, impact.leads, impact.changed, impact.changed_pct], [1, 4, 2, 50], "impact");
    equal(
      impact.movers.map((one) => [one.lead_id, one.from, one.to, one.change, one.attributes]).sort()[0],
      ["L-1", "B", "C", -15, [{ key: "fleet", change: -15 }]],
      "who moves, and why",
    );
    const diff = told(await client.GET("/v1/icps/{key}/diff", { params: icp }));
    equal([diff.from, diff.to, diff.changes.length], ["1", "draft", 1], "diff");
    const { op, attribute, rule, before, after } = diff.changes[0] ?? {};
    equal([op, attribute, rule, before, after], ["replace", "fleet", "5-9 vans", "0.5", "0.25"], "change");
    const params = { ...icp, header: { "If-Match": put.etag } };
    const guarded = await client.POST("/v1/icps/{key}/publish", { params, body: { max_grade_change_pct: 5 } });
    equal(refused(guarded, 422), "grade_change_too_large", "guard");
    equal((await score("L-5", 7)).version, 1, "nothing has changed");
    const body = { note: "stricter", max_grade_change_pct: 60 };
    told(await client.POST("/v1/icps/{key}/publish", { params, body }), 201);
    const now = await score("L-6", 7);
    equal([now.score, now.grade, now.version], [55, "C", 2], "seven vans under version 2");
  });

  await check("the first version is put back", async () => {
    const body = { version: 1, note: "too strict" };
    const back = told(await client.POST("/v1/icps/{key}/activate", { params: icp, body }));
    equal([back.version, back.unchanged], [1, false], "rolled back");
    const again = told(await client.POST("/v1/icps/{key}/activate", { params: icp, body: { version: 1 } }));
    equal(again.unchanged, true, "once more");
    const now = await score("L-7", 7);
    equal([now.score, now.grade, now.version], [70, "B", 1], "seven vans under version 1 again");
    const old = told(await client.GET("/v1/scores/{id}", { params: { path: { id: now.id } } }));
    equal(old.score, now.score, "the recorded score");
  });

  await check("versions and audit tell the story", async () => {
    const list = told(await client.GET("/v1/icps/{key}/versions", { params: icp }));
    equal(list.active_version, 1, "active version");
    equal(
      list.versions.map((one) => [one.version, one.active, one.note, one.published_by]),
      [[1, true, "first one", "client test"], [2, false, "stricter", "client test"]],
      "versions",
    );
    const first = told(await client.GET("/v1/icps/{key}/versions/{n}", { params: { path: { key: ICP, n: 1 } } }));
    equal(first.definition, DEFINITION, "the first definition");
    const query = { from: "1", to: "2" };
    const diff = told(await client.GET("/v1/icps/{key}/diff", { params: { ...icp, query } }));
    equal(diff.changes.length, 1, "changes from 1 to 2");
    const actions: string[] = [];
    for (let after = "", more = true; more; ) {
      const cursor = after === "" ? {} : { after };
      const page = told(await client.GET("/v1/audit", { params: { query: { icp: ICP, limit: 2, ...cursor } } }));
      actions.push(...page.entries.map((one) => one.action));
      equal(page.entries.every((one) => one.key === "client test" && one.icp === ICP), true, "who, and what");
      after = page.next;
      more = after !== "";
    }
    equal(actions, ["draft.put", "draft.put", "publish", "draft.put", "publish", "activate"], "actions");
  });

  await check("a challenger is compared, with what became of the leads", async () => {
    const params = { path: { key: "challenger" } };
    const rival: Definition = { ...stricter(), key: "challenger", purpose: "experimental" };
    const put = told(await client.PUT("/v1/icps/{key}/draft", { params, body: rival }), 201);
    told(await client.POST("/v1/icps/{key}/publish", { params: { ...params, header: { "If-Match": put.etag } } }), 201);
    await score("L-8", 7);
    await score("L-9", 20);
    const won = await client.POST("/v1/outcomes", { body: { lead_id: "L-8", outcome: "won", value: 4800 } });
    equal(told(won).accepted, 1, "one");
    const lines = await client.POST("/v1/outcomes", {
      body: '{"lead_id": "L-9", "outcome": "lost"}\n{"lead_id": "L-9", "outcome": "gone"}\n',
      bodySerializer: (text) => String(text),
      headers: { "Content-Type": "application/x-ndjson" },
    });
    equal(told(lines).accepted, 1, "of two lines");
    equal(told(lines).errors.map((one) => [one.line, one.pointer]), [[2, "/outcome"]], "the other one");
    const query = { with: "challenger" };
    const beside = told(await client.GET("/v1/icps/{key}/compare", { params: { ...icp, query } }));
    equal([beside.leads, beside.agreed, beside.agreed_pct, beside.mean_difference], [2, 1, 50, 7.5], "compared");
    equal(beside.preferred, { leads: 1, won: 1, lost: 0 }, "preferred");
    equal(beside.top.map((one) => [one.lead_id, one.difference, one.outcome]), [["L-8", 15, "won"]], "top");
  });

  await check("statistics are polled, a score is proved, and a lead is erased", async () => {
    const query = { icp: ICP, bucket: "hour" as const, tz: "Europe/Berlin" };
    const polled = await client.GET("/v1/stats", { params: { query } });
    const stats = told(polled);
    equal([stats.outcomes.won, stats.outcomes.lost, stats.outcomes.auc], [1, 1, 0], "what became of two");
    equal(stats.histogram.counts.reduce((sum, count) => sum + count, 0), stats.scored, "every score is in a bin");
    equal(stats.grades.reduce((sum, one) => sum + one.count, 0), stats.scored, "and has a grade");
    const header = { "If-None-Match": polled.response.headers.get("ETag") ?? "" };
    equal((await client.GET("/v1/stats", { params: { query, header } })).response.status, 304, "nothing new");
    const spread = told(await client.GET("/v1/stats/penetration"));
    equal(spread.icps.map((one) => [one.icp, one.purpose]), [[ICP, "core"], ["challenger", "experimental"]], "both");
    const odd = told(await client.GET("/v1/stats/unmatched", { params: { query: { icp: ICP } } }));
    equal(odd.values.every((one) => one.count > 0), true, "values that no rule took");

    const params = { path: { id: "L-8" } };
    const known = told(await client.GET("/v1/leads/{id}", { params }));
    equal([known.scores.length, known.outcome.outcome, known.outcome.value], [2, "won", 4800], "the lead");
    const listed = told(await client.GET("/v1/leads", { params: { query: { icp: ICP, limit: 1 } } }));
    equal([listed.leads.length, listed.next !== ""], [1, true], "a page of one");
    const history = told(await client.GET("/v1/leads/{id}/scores", { params: { ...params, query: { icp: ICP } } }));
    equal(history.scores.map((one) => one.change), [{ data: 0, profile: 0, time: 0 }], "its first score");
    const id = history.scores[0]?.score_id ?? "";
    const proof = told(await client.POST("/v1/scores/{id}/verify", { params: { path: { id } } }));
    equal([proof.agrees, proof.recorded_hash === proof.computed_hash], [true, true], "proved");
    equal(told(await client.GET("/v1/leads/{id}/export", { params })).scores[0]?.answer.id, id, "exported");
    told(await client.DELETE("/v1/leads/{id}", { params }), 204);
    equal(refused(await client.GET("/v1/leads/{id}", { params }), 404), "lead_not_found", "erased");
    equal(refused(await client.GET("/v1/scores/{id}", { params: { path: { id } } }), 410), "erased", "its score");
    equal(told(await client.GET("/v1/stats", { params: { query } })).scored, stats.scored, "counts stay");
  });

  await check("what is in use is not deleted, and what is archived comes back", async () => {
    const params = { path: { key: LIST } };
    equal(refused(await client.DELETE("/v1/lists/{key}", { params }), 409), "list_in_use", "a list in use");
    told(await client.DELETE("/v1/icps/{key}", { params: icp }), 204);
    equal(told(await client.GET("/v1/icps/{key}", { params: icp })).state, "archived", "state");
    const draft = await client.PUT("/v1/icps/{key}/draft", { params: icp, body: DEFINITION });
    equal(refused(draft, 409), "icp_archived", "a draft");
    equal(told(await client.POST("/v1/icps/{key}/restore", { params: icp })).state, "active", "restored");
    told(await client.PUT("/v1/icps/{key}/draft", { params: icp, body: DEFINITION }), 201);
    told(await client.DELETE("/v1/icps/{key}/draft", { params: icp }), 204);
    equal(refused(await client.GET("/v1/icps/{key}/draft", { params: icp }), 404), "draft_not_found", "no draft");
  });

  await check("keys are made, used and ended", async () => {
    const body = { name: "crm", scopes: ["score" as const], expires_at: "2999-01-01T00:00:00Z" };
    const made = await client.POST("/v1/keys", { body });
    equal([told(made, 201).scopes, told(made, 201).state], [["score"], "live"], "a new key");
    equal(made.response.headers.get("Cache-Control"), "no-store", "Cache-Control");
    const crm = createClient<paths>({ baseUrl: address, headers: { "X-Api-Key": told(made, 201).key } });
    told(await crm.POST("/v1/score", { body: { lead: lead("L-10", 7), record: false } }));
    equal(refused(await crm.GET("/v1/keys"), 403), "forbidden", "beyond its scope");
    const params = { path: { id: told(made, 201).id } };
    told(await client.DELETE("/v1/keys/{id}", { params }), 204);
    equal(refused(await crm.POST("/v1/score", { body: { lead: {} } }), 401), "unauthorized", "revoked");
    const keys = told(await client.GET("/v1/keys")).keys;
    equal(keys.map((one) => [one.name, one.state]), [["client test", "live"], ["crm", "revoked"]], "all keys");
  });
}
