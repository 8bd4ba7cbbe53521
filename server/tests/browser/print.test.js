import assert from "node:assert/strict";
import { after, test } from "node:test";
import { join } from "node:path";
import { openPlayed, shot, snapshot, until, untilState, wsServer } from "./harness.js";

const server = await wsServer();
after(server.stop);

test("printed charts fill their boxes", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	for (let seq = 1; seq <= 40; seq += 1) feed.send(snapshot(seq));
	await untilState(page, "live");
	await page.emulateMedia({ media: "print" });
	await page.setViewportSize({ width: 720, height: 1000 });
	await until(page, () => document.querySelectorAll("figure:not([hidden]) canvas").length === 12);
	const empty = await page.locator("figure:not([hidden]) .plot").evaluateAll(plots => plots.map(plot => {
		const [box, canvas] = [plot, plot.querySelector("canvas")].map(node => node.getBoundingClientRect());
		return Math.max(box.width - canvas.width, box.height - canvas.height);
	}));
	assert(Math.max(...empty) < 4, `${empty}`);
	await shot(page, "server-print-filled");
	await page.pdf({ path: join(process.env.SCREENSHOTS, "server-print.pdf"), format: "A4" });
});
