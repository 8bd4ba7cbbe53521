import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, test } from "node:test";
import { metrics, open, output, shot, tile, until, untilState, wsServer } from "./harness.js";

const server = await wsServer();
after(server.stop);

/** A WebSocket that sends an unmasked frame, which a client must not do. */
const offend = ({ host, hostname, port }) => new Promise((resolve, reject) => {
	const socket = connect(port, hostname).on("error", reject).on("close", resolve);
	socket.write(`GET /ws/echo HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
	socket.once("data", () => socket.resume().end(Buffer.from([0x81, 0x01, 0x78])));
});

test("a load moves every chart, and the page, the metrics and the load's own report say the same", async t => {
	const page = await open(t, server.url);
	await untilState(page, "live");
	await until(page, () => main.view?.series.live.get("time").length > 4);
	const report = JSON.parse(await output("ws-load", "run", "smoke", `${server.url.replace("http", "ws")}/ws/echo`, "--quiet", "--format", "json", "--threshold", "latency_p99 < 10s"));
	await offend(new URL(server.url));

	// The server saw the run, and the connections before it.
	const seen = name => report.before[name] + report.overall.counts[name];
	const told = await metrics(server.url);
	const metric = (name, label) => told.get(label ? `${name}_total{${label}}` : `${name}_total`);
	for (const [direction, messages, bytes] of [["in", "sent", "sent_bytes"], ["out", "received", "received_bytes"]]) {
		assert.equal(metric("ws_messages", `direction="${direction}"`), seen(messages));
		assert.equal(metric("ws_payload_bytes", `direction="${direction}"`), seen(bytes));
	}
	const closes = [...told].filter(([name]) => name.startsWith("ws_closes_total"));
	assert.equal(closes.reduce((sum, [, count]) => sum + count, 0), seen("opened") + 1, JSON.stringify(closes));
	assert.equal(metric("ws_closes", 'code="1000"'), report.overall.counts.endings.clean + report.before.endings.clean);
	// One more is the page's own WebSocket, and one the unmasked frame's.
	assert.equal(metric("ws_upgrades"), seen("opened") + 2);

	// The next snapshot contains the whole run.
	const { received } = await page.evaluate(() => main.view.message.messages);
	assert(received <= seen("sent"));
	await until(page, ({ errors, seq }) => main.view.message.errors.protocol === errors && main.view.message.seq > seq, { errors: 1, seq: await page.evaluate(() => main.view.message.seq) });
	const { closes: closed, connections, errors, messages } = await page.evaluate(() => main.view.message);
	assert.deepEqual(messages, { received: seen("sent"), sent: seen("received"), received_bytes: seen("sent_bytes"), sent_bytes: seen("received_bytes") });
	for (const [code, count] of Object.entries(closed)) assert.equal(count, metric("ws_closes", `code="${code}"`), code);
	for (const [kind, count] of Object.entries(errors)) assert.equal(count, metric("ws_errors", `kind="${kind}"`), kind);
	assert.equal(connections.echo, told.get('ws_sessions_open{route="echo"}'));
	assert.equal(connections.limit, told.get("ws_connections_limit"));

	// The texts of the page agree as well, once they are written: the error comes after the messages.
	await until(page, () => [...document.querySelectorAll(".tiles > div")].some(tile => /^Errors1(?!\d)/.test(tile.textContent)));
	const figure = text => Number(text.replaceAll(",", ""));
	assert.equal(figure(await tile(page, "Messages echoed").textContent()), seen("received"));
	assert.equal(figure(await tile(page, "Errors").textContent()), 1);
	const rows = await page.locator(".tables tbody tr").allTextContents();
	for (const row of [`1000 normal${metric("ws_closes", 'code="1000"')}`, "1002 protocol error1", "frame against the rules1"]) assert(rows.includes(row), `${row} in ${rows}`);

	const still = await page.evaluate(() => main.view.charts.filter(({ names, root }) => {
		const moves = name => new Set(main.view.series.column(name).filter(value => value !== null)).size > 1;
		return !root.hidden && !names.some(moves);
	}).map(({ root }) => root.id));
	assert.deepEqual(still, []);
	await shot(page, "server-smoke");
});
