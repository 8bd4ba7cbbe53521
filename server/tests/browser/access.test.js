import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { accessible, live, open, shot, tile, until, untilState, wsServer } from "./harness.js";

const TOKEN = "0123456789abcdef0123456789abcdef";
const folder = mkdtempSync(join(tmpdir(), "plimsoll-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "token");
writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 });

// A browser reports each refused socket and each 401.
const REFUSED = /WebSocket connection|401|403/;

const MISSING = "the token is missing or wrong";

async function unlock(page, token) {
	await page.locator("#token").fill(token);
	await page.getByRole("button", { name: "Connect" }).click();
}

test("a page asks for the token, keeps it for its tab, and never puts it into a URL", async t => {
	const server = await wsServer("--token-file", file);
	t.after(server.stop);
	const page = await open(t, server.url, { expected: REFUSED });
	const urls = [];
	page.on("request", request => urls.push(request.url()));
	page.on("websocket", socket => urls.push(socket.url()));
	await untilState(page, MISSING);
	assert(await page.locator("#unlock").isVisible());
	await accessible(page);
	await shot(page, "server-token-light");

	await unlock(page, "short");
	assert(await page.evaluate(() => !document.getElementById("token").validity.valid));
	const refused = page.waitForResponse(answer => answer.url().endsWith("/ws/dashboard"));
	await unlock(page, TOKEN.replaceAll("0", "1"));
	assert.equal((await refused).status(), 401);
	await untilState(page, MISSING);
	await unlock(page, TOKEN);
	await untilState(page, "live");
	assert(await page.locator("#unlock").isHidden());
	assert.match(await tile(page, "Echo clients").textContent(), /\d/);
	// A link cannot present the token.
	assert(await page.locator("#metrics").isHidden());

	await page.reload();
	await untilState(page, "live");
	assert.deepEqual(urls.concat(page.url()).filter(url => url.includes(TOKEN)), []);
	const other = await open(t, server.url, { expected: REFUSED });
	await untilState(other, MISSING);
});

test("a page that was denied storage connects with its token", async t => {
	const server = await wsServer("--token-file", file);
	t.after(server.stop);
	const before = page => page.addInitScript(() => Object.defineProperty(globalThis, "sessionStorage", { get() { throw new DOMException("no", "SecurityError"); } }));
	const page = await open(t, server.url, { before, expected: REFUSED });
	await untilState(page, MISSING);
	await unlock(page, TOKEN);
	await untilState(page, "live");
});

test("the page of a load shows the history behind the token", async t => {
	const run = await live(20, file);
	t.after(() => run.say("quit"));
	const page = await open(t, run.url, { expected: REFUSED });
	await untilState(page, MISSING);
	const history = page.waitForResponse(answer => answer.url().endsWith("/history"));
	await unlock(page, TOKEN);
	assert.equal((await history).status(), 200);
	await until(page, () => main.view?.series.live.get("time").length > 3);
	assert.equal(await page.evaluate(async () => (await fetch("/history")).status), 401);
});

/** How a socket to `url` that this page opens ends: "open" or "refused". */
const connected = (page, url) => page.evaluate(url => new Promise(ended => {
	const socket = new WebSocket(url);
	socket.onopen = () => ended("open");
	socket.onclose = () => ended("refused");
}), url);

test("a page of another origin, or under a rebound name, reads nothing", async t => {
	const [server, other, run] = await Promise.all([wsServer(), wsServer(), live(20)]);
	t.after(() => Promise.all([server.stop(), other.stop(), run.say("quit")]));
	const port = server.url.split(":").at(-1);
	// Pages without a policy of their own, which would refuse the socket as well.
	const foreign = await open(t, `${other.url}/healthz`, { expected: /WebSocket|40[34]|CORS|ERR_FAILED/ });
	const own = await open(t, `${server.url}/healthz`, { expected: /404/ });
	const rebound = await open(t, `http://rebound.evil.example:${port}/healthz`, { expected: /WebSocket|40[34]/ });
	for (const { address } of [server, run]) {
		assert.equal(await connected(foreign, `ws://${address}/ws/dashboard`), "refused");
		assert.equal(await connected(foreign, `ws://${address.replace("127.0.0.1", "localhost")}/ws/dashboard`), "refused");
	}
	assert.equal(await connected(own, `ws://${server.address}/ws/dashboard`), "open");
	assert.equal(await connected(own, `ws://localhost:${port}/ws/dashboard`), "open");
	assert.equal(await connected(rebound, `ws://rebound.evil.example:${port}/ws/dashboard`), "refused");
	assert.equal(await connected(rebound, `ws://${server.address}/ws/dashboard`), "refused");
	for (const path of ["/", "/metrics"]) assert.equal(await rebound.evaluate(async path => (await fetch(path)).status, path), 403);
});
