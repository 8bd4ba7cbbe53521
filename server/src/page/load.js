import { drawing, each, element, table, write } from "./dom.js";
import { count, duration, exact, percent, quantity, signed, time } from "./format.js";

const TONES = { running: "plain", pass: "good", fail: "bad" };

const seconds = ns => ns / 1e9;

const limits = unit => ({ thresholds, marks, elapsed_ns }) =>
	thresholds.filter(one => one.unit === unit && (unit !== "ns" || /^(latency|rtt)/.test(one.metric))).map(({ metric, stage, op, limit }) => {
		const from = marks.find(mark => mark.name === stage);
		const to = from && marks.find(mark => mark.at_ns > from.at_ns && mark.name !== stage);
		return {
			value: limit,
			label: `${metric.replace("latency_", "")} ${op} ${quantity(limit, unit, exact)}`,
			// A stage that has not begun has no line yet.
			from: stage === null ? null : seconds(from?.at_ns ?? Infinity),
			// The line of a stage ends with it, or now.
			to: stage === null ? null : seconds(to?.at_ns ?? elapsed_ns),
		};
	});

export const load = {
	source: ({ elapsed_ns }) => seconds(elapsed_ns),
	run: ({ run_id }) => run_id,
	over: ({ state }) => state !== "running",
	title: ({ state, profile }) => `${state.toUpperCase()} · ${profile} · Plimsoll`,
	subject: ({ profile }) => `load ${profile}`,
	verdict: ({ state, profile, reasons }) => `${profile}: ${[state.toUpperCase(), ...reasons].join(". ")}`,
	extent: ({ elapsed_ns, planned_ns }) => [0, seconds(Math.max(elapsed_ns, planned_ns))],
	marks: ({ marks }) => marks.map(({ at_ns, name, phase }, at) => ({ at: seconds(at_ns), label: marks[at - 1]?.name !== name ? name : phase === "hold" ? phase : "" })),

	charts: [
		{ title: "Latency", about: "and its limits", unit: "ns", width: "wide", limits: limits("ns"), series: { p50: "p50", p95: "p95", p99: "p99", max: "max" } },
		{ id: "rate", title: "Messages", unit: "per_s", limits: limits("per_s"), series: { offered: "offered", achieved: "achieved" } },
		{ title: "Connections", about: "open", unit: "count", series: { target: "target", open: "open" } },
		{ title: "Throughput", unit: "mbps", limits: limits("mbps"), series: { sent: "sent", received: "received" } },
		{ title: "Errors", unit: "per_s", series: { errors: "errors", backpressure: "back-pressure" } },
		{ id: "lag", title: "Generator lag", about: "later than due", unit: "ns", series: { lag: "p99" } },
		{ id: "cpu", title: "Generator processor", unit: "share", series: { cpu: "used" } },
	],

	sample(run, per) {
		const { p50_ns: p50, p95_ns: p95, p99_ns: p99, max_ns: max } = run.latency ?? {};
		return {
			p50, p95, p99, max,
			offered: run.offered_per_s,
			achieved: run.achieved_per_s,
			target: run.target,
			open: run.open,
			sent: run.sent_mbps,
			received: run.received_mbps,
			errors: per(({ errors }) => errors.total),
			backpressure: per(one => one.backpressure_events),
			// A logarithmic axis has no place for 0.
			lag: run.lag_p99_ns || null,
			cpu: run.generator_cpu,
		};
	},

	tiles: run => {
		const over = load.over(run);
		const offered = run.offered_per_s === null ? "paced by answers" : `of ${quantity(run.offered_per_s, "per_s")} offered`;
		return [
			["Latency p99", time(run.latency?.p99_ns), over ? `${run.judged}, all holds` : run.judged],
			over
				? ["Messages", count(run.sent), `${quantity(run.achieved_per_s, "per_s")} ${offered}`]
				: ["Messages", quantity(run.achieved_per_s, "per_s"), offered],
			over ? ["Connections", count(run.opened), "opened"] : ["Connections", count(run.open), `open, of ${count(run.target)}`],
			["Errors", count(run.errors.total), "since the start"],
			["Back-pressure", count(run.backpressure_events), "since the start"],
			["Generator lag", time(run.lag_p99_ns), `p99, ${percent(run.generator_cpu)} of a processor`],
		];
	},

	tables: [{ title: "Errors by kind", counts: ({ errors }) => Object.entries(errors.by_kind).map(([kind, n]) => [kind.replaceAll("_", " "), n]) }],

	head(tiles) {
		const [word, about, reasons, when] = ["strong", "p", "ul", "p"].map(tag => element(tag));
		const progress = element("progress", { "aria-label": "Time of the run" });
		const banner = element("section", { "aria-label": "Verdict" }, word, about, reasons, progress, when);
		const limits = table("Thresholds", ["limit on", "limit", "value", "margin", "", ""]);
		const show = ({ state, profile, url, run_id, stage, elapsed_ns, planned_ns, thresholds, ...message }) => {
			banner.className = `banner ${TONES[state] ?? "unsure"}`;
			write(word, state.toUpperCase());
			write(about, `${profile} on ${url}, run ${run_id}`);
			each(reasons, message.reasons, () => element("li"), write);
			progress.max = planned_ns || 1;
			progress.value = elapsed_ns;
			write(when, `${duration(seconds(Math.min(elapsed_ns, planned_ns)))} of ${duration(seconds(planned_ns))}${stage ? `, ${stage.name}: ${stage.phase.replace("_", "-")}` : ""}`);
			limits.hidden = thresholds.length === 0;
			each(limits.tBodies[0], thresholds, row, (row, one) => fill(row, one, state !== "running"));
		};
		return { root: element("div", { class: "head" }, banner, tiles, limits), show };
	},
};

const LOAD_LINE = 70;

function row() {
	const gauge = drawing("svg", { class: "gauge", "aria-hidden": true },
		drawing("rect", { y: 4, height: 8 }),
		drawing("line", { x1: `${LOAD_LINE}%`, x2: `${LOAD_LINE}%`, y2: 16 }));
	const cells = [1, 2, 3].map(() => element("td"));
	return element("tr", {}, element("th", { scope: "row" }), ...cells, element("td", {}, gauge), element("td", { class: "verdict" }));
}

function fill(row, { metric, stage, op, limit, unit, value, margin, met }, over) {
	row.className = met === null ? "unsure" : met ? "good" : "bad";
	const texts = [stage === null ? metric : `${metric}, ${stage}`, `${op} ${quantity(limit, unit, exact)}`, quantity(value, unit), signed(margin)];
	texts.forEach((text, at) => write(row.children[at], text));
	write(row.lastChild, met === null ? "no samples" : met ? (over ? "met" : "holds") : "violated");
	// With a limit of 0 any value fills the gauge.
	row.querySelector("rect").setAttribute("width", `${value ? Math.min(100, (value / limit) * LOAD_LINE) : 0}%`);
}
