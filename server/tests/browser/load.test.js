import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, live, open, shot, tile, until, untilState } from "./harness.js";

/** For a page that is open when its program ends: it may look for another at once. */
const over = { expected: /ERR_CONNECTION_REFUSED|WebSocket connection/ };

const verdict = (page, word) => until(page, word => document.querySelector(".banner strong")?.textContent === word, word);

test("a run is shown with its limits, and its verdict is announced once", async t => {
	const run = await live();
	const page = await open(t, run.url, over);
	await verdict(page, "RUNNING");
	await page.evaluate(() => {
		globalThis.said = [];
		new MutationObserver(() => said.push(document.getElementById("announce").textContent)).observe(document.getElementById("announce"), { childList: true, characterData: true, subtree: true });
	});
	assert(await page.locator("#metrics").isHidden());
	assert.equal(await page.locator(".head tbody tr").count(), 7);
	assert.match(await tile(page, "Latency p99").textContent(), /\d (µs|ms)$/);
	await until(page, () => main.view?.series.live.get("time").length > 12);
	await accessible(page);
	await shot(page, "load-running-light-wide");
	assert.deepEqual(await page.evaluate(() => said), []);

	run.say("fail");
	await verdict(page, "FAIL");
	assert.match(await page.title(), /^FAIL · example/);
	await untilState(page, "the run is over");
	await until(page, () => said.length === 1);
	// The verdict summarises the whole run: it is not a point.
	const points = await page.evaluate(() => main.view?.series.live.get("time").length);
	await until(page, seq => main.view.message.seq > seq, await page.evaluate(() => main.view.message.seq));
	assert.equal(await page.evaluate(() => main.view?.series.live.get("time").length), points);
	assert.match(await page.evaluate(() => said[0]), /^example: FAIL\. latency_p99/);

	// Another run begins with empty charts.
	run.say("running");
	await verdict(page, "RUNNING");
	await until(page, () => main.view?.series.column("time")[0] < 1);
	run.say("invalid");
	await verdict(page, "INVALID");
	assert.equal((await page.evaluate(() => said)).length, 3);
	await accessible(page);
	run.say("quit");
	assert.deepEqual(await run.exit, [0, null]);
	await untilState(page, "the run is over; looking for another");
});

test("a verdict is shown as a word in every width and theme", async t => {
	const run = await live(20);
	for (const [name, options] of [
		["load-dark-wide", { colorScheme: "dark" }],
		["load-light-wide", {}],
		["load-narrow-light", { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }],
		["load-narrow-dark", { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, colorScheme: "dark" }],
	]) {
		const page = await open(t, run.url, options);
		const word = name.includes("dark") ? "fail" : "pass";
		// Before the run begins.
		await until(page, () => main.view !== undefined);
		run.say("running");
		// Not the run before, which is over.
		await until(page, () => main.view?.series.column("time")[0] < 2 && main.view.message.state === "running" && main.view.message.elapsed_ns > 50e9);
		run.say(word);
		await verdict(page, word.toUpperCase());
		assert(await page.evaluate(() => document.scrollingElement.scrollWidth) <= page.viewportSize().width, name);
		await accessible(page);
		await shot(page, name);
		await page.context().close();
	}
	run.say("quit");
	await run.exit;
});

test("a page that opens late shows the run from its beginning", async t => {
	const run = await live(20);
	const early = await open(t, run.url, over);
	// Starting the browser may take longer than the first run, so this page sees the second one from its beginning.
	run.say("running");
	await until(early, () => main.view?.message.run_id === "example-2" && main.view.message.elapsed_ns > 40e9);
	const late = await open(t, run.url, over);
	await until(late, () => main.view?.series.column("time")[0] < 3);
	// By time, from second 5 to second 35.
	const points = async page => new Map(await page.evaluate(() => {
		const [times, ...others] = ["time", "open", "p99", "errors"].map(name => main.view.series.column(name));
		// Where points are missing, the page draws a gap: a point without values.
		return times.map((time, at) => [time, others.map(values => values[at])]).filter(([time, [open]]) => time > 5 && time < 35 && open !== null);
	}));
	const [seen, history] = [await points(early), await points(late)];
	assert(seen.size > 20);
	for (const [time, [open, ...others]] of seen) {
		// A page that is too slow leaves points out; the history has all of them.
		const [lateOpen, ...lateOthers] = history.get(time) ?? assert.fail(`the history lacks ${time} s`);
		assert.equal(lateOpen, open);
		// The history has seven digits.
		others.forEach((value, at) => assert(Math.abs(value - lateOthers[at]) <= Math.abs(value) / 1e6, `${value} ${lateOthers[at]} at ${time}`));
	}
	run.say("quit");
	await run.exit;
});

test("a page of 1280 pixels has no horizontal scrollbar, whatever the names of stages", async t => {
	const run = await live(20);
	for (const width of [1280, 1440, 390]) {
		const page = await open(t, run.url, { viewport: { width, height: 900 } });
		await verdict(page, "RUNNING");
		await until(page, () => document.querySelectorAll(".head tbody tr").length === 7);
		await page.locator(".head tbody th").evaluateAll(heads => heads.forEach(head => (head.textContent = `remaining_allocations_per_message, quiet_after_the_second_burst`)));
		assert(await page.evaluate(() => document.scrollingElement.scrollWidth <= innerWidth), `${width}`);
		await page.context().close();
	}
	run.say("quit");
	await run.exit;
});

test("a run that is over shows totals, its planned time, and what was met", async t => {
	const run = await live(20);
	const page = await open(t, run.url, over);
	run.say("running");
	await until(page, () => main.view?.message.run_id === "example-2" && main.view.message.elapsed_ns > 5e9);
	// The line of a stage that goes on ends now.
	const ends = () => page.evaluate(() => {
		const { spec, view } = main.view.charts[0];
		return spec.limits(view.message).map(({ label, to }) => [label, to === null ? null : to - view.message.elapsed_ns / 1e9]);
	});
	await until(page, () => main.view.message.elapsed_ns > 40e9);
	assert.deepEqual(await ends(), [["p50 < 250 µs", null], ["p99 < 10 ms", null], ["max < 10 ms", null], ["p99 < 600 µs", 0]]);
	assert.deepEqual(new Set(await page.locator(".head .good .verdict").allTextContents()), new Set(["holds"]));
	await until(page, () => main.view.message.elapsed_ns === main.view.message.planned_ns);
	run.say("pass");
	await verdict(page, "PASS");
	await until(page, () => document.querySelector(".head .verdict").textContent === "met");
	assert.equal(await page.locator(".banner > p").last().textContent(), "1:00 of 1:00, hundred: hold");
	// The drain is no part of the plan.
	const told = await page.evaluate(() => {
		const { head, message } = main.view;
		head.show({ ...message, elapsed_ns: message.planned_ns + 1.2e9 }, "");
		return document.querySelector(".banner > p:last-child").textContent;
	});
	assert.match(told, /^1:00 of 1:00/);
	assert.equal(await tile(page, "Messages").textContent(), "60,000");
	assert.equal(await tile(page, "Connections").textContent(), "100");
	await shot(page, "load-over");
	run.say("quit");
	await run.exit;
});
