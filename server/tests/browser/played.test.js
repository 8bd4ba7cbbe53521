import assert from "node:assert/strict";
import { after, test } from "node:test";
import { accessible, openPlayed, shot, snapshot, tile, until, untilState, wsServer } from "./harness.js";

const server = await wsServer();
after(server.stop);

const number = text => Number(text.replaceAll(",", ""));

test("the keyboard moves a cursor and the window", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	for (let seq = 1; seq <= 100; seq += 1) feed.send(snapshot(seq));
	await untilState(page, "live");
	const plot = page.locator("#connections .plot");
	await plot.focus();
	const now = () => plot.getAttribute("aria-valuenow").then(Number);
	await page.keyboard.press("ArrowLeft");
	assert.equal(await now(), 99);
	await page.keyboard.press("Shift+ArrowLeft");
	assert.equal(await now(), 89);
	assert.match(await plot.getAttribute("aria-valuetext"), /^\d\d:\d\d:\d\d, echo 1, dashboard 1, all, with HTTP 3$/);
	assert(await plot.locator(".tip").isVisible());
	await page.keyboard.press("Escape");
	assert(await plot.locator(".tip").isHidden());
	assert.equal(await now(), 99);
	const window = () => page.evaluate(() => main.view?.timeline.window);
	const [from, to] = await window();
	await page.keyboard.press("+");
	const [zoomedFrom, zoomedTo] = await window();
	assert(Math.abs((zoomedTo - zoomedFrom) * 2 - (to - from)) < 1e-6);
	assert(await page.locator("#follow").isVisible());
	await page.keyboard.press("PageUp");
	assert((await window())[0] <= zoomedFrom);
	await page.keyboard.press("0");
	assert.deepEqual(await window(), [from, to]);
	assert(await page.locator("#follow").isHidden());
});

test("the mouse zooms, moves and resets all charts together", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	for (let seq = 1; seq <= 400; seq += 1) feed.send(snapshot(seq));
	await untilState(page, "live");
	const window = () => page.evaluate(() => main.view?.timeline.window);
	const scales = () => page.evaluate(() => main.view?.charts.map(({ plot }) => [plot.scales.x.min, plot.scales.x.max].join()));
	const over = page.locator("#messages .u-over");
	const { x, y, width } = await over.boundingBox();
	await page.mouse.move(x + width * 0.5, y + 50);
	const cursors = await page.evaluate(() => [...document.querySelectorAll(".u-cursor-x:not(.u-off)")].map(cursor => cursor.style.transform));
	assert.equal(cursors.length, 12);
	assert.equal(new Set(cursors).size, 1);
	assert.match(await page.locator("#messages .tip").textContent(), /\nechoed 100\/s$/);
	await shot(page, "server-cursor");

	const [from, to] = await window();
	await page.mouse.down();
	await page.mouse.move(x + width * 0.75, y + 50, { steps: 5 });
	await page.mouse.up();
	const [left, right] = await window();
	assert(Math.abs(left - (from + to) / 2) < 1 && Math.abs(right - (from + 3 * to) / 4) < 1, `${[left - from, right - from]}`);
	await until(page, () => main.view?.charts.every(({ plot }) => plot.scales.x.max - plot.scales.x.min < 40));
	assert.equal(new Set(await scales()).size, 1);
	await page.mouse.wheel(100, 0);
	assert((await window())[0] > left);
	await page.keyboard.down("Control");
	await page.mouse.wheel(0, 100);
	await page.keyboard.up("Control");
	const [wideLeft, wideRight] = await window();
	assert(wideRight - wideLeft > right - left);
	await page.mouse.dblclick(x + width / 2, y + 50);
	assert.deepEqual(await window(), [from, to]);
	await page.locator("#range").selectOption("600");
	// There are only 100 seconds of points.
	const [start, end] = await window();
	assert.equal(Math.round(end - start), 100);
	await page.locator("#messages figcaption button").first().click();
	assert.equal(await page.locator("#messages figcaption button").first().getAttribute("aria-pressed"), "false");
});

test("a paused page shows the same points, and loses none", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	for (let seq = 1; seq <= 10; seq += 1) feed.send(snapshot(seq));
	await untilState(page, "live");
	await page.locator("#pause").click();
	await untilState(page, "paused");
	for (let seq = 11; seq <= 30; seq += 1) feed.send(snapshot(seq));
	await until(page, () => main.view?.series.live.get("time").length === 30);
	const shown = () => page.evaluate(() => main.view?.series.column("time").length);
	assert.equal(await shown(), 10);
	await page.locator("#copy").click();
	await until(page, () => document.getElementById("copy").textContent === "Copied");
	assert.equal(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())).seq, 10);
	await page.locator("#pause").click();
	assert.equal(await shown(), 30);
	assert.equal(number(await tile(page, "Messages echoed").textContent()), 750);
});

test("the state says when snapshots are late, missed or stale", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	feed.send(snapshot(1));
	feed.send(snapshot(8, { skipped: 6 }));
	await untilState(page, "live, snapshots missed: 6");
	await untilState(page, "stale: nothing for");
	// This snapshot arrives seconds after its time.
	feed.send(snapshot(9));
	await untilState(page, "snapshots behind");
	await shot(page, "server-behind");
});

