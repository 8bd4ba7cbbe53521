import { copy, write } from "./dom.js";
import { Feed } from "./feed.js";
import { count } from "./format.js";
import { load } from "./load.js";
import { isDark, onColours, readPalette, switchTheme } from "./palette.js";
import { server } from "./server.js";
import { Timeline } from "./timeline.js";
import { View } from "./view.js";

const at = id => document.getElementById(id);
const press = (id, on) => (at(id).ariaPressed = on);
const isPressed = id => at(id).ariaPressed === "true";

export let view = null;

const timeline = new Timeline(60, () => {
	at("follow").hidden = timeline.fixed === null;
	view?.schedule();
});

const feed = new Feed(location.origin.replace(/^http/, "ws") + "/ws/dashboard", take, () => setTimeout(status));

function take(message, heard, first) {
	const kind = message.view === "load" ? load : server;
	const fresh = view?.kind !== kind;
	if (fresh) show(kind);
	const before = view.message;
	if (view.take(message, heard, first)) view.precede(feed.headers).catch(() => {});
	if (fresh) view.draw();
	// A verdict is written at once, not with the next tick.
	const verdict = before?.state !== message.state || before?.run_id !== message.run_id;
	if (verdict) write(at("announce"), kind.verdict(message));
	if (fresh || verdict) tick();
	else if (first) status();
}

function show(kind) {
	for (const { plot } of view?.charts ?? []) plot.destroy();
	const locked = "Authorization" in feed.headers;
	view = new View(kind, at("view"), timeline, locked);
	press("pause", false);
	at("metrics").hidden = kind !== server || locked;
	at("range").value = kind === load ? "Infinity" : "60";
	range();
}

function tick() {
	if (document.hidden) return;
	feed.check();
	status();
	if (view) {
		view.write();
		document.title = view.kind.title(view.message);
		write(at("subject"), view.kind.subject(view.message));
	}
}

function status() {
	const [state, text] = stateOf();
	const paused = isPressed("pause");
	if (view) view.lost = paused ? "the page is paused" : state === "live" || state === "late" ? "" : text;
	at("state").dataset.state = state;
	write(at("state"), paused ? `paused; ${text}` : text);
	at("retry").hidden = feed.state !== "waiting";
	at("unlock").hidden = feed.state !== "locked";
}

function stateOf() {
	const over = view?.kind.over?.(view.message);
	if (feed.state === "waiting") {
		const left = `${Math.max(1, Math.ceil((feed.due - performance.now()) / 1000))} s`;
		return ["waiting", over ? `the run is over; looking for another in ${left}` : `disconnected, trying again in ${left}`];
	}
	if (feed.state === "locked") return ["waiting", "the token is missing or wrong"];
	if (feed.state !== "live") return ["connecting", "connecting"];
	if (over) return ["over", "the run is over"];
	const { interval } = view.pace;
	if (feed.silence > Math.max(2000, 4000 * interval)) return ["stale", `stale: nothing for ${Math.floor(feed.silence / 1000)} s`];
	if (view.behind > 1) return ["late", `live, ${count(view.behind)} snapshots behind`];
	if (view.missed > 0) return ["late", `live, snapshots missed: ${count(view.missed)}`];
	return ["live", `live, every ${count(interval * 1000)} ms`];
}

function range() {
	timeline.follow(Number(at("range").value));
}

function recolour() {
	press("dark", isDark());
	readPalette();
	for (const chart of view?.charts ?? []) chart.plot.redraw(false);
}

at("range").onchange = range;
at("follow").onclick = () => timeline.follow();
at("retry").onclick = () => feed.open();
at("unlock").onsubmit = event => {
	event.preventDefault();
	feed.unlock(at("token").value);
};
at("copy").onclick = () => copy(at("copy"), JSON.stringify(view?.message));
at("pause").onclick = () => {
	press("pause", !isPressed("pause"));
	// What is held must not be called healthy.
	status();
	view?.pause(isPressed("pause"));
};
at("dark").onclick = () => {
	switchTheme();
	recolour();
};
onColours(recolour);
recolour();
document.addEventListener("visibilitychange", () => {
	view?.schedule();
	tick();
});
setInterval(tick, 1000);
