import assert from "node:assert/strict";
import { after, test } from "node:test";
import { accessible, open, openPlayed, output, shot, snapshot, until, untilState, wsServer } from "./harness.js";

const server = await wsServer();
after(server.stop);

const headline = page => page.locator(".banner").innerText().then(text => text.split(/\n+/).slice(0, 2));

const says = (page, word, reason) => until(page, ([word, reason]) => {
	const [title, why] = document.querySelector(".banner").children;
	return title.textContent === word && why.textContent === reason;
}, [word, reason]);

test("an idle server says what to type, and the copied command loads it", async t => {
	const idle = await wsServer();
	const page = await open(t, idle.url);
	await untilState(page, "live");
	await until(page, () => document.querySelector(".banner strong").textContent === "Healthy");
	assert.equal(await page.locator("#try code").textContent(), `ws-load run smoke ws://${idle.address}/ws/echo`);
	await accessible(page);
	await shot(page, "server-empty");
	await page.locator("#try button").click();
	await until(page, () => document.querySelector("#try button").textContent === "Copied");
	const [program, ...words] = (await page.evaluate(() => navigator.clipboard.readText())).split(" ");
	await output(program, ...words, "--quiet", "--threshold", "latency_p99 < 10s");
	await until(page, () => document.getElementById("try").hidden);
	await page.context().close();
	await idle.stop();
});

test("the headline says whether the server is well, and why", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	const { connections, dashboard, errors } = snapshot(1);
	let seq = 0;
	const play = changes => feed.send(snapshot((seq += 4), changes));
	play();
	await says(page, "Healthy", "no errors in the last 1 s");
	play({ errors: { ...errors, http: 2 } });
	await says(page, "Healthy", "no server errors in the last 2 s; client errors: 2");
	play({ dashboard: { ...dashboard, backpressure_events: 3 } });
	await says(page, "Slow clients", "back-pressure in the last 3 s: 3 times; clients did not read what was sent to them");
	play({ connections: { ...connections, refused: 7 } });
	await says(page, "Full", "requests refused in the last 4 s: 7; 100 connections are allowed");
	play({ errors: { ...errors, internal: 1 } });
	await says(page, "Failing", "server errors in the last 5 s: 1; see the server's log");
	await shot(page, "server-failing");
	// An error is forgotten when the snapshot that counted it is a minute old.
	seq = 400;
	play({ errors: { ...errors, internal: 1 } });
	await says(page, "Healthy", "no errors in the last 96 s");
});

test("a page without news does not call the server healthy", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	feed.send(snapshot(4));
	await says(page, "Healthy", "no errors in the last 1 s");
	await until(page, () => document.querySelector(".banner strong").textContent === "Unknown");
	assert.match((await headline(page))[1], /^stale: nothing for/);
});

test("a page that has nothing to compare yet watches, and calls nothing healthy", async t => {
	const { errors } = snapshot(1);
	const old = { errors: { ...errors, internal: 9 } };
	// A server that has just begun, and one that is older than the headline looks back: of that, the page knows no change.
	for (const [young, ...later] of [[2, 4], [400, 402, 404]]) {
		const { page, feed } = await openPlayed(t, server.url);
		for (const seq of [young, ...later.slice(0, -1)]) {
			feed.send(snapshot(seq, young > 240 ? old : {}));
			await until(page, seq => main.view?.message?.seq === seq, seq);
			await says(page, "Watching", "watching for its first second; nothing is known yet");
		}
		assert.equal(await page.locator(".banner").getAttribute("class"), "banner unsure");
		await accessible(page);
		feed.send(snapshot(later.at(-1), young > 240 ? old : {}));
		await says(page, "Healthy", "no errors in the last 1 s");
	}
});

test("a paused page does not tell a health that is old", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	feed.send(snapshot(4));
	await says(page, "Healthy", "no errors in the last 1 s");
	await page.locator("#pause").click();
	await says(page, "Unknown", "the page is paused");
	const { errors } = snapshot(1);
	feed.send(snapshot(8, { errors: { ...errors, internal: 1 } }));
	await until(page, () => main.view?.series.live.get("time").length === 2);
	assert.deepEqual(await headline(page), ["Unknown", "the page is paused"]);
	await page.locator("#pause").click();
	await says(page, "Failing", "server errors in the last 2 s: 1; see the server's log");
});

test("what an echo receives and sends is told once", async t => {
	const { page, feed } = await openPlayed(t, server.url);
	const { messages } = snapshot(8);
	for (const seq of [4, 8]) feed.send(snapshot(seq, seq === 8 ? { messages: { ...messages, received: messages.sent + 3 } } : {}));
	await until(page, () => /3 not answered yet/.test(document.querySelector(".tiles").textContent));
	const names = await page.locator(".tiles dt").allTextContents();
	assert.deepEqual(names, ["Echo clients", "Messages echoed", "Handling p99", "Errors", "Memory", "Processor"]);
	for (const id of ["messages", "throughput"]) assert.equal(await page.locator(`#${id} figcaption button`).count(), 1);
	// Six tiles are one row, and the first chart begins above the fold.
	await page.setViewportSize({ width: 1280, height: 900 });
	const tops = await page.locator(".tiles > div").evaluateAll(tiles => tiles.map(tile => tile.getBoundingClientRect().top));
	assert.equal(new Set(tops).size, 1);
	assert(await page.locator("#messages").evaluate(chart => chart.getBoundingClientRect().bottom) < 900);
});
