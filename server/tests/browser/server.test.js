import assert from "node:assert/strict";
import { after, test } from "node:test";
import { accessible, load, open, shot, start, until, untilState, wsServer } from "./harness.js";

const server = await wsServer();
after(server.stop);

test("errors, policy violations and accessibility faults are detected", async t => {
	const page = await open(t, server.url, { expected: /policy|Policy|planted/ });
	await page.evaluate(() => {
		const script = document.createElement("script");
		script.textContent = "0";
		document.body.append(script, document.createElement("img"));
		console.error("planted");
	});
	await assert.rejects(accessible(page), /critical image-alt/);
	for (const error of [/^policy: script-src/, /^planted$/]) assert(page.errors.some(text => error.test(text)), page.errors.join("\n"));
});

test("values move under load", async t => {
	const page = await open(t, server.url);
	await untilState(page, "live");
	await shot(page, "server-idle-light-wide");
	const stop = await load(t, server.url);
	await until(page, () => main.view?.message.messages.received > 4000);
	const { x, y, width } = await page.locator("#messages .u-over").boundingBox();
	await page.mouse.move(x + width - 20, y + 40);
	await shot(page, "server-load-light-wide");
	assert.deepEqual((await accessible(page)).filter(text => text.includes("critical")), []);
	await page.mouse.move(0, 0);

	await stop();
});

test("a restart of the server is survived", async t => {
	const first = await wsServer();
	const page = await open(t, first.url, { expected: /ERR_CONNECTION_REFUSED|WebSocket connection|426/ });
	await untilState(page, "live");
	await first.stop();
	// Both at once: the page tries again by itself, and the button is hidden while it does.
	await until(page, () => document.getElementById("state").textContent.includes("disconnected, trying again in") && document.querySelector("#retry:not([hidden])"));
	await shot(page, "server-disconnected");
	const second = await start("ws-server", "--bind", first.address);
	// The page may have reconnected already.
	await page.evaluate(() => document.querySelector("#retry:not([hidden])")?.click());
	await untilState(page, "live");
	assert(await page.locator("#retry").isHidden());
	await second.stop();
});

test("reconnects wait for a random part of a time that doubles up to half a minute", async t => {
	const page = await open(t, server.url);
	const [delays, afterMessage] = await page.evaluate(async () => {
		const { Feed } = await import("/page/feed.js");
		const later = [];
		globalThis.setTimeout = (act, delay) => later.push({ act, delay });
		globalThis.WebSocket = class {};
		Math.random = () => 0.5;
		const feed = new Feed("", () => {}, () => {});
		const fail = () => {
			feed.socket.onclose();
			const { act, delay } = later.pop();
			act();
			return delay;
		};
		const delays = Array.from({ length: 9 }, fail);
		feed.socket.onmessage({ data: "{}" });
		return [delays, fail()];
	});
	assert.deepEqual(delays, [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
	assert.equal(afterMessage, 250);
});

test("the theme follows the system until it is chosen, and is remembered", async t => {
	const page = await open(t, server.url, { colorScheme: "dark" });
	await untilState(page, "live");
	const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
	const dark = await paper();
	assert.equal(await page.locator("#dark").getAttribute("aria-pressed"), "true");
	await page.locator("#dark").click();
	const light = await paper();
	assert.notEqual(light, dark);
	await page.reload();
	assert.equal(await paper(), light);
	// The scripts are loaded after the first paint: before them, a click does nothing.
	await untilState(page, "live");
	await page.emulateMedia({ colorScheme: "light" });
	await page.locator("#dark").click();
	assert.equal(await paper(), dark);
	const stop = await load(t, server.url);
	await until(page, () => main.view?.series.live.get("time").length > 20);
	await accessible(page);
	await shot(page, "server-load-dark-wide");
	await stop();
});

test("the page works in a browser without storage", async t => {
	const before = page => page.addInitScript(() => Object.defineProperty(globalThis, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } }));
	const page = await open(t, server.url, { before });
	await untilState(page, "live");
	await page.locator("#dark").click();
	assert.equal(await page.locator("#dark").getAttribute("aria-pressed"), "true");
});

test("the page fits the width of a phone", async t => {
	const stop = await load(t, server.url, 5);
	for (const [colorScheme, name] of [["light", "server-narrow-light"], ["dark", "server-narrow-dark"]]) {
		const page = await open(t, server.url, { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true, colorScheme });
		await untilState(page, "live");
		await until(page, () => main.view?.series.live.get("time").length > 16);
		assert(await page.evaluate(() => document.scrollingElement.scrollWidth) <= 360);
		await accessible(page);
		await shot(page, name);
	}
	await stop();
});

test("a printed page has light colours and no buttons", async t => {
	const page = await open(t, server.url, { colorScheme: "dark" });
	await untilState(page, "live");
	await until(page, () => main.view?.series.live.get("time").length > 8);
	await page.emulateMedia({ media: "print" });
	assert(await page.locator(".controls").isHidden());
	assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(252, 252, 250)");
	await page.setViewportSize({ width: 720, height: 1000 });
	assert(await page.evaluate(() => document.scrollingElement.scrollWidth) <= 720);
	await shot(page, "server-print");
});

test("a page that opens late, or is loaded again, shows what was before", async t => {
	const old = await wsServer();
	const stop = await load(t, old.url, 5);
	const early = await open(t, old.url);
	await until(early, () => main.view?.message.uptime_ns > 6e9);
	await stop();
	const sees = async page => {
		// By the server's clock: the first point is a second old, and the load was before this page.
		await until(page, () => main.view && main.view.series.column("time").length > 4
			&& main.view.series.end - main.view.series.column("time")[0] > main.view.message.uptime_ns / 1e9 - 3);
		assert(await page.evaluate(() => main.view.series.column("messages").some(rate => rate > 10)));
		assert(await page.evaluate(() => main.view.series.column("time").every((time, at, times) => at === 0 || time > times[at - 1])));
	};
	const late = await open(t, old.url);
	await sees(late);
	assert.match(await late.locator(".tiles > div").nth(1).textContent(), /\d\/s/);
	await shot(late, "server-late");
	await late.reload();
	await until(late, () => globalThis.main && "view" in main);
	await sees(late);
	for (const page of [early, late]) await page.context().close();
	await old.stop();
});
