// For every test: a program that serves the page, a browser, and a record of the errors in it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const { CHROMIUM, BIN_DIR, SCREENSHOTS } = process.env;
assert(CHROMIUM && BIN_DIR && SCREENSHOTS, "run scripts/check-page.sh");
mkdirSync(SCREENSHOTS, { recursive: true });

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP *.evil.example 127.0.0.1"];
export const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
const running = new Set();
after(async () => {
	await browser.close();
	for (const child of running) child.kill("SIGKILL");
});

/** Starts a program that prints its address; `say` writes a line to it. */
export async function start(program, ...flags) {
	const child = spawn(join(BIN_DIR, program), flags, { stdio: ["pipe", "pipe", "ignore"] });
	running.add(child);
	const [line] = await once(createInterface(child.stdout), "line");
	const url = line.replace("listening on ", "");
	const exit = once(child, "exit").finally(() => running.delete(child));
	const stop = async () => {
		child.kill("SIGTERM");
		await exit;
	};
	return { url, address: url.replace("http://", ""), exit, stop, say: word => child.stdin.write(`${word}\n`) };
}

/** The output of a program that must exit with 0. */
export async function output(program, ...flags) {
	const child = spawn(join(BIN_DIR, program), flags, { stdio: ["ignore", "pipe", "inherit"] });
	running.add(child);
	child.once("exit", () => running.delete(child));
	const [text, [code]] = await Promise.all([child.stdout.toArray().then(chunks => chunks.join("")), once(child, "exit")]);
	assert.equal(code, 0, text);
	return text;
}

/** The numbers of `/metrics` by name and labels. */
export async function metrics(url) {
	const text = await (await fetch(`${url}/metrics`)).text();
	return new Map(text.split("\n").filter(line => line && !line.startsWith("#")).map(line => line.split(" ")).map(([name, value]) => [name, Number(value)]));
}

export const wsServer = (...flags) => start("ws-server", "--bind", "127.0.0.1:0", ...flags);
export const live = (speed = 1, ...tokenFile) => start(join("examples", "live"), "127.0.0.1:0", String(speed), ...tokenFile);

/**
 * Opens a page that records every error in its `errors`. The end of the test closes it, and fails if an error does not
 * match `expected`.
 */
export async function open(t, url, { expected, before, ...options } = {}) {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "no-preference", permissions: ["clipboard-read", "clipboard-write"], ...options });
	const page = await context.newPage();
	const errors = [];
	page.errors = errors;
	page.on("pageerror", error => errors.push(String(error)));
	page.on("console", message => ["error", "warning"].includes(message.type()) && errors.push(message.text()));
	await page.exposeFunction("violated", rule => errors.push(`policy: ${rule}`));
	await page.addInitScript(() => addEventListener("securitypolicyviolation", event => violated(`${event.violatedDirective} ${event.blockedURI}`)));
	// The exports of the page's main script, for checks that look inside.
	await page.addInitScript(() => {
		globalThis.main = {};
		addEventListener("load", async () => {
			if (location.pathname !== "/") return;
			// The page loads its scripts after its first paint, and uPlot first.
			while (!globalThis.uPlot) await new Promise(later => setTimeout(later, 5));
			globalThis.main = await import("/page/main.js");
		});
	});
	await before?.(page);
	t.after(async () => {
		await context.close();
		assert.deepEqual(errors.filter(error => !expected?.test(error)), []);
	});
	await page.goto(url);
	if (new URL(url).pathname === "/") await until(page, () => "view" in main);
	return page;
}

/** Waits until `check`, run in the page, is true. */
export const until = (page, check, argument) => page.waitForFunction(check, argument, { polling: 50, timeout: 20_000 });

export const untilState = (page, words) => until(page, words => document.getElementById("state").textContent.includes(words), words);

export const shot = (page, name) => page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });

/** The big number of the tile with this name. */
export const tile = (page, name) => page.locator(".tiles > div").filter({ has: page.locator("dt", { hasText: new RegExp(`^${name}$`) }) }).locator("dd").first();

/** Opens sockets in a second page, which send `size` bytes and repeat with each echo. Returns a function that stops them. */
export async function load(t, url, sockets = 20, size = 200) {
	// The page of plain text has no icon (404), and a socket may be closed before it is open.
	const page = await open(t, `${url}/healthz`, { expected: /404|closed before/ });
	await page.evaluate(([url, sockets, size]) => {
		globalThis.sockets = Array.from({ length: sockets }, () => {
			const socket = new WebSocket(`${url.replace("http", "ws")}/ws/echo`);
			socket.onopen = () => socket.send("x".repeat(size));
			socket.onmessage = ({ data }) => setTimeout(() => socket.readyState === 1 && socket.send(data), 2);
			return socket;
		});
	}, [url, sockets, size]);
	return () => page.evaluate(() => Promise.all(globalThis.sockets.map(socket => new Promise(closed => {
		socket.onclose = closed;
		socket.close(1000);
	}))));
}

/** Asserts that axe-core finds nothing serious or critical; returns all its findings. */
export async function accessible(page) {
	const source = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
	await page.evaluate(await readFile(source, "utf8"));
	const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
	const found = violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(node => node.html).join(" ")}`);
	assert.deepEqual(found.filter(text => /^(serious|critical)/.test(text)), []);
	return found;
}

/** A page whose feed the test plays, once it connects: `feed.send` sends a message to it. */
export async function openPlayed(t, url) {
	let socket;
	const before = async page => {
		await page.routeWebSocket("**/ws/dashboard", opened => (socket = opened));
		await page.route("**/history", route => route.fulfill({ json: { run_id: "", time: [] } }));
	};
	const page = await open(t, url, { before });
	await until(page, () => document.getElementById("state").textContent === "connecting");
	return { page, feed: { send: message => socket.send(JSON.stringify(message)) } };
}

/** A snapshot of a server after `seq` quarters of a second. */
export function snapshot(seq, changes = {}) {
	const times = { count: 25, mean_ns: 11_000, min_ns: 5_000, p50_ns: 10_000, p95_ns: 20_000, p99_ns: 40_000, p999_ns: 80_000, max_ns: 90_000 };
	return {
		skipped: 0, seq, version: "0.0.0", uptime_ns: seq * 250_000_000,
		connections: { open: 3, total: 5, refused: 0, limit: 100, echo: 1, dashboard: 1 },
		messages: { received: 25 * seq, sent: 25 * seq, received_bytes: 1600 * seq, sent_bytes: 1600 * seq },
		throughput: { messages_per_s: 100, received_mbps: 0.05, sent_mbps: 0.05 },
		handling: { total: times, last: times },
		dashboard: { sent: seq, skipped: 0, backpressure_events: 0 },
		errors: { accept: 0, http: 0, reset: 0, internal: 0 },
		closes: { 1000: 0, 1001: 0, 1002: 0, 1005: 0, 0: 0 },
		allocations: { total_blocks: 500 + seq, total_bytes: 90_000, remaining_blocks: 400, remaining_bytes: 70_000, blocks_per_s: 4 },
		process: { resident_bytes: 9_000_000, cpu_ns: 1_000_000 * seq, open_fds: 14 },
		...changes,
	};
}
