import { Chart } from "./chart.js";
import { each, element, rows, table, write } from "./dom.js";
import { Pace } from "./feed.js";
import { clock, count, duration, quantity } from "./format.js";
import { Series } from "./series.js";

const RECENT = 20;

/** Milliseconds for which missed snapshots are mentioned. */
const MISSED_FOR = 10_000;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * The page for one kind of message. The kind describes its messages: `source` returns the time of a message in seconds by
 * the sender's clock, `sample` its value for each series. With `absolute` the axis is the time of day.
 * A rate is that of the last `span` seconds, or of the time since the last message.
 */
export class View {
	/** The newest message, and the one shown while paused. */
	#last = null;
	#held = null;
	/** The messages of the last `span` seconds, and the one before them. */
	#past = [];
	/** Difference between the axis and the sender's clock, in seconds. */
	#origin = NaN;
	#missed = 0;
	#missedAt = -Infinity;
	#drawn = -Infinity;
	#queued = false;
	pace = new Pace();
	behind = 0;
	/** Why the message may not be the newest; empty if it is. */
	lost = "";
	marks = [];

	constructor(kind, root, timeline, locked) {
		this.kind = kind;
		this.timeline = timeline;
		this.lines = kind.charts.flatMap(({ title, unit, series }) => Object.entries(series).map(([name, label]) => ({ name, unit, head: `${title}: ${label}` })));
		this.series = new Series(this.lines.map(line => line.name));
		this.tiles = element("dl", { class: "tiles" });
		this.head = kind.head(this.tiles, locked);
		this.charts = kind.charts.map(spec => new Chart(spec, this));
		this.tables = kind.tables.map(({ title }) => table(title, ["", "count"]));
		this.recent = table("the newest first", ["time", ...this.lines.map(line => line.head)]);
		root.replaceChildren(this.head.root,
			element("div", { class: "charts" }, ...this.charts.map(chart => chart.root)),
			element("div", { class: "tables" }, ...this.tables),
			element("details", { id: "recent" },
				element("summary", {}, "Recent values of every chart"),
				element("div", { role: "region", "aria-label": "Recent values", tabindex: 0 }, this.recent)));
	}

	get message() {
		return this.#held ?? this.#last;
	}

	get missed() {
		return performance.now() - this.#missedAt < MISSED_FOR ? this.#missed : 0;
	}

	clock = time => (this.kind.absolute ? clock(time) : duration(time));

	/**
	 * Takes a message that arrived at `heard` by performance.now(), the `first` of its connection or not. Returns whether
	 * points may be before it.
	 */
	take(message, heard, first) {
		const { kind, series } = this;
		const source = kind.source(message);
		let before = this.#last;
		this.#last = message;
		// The server was restarted, or another run began.
		const reborn = before && (kind.run(message) !== kind.run(before) || source < kind.source(before));
		if (reborn) before = null;
		if (reborn && !kind.absolute) series.clear();
		if (first || reborn) this.pace = new Pace();
		const origin = kind.absolute ? (performance.timeOrigin + heard) / 1000 - source : 0;
		// After a short interruption the axis continues.
		if (!before || (first && Math.abs(origin - this.#origin) > 2)) this.#origin = origin;
		this.behind = this.pace.take(message.seq, source, heard / 1000);
		if (message.skipped > 0) [this.#missed, this.#missedAt] = [message.skipped, heard];

		const { interval } = this.pace;
		const time = source + this.#origin;
		const gap = time - series.end;
		if (reborn || gap > Math.max(2, 4 * interval)) series.push(series.end + Math.min(interval, gap / 2), {});
		if (!before) this.#past = [];
		while (this.#past.length > 1 && kind.source(this.#past[1]) <= source - (kind.span ?? 0)) this.#past.shift();
		const [base] = this.#past;
		const seconds = base ? source - kind.source(base) : 0;
		this.#past.push(message);
		// The final message of a run summarises the run: it is not a point.
		if (!kind.over?.(message)) series.push(time, kind.sample(message, (pick, scale = 1) => (seconds > 0 ? ((pick(message) - pick(base)) / seconds) * scale : null)));
		if (!calm.matches || heard - this.#drawn > 1000) this.schedule();
		return first || reborn;
	}

	/** Loads the points before the page was opened. */
	async precede(headers) {
		const { run_id, time, ...columns } = await (await fetch("/history", { headers })).json();
		if (run_id !== this.kind.run(this.#last) || time.length === 0) return;
		this.series.precede({ time: time.map(seconds => seconds + this.#origin), ...columns });
		this.schedule();
		this.write();
	}

	pause(on) {
		this.series.freeze(on);
		this.#held = on ? this.#last : null;
		this.schedule();
		this.write();
	}

	/** Draws with the next frame, unless the page is hidden. */
	schedule() {
		if (this.#queued || document.hidden) return;
		this.#queued = true;
		requestAnimationFrame(() => {
			this.#queued = false;
			this.draw();
		});
	}

	draw() {
		const { kind, message, series, timeline } = this;
		if (!message) return;
		this.#drawn = performance.now();
		const times = series.column("time");
		timeline.now = times.at(-1) ?? 0;
		timeline.extent = kind.extent?.(message) ?? [times[0] ?? 0, timeline.now];
		this.marks = kind.marks?.(message) ?? [];
		for (const chart of this.charts) chart.draw();
	}

	write() {
		const { kind, message, series } = this;
		if (!message) return;
		for (const chart of this.charts) chart.write();
		this.head.show(message, this.lost);
		const tile = () => element("div", {}, element("dt"), element("dd"), element("dd", { class: "note" }));
		const newest = name => series.column(name).at(-1);
		each(this.tiles, kind.tiles(message, newest), tile, (cell, texts) => texts.forEach((text, at) => write(cell.children[at], text)));
		kind.tables.forEach(({ counts }, at) => {
			const some = counts(message).filter(([, n]) => n > 0);
			rows(this.tables[at], some.length > 0 ? some.map(([name, n]) => [name, count(n)]) : [["none", "0"]]);
		});
		const times = series.column("time");
		const from = Math.max(0, times.length - RECENT);
		const points = times.slice(from).map((time, at) => [this.clock(time), ...this.lines.map(({ name, unit }) => quantity(series.column(name)[from + at], unit))]);
		rows(this.recent, points.reverse());
	}
}