test("the lines have a gap for a restart of the server, and continue", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	feed.send(snapshot(40));
	await untilState(page, "live");
	feed.send(snapshot(1));
	await until(page, () => {
		const open = main.view.series.column("open");
		return open.length === 3 && open[1] === null && open[2] === 3;
	});
});

test("memory is bounded: the numbers of points and nodes stay the same", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	const kept = async last => {
		await until(page, last => main.view?.message?.seq === last, last);
		return page.evaluate(() => {
			const { view } = main;
			view.draw();
			view.write();
			const lengths = [...view.series.live.values()].map(column => column.length);
			const drawn = view.charts.flatMap(({ plot }) => plot.data.map(column => column.length));
			return { lengths: new Set([...lengths, ...drawn]).size === 1 ? lengths[0] : lengths, nodes: document.querySelectorAll("*").length };
		});
	};
	for (let seq = 1; seq <= 4000; seq += 1) feed.send(snapshot(seq));
	const before = await kept(4000);
	assert.equal(before.lengths, 2400);
	for (let seq = 4001; seq <= 10_000; seq += 1) feed.send(snapshot(seq));
	assert.deepEqual(await kept(10_000), before);
});

test("a hidden page draws nothing", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	feed.send(snapshot(1));
	await untilState(page, "live");
	const hide = hidden => page.evaluate(hidden => {
		Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
		document.dispatchEvent(new Event("visibilitychange"));
	}, hidden);
	await hide(true);
	await page.evaluate(() => {
		const { view } = main;
		const draw = view.draw.bind(view);
		view.drawn = 0;
		view.draw = () => {
			view.drawn += 1;
			draw();
		};
	});
	for (let seq = 2; seq <= 200; seq += 1) feed.send(snapshot(seq));
	await until(page, () => main.view?.series.live.get("time").length === 200);
	// Wait for one frame, in which the page could draw.
	await page.evaluate(() => new Promise(requestAnimationFrame));
	assert.equal(await page.evaluate(() => main.view?.drawn), 0);
	await hide(false);
	await until(page, () => main.view?.drawn === 1);
});

test("recent values are a table that can be unfolded", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	for (let seq = 1; seq <= 50; seq += 1) feed.send(snapshot(seq));
	await untilState(page, "live");
	await page.locator("#recent summary").click();
	await until(page, () => document.querySelectorAll("#recent tbody tr").length === 20);
	const heads = await page.locator("#recent th[scope=col]").allTextContents();
	const newest = await page.locator("#recent tbody tr").first().locator("th, td").allTextContents();
	assert.equal(newest.length, heads.length);
	assert.equal(newest[heads.indexOf("Messages echoed: echoed")], "100/s");
	await accessible(page);
	await shot(page, "server-table");
});

test("only what happened is listed, in words", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	const { errors, closes } = snapshot(1);
	feed.send(snapshot(1));
	await untilState(page, "live");
	const listed = () => page.locator(".tables tbody tr").allTextContents();
	await until(page, () => document.querySelectorAll(".tables tbody tr").length === 2);
	assert.deepEqual(await listed(), ["none0", "none0"]);
	feed.send(snapshot(2, { errors: { ...errors, too_big: 3 }, closes: { ...closes, 1001: 2, 1009: 3, 0: 1 } }));
	await until(page, () => document.querySelectorAll(".tables tbody tr").length === 4);
	assert.deepEqual(await listed(), ["message too big3", "another code1", "1001 going away2", "1009 too big3"]);
});

test("figures have two digits, and times three", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	const { process, handling } = snapshot(1);
	const total = { ...handling.total, p99_ns: 1_234_567 };
	for (const seq of [4, 8]) feed.send(snapshot(seq, { handling: { ...handling, total }, process: { ...process, cpu_ns: 743_000 * (seq / 4), resident_bytes: 9_000_000 } }));
	await until(page, () => document.querySelector(".tiles")?.textContent.includes("0.074 %"));
	assert.equal(await tile(page, "Handling p99").textContent(), "1.23 ms");
	assert.equal(await tile(page, "Memory").textContent(), "8.6 MiB");
	// Axes begin at 0, so that what is flat looks flat.
	assert.deepEqual(await page.evaluate(() => main.view.charts.filter(({ plot, spec }) => !spec.log && plot.scales.y.min !== 0).map(({ root }) => root.id)), []);
});

test("processor time that is not measured is no 0", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	const process = { ...snapshot(1).process, cpu_ns: null };
	for (const seq of [4, 8]) feed.send(snapshot(seq, { process }));
	await until(page, () => main.view?.message?.seq === 8);
	assert.deepEqual(await page.evaluate(() => main.view.series.column("cpu")), [null, null]);
	await until(page, () => /Processor–not measured/.test(document.querySelector(".tiles").textContent) && document.getElementById("cpu").hidden);
});

test("rates do not beat with the tick", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	const { messages } = snapshot(1);
	let sent = 0;
	for (let seq = 1; seq <= 40; seq += 1) {
		sent += seq % 2 === 0 ? 122 : 128;
		feed.send(snapshot(seq, { messages: { ...messages, received: sent, sent } }));
	}
	await until(page, () => main.view?.series.live.get("time").length === 40);
	const rates = await page.evaluate(() => main.view.series.column("messages").slice(5));
	assert.deepEqual([...new Set(rates.map(Math.round))], [500]);
});
