import { copy, element, write } from "./dom.js";
import { count } from "./format.js";

/** Seconds that the headline looks back. */
const SPAN = 60;

export const sum = counts => Object.values(counts).reduce((all, one) => all + one, 0);

/** Errors of the server itself, and those that its clients made. */
export const faults = ({ errors }) => errors.accept + errors.internal;
export const mistakes = one => sum(one.errors) - faults(one);

/** The server in a word, the reason, and what to type while it has echoed nothing. */
export function head(tiles, locked) {
	const [word, why, code, button] = ["strong", "p", "code", "button"].map(tag => element(tag));
	const lead = element("div", { id: "try" }, "No messages yet. To send some, type in a terminal:", code, button);
	const banner = element("section", { "aria-label": "Health" }, word, why, lead);
	write(code, `ws-load run smoke ${location.origin.replace("http", "ws")}/ws/echo${locked ? " --token-file FILE" : ""}`);
	write(button, "Copy command");
	button.onclick = () => copy(button, code.textContent);
	/** About one message a second, the first of them the newest that is old enough. */
	let past = [];
	const at = ({ uptime_ns }) => uptime_ns / 1e9;
	const show = (message, lost) => {
		const now = at(message);
		if (now < at(past.at(-1) ?? message)) past = [];
		if (message !== past.at(-1)) past.push(message);
		while (past.length > 1 && at(past[1]) <= now - SPAN) past.shift();
		// All that a young server counted is recent.
		const since = now > SPAN ? past[0] : null;
		const recent = pick => pick(message) - (since ? pick(since) : 0);
		const [tone, title, reason] = lost ? ["unsure", "Unknown", lost] : health(message, recent, now - (since ? at(since) : 0));
		banner.className = `banner ${tone}`;
		write(word, title);
		write(why, reason);
		lead.hidden = message.messages.received > 0;
	};
	return { root: element("div", {}, banner, tiles), show };
}

/** The state of what was counted in the last `watched` seconds, by `recent`: before the first is over, nothing is well. */
function health({ connections }, recent, watched) {
	const when = `in the last ${Math.max(1, Math.round(watched))} s`;
	const failed = recent(faults);
	const refused = recent(one => one.connections.refused);
	const slow = recent(one => one.dashboard.backpressure_events);
	const wrong = recent(mistakes);
	if (failed > 0) return ["bad", "Failing", `server errors ${when}: ${count(failed)}; see the server's log`];
	if (refused > 0) return ["unsure", "Full", `requests refused ${when}: ${count(refused)}; ${count(connections.limit)} connections are allowed`];
	if (slow > 0) return ["unsure", "Slow clients", `back-pressure ${when}: ${count(slow)} times; clients did not read what was sent to them`];
	if (watched < 1) return ["unsure", "Watching", "watching for its first second; nothing is known yet"];
	if (wrong > 0) return ["good", "Healthy", `no server errors ${when}; client errors: ${count(wrong)}`];
	return ["good", "Healthy", `no errors ${when}`];
}
