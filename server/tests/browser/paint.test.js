import { after, test } from "node:test";
import { open, until, wsServer } from "./harness.js";

const LOADS = 11;

const server = await wsServer();
after(server.stop);

// No limit: how long it takes is up to the machine and whoever else is on it.
test("how long the first paint takes is told", async t => {
	const times = [];
	// The browser's own first page is none of ours.
	for (let load = 0; load <= LOADS; load += 1) {
		const page = await open(t, server.url);
		const painted = await until(page, () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
		times.push(await painted.jsonValue());
		await page.context().close();
	}
	const sorted = times.slice(1).sort((a, b) => a - b);
	t.diagnostic(`first contentful paint: ${Math.round(sorted[(LOADS - 1) / 2])} ms, the middle of ${LOADS} loads (${Math.round(sorted[0])} to ${Math.round(sorted.at(-1))})`);
});
