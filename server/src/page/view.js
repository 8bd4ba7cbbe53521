import { Chart } from "./chart.js";
import { each, element, rows, table, write } from "./dom.js";
import { Pace } from "./feed.js";
import { clock, count, duration, quantity } from "./format.js";
import { Series } from "./series.js";

/** Rows of the table of recent values. */
const RECENT = 20;

/** How long it is said that snapshots were missed, in milliseconds. */
const MISSED_FOR = 10_000;

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * The page for one kind of feed. A kind knows its messages: `source` is their time in seconds by the sender's clock,
 * `sample` makes a point of each series of one; if `absolute`, the axis is the time of day.
 */
export class View {
	/** The newest message, and the one that is shown while the picture is held. */
	#last = null;
	#held = null;
	/** Seconds from the sender's clock to the axis. */
	#origin = NaN;
	#missed = 0;
	#missedAt = -Infinity;
	#drawn = -Infinity;
	#queued = false;
	pace = new Pace();
	behind = 0;
	marks = [];

	constructor(kind, root, timeline) {
		this.kind = kind;
		this.timeline = timeline;
		this.lines = kind.charts.flatMap(({ title, unit, series }) => Object.entries(series).map(([name, label]) => ({ name, unit, head: `${title}: ${label}` })));
		this.series = new Series(this.lines.map(line => line.name));
		this.head = kind.head?.();
		this.tiles = element("dl", { class: "tiles" });
		this.charts = kind.charts.map(spec => new Chart(spec, this));
		this.tables = kind.tables.map(({ title }) => table(title, ["", "count"]));
		this.recent = table("the newest first", ["time", ...this.lines.map(line => line.head)]);
		root.replaceChildren(...(this.head ? [this.head.root] : []), this.tiles,
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

	/** Takes a message that came at `heard` by performance.now(), the `first` of a connection or not. */
	take(message, heard, first) {
		const { kind, series } = this;
		const source = kind.source(message);
		let before = this.#last;
		this.#last = message;
		// Another life of the server, or another run.
		const reborn = before && (kind.run(message) !== kind.run(before) || source < kind.source(before));
		if (reborn) before = null;
		if (reborn && !kind.absolute) series.clear();
		if (first || reborn) this.pace = new Pace();
		const origin = kind.absolute ? (performance.timeOrigin + heard) / 1000 - source : 0;
		// After a short break the axis goes on as it was.
		if (!before || (first && Math.abs(origin - this.#origin) > 2)) this.#origin = origin;
		this.behind = this.pace.take(message.seq, source, heard / 1000);
		if (message.skipped > 0) [this.#missed, this.#missedAt] = [message.skipped, heard];

		const { interval } = this.pace;
		const time = source + this.#origin;
		const gap = time - series.end;
		if (reborn || gap > Math.max(2, 4 * interval)) series.push(series.end + Math.min(interval, gap / 2), {});
		const seconds = before ? source - kind.source(before) : 0;
		// What is over tells of the whole, which is no point.
		if (!kind.over?.(message)) series.push(time, kind.sample(message, (pick, scale = 1) => (seconds > 0 ? ((pick(message) - pick(before)) / seconds) * scale : null)));
		if (!calm.matches || heard - this.#drawn > 1000) this.schedule();
	}

	/** Asks for what was before. */
	async precede() {
		const { run_id, ...columns } = await (await fetch("/history")).json();
		if (run_id === this.kind.run(this.#last)) this.series.precede(columns);
	}

	/** Holds the picture, or lets it go on. */
	pause(on) {
		this.series.freeze(on);
		this.#held = on ? this.#last : null;
		this.schedule();
		this.write();
	}

	/** Draws at the next chance; not at all while nobody looks. */
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
		this.head?.show(message);
		const tile = () => element("div", {}, element("dt"), element("dd"), element("dd", { class: "note" }));
		const newest = name => series.column(name).at(-1);
		each(this.tiles, kind.tiles(message, newest), tile, (cell, texts) => texts.forEach((text, at) => write(cell.children[at], text)));
		kind.tables.forEach(({ counts }, at) => rows(this.tables[at], Object.entries(counts(message)).map(([name, n]) => [name, count(n)])));
		const times = series.column("time");
		const from = Math.max(0, times.length - RECENT);
		const points = times.slice(from).map((time, at) => [this.clock(time), ...this.lines.map(({ name, unit }) => quantity(series.column(name)[from + at], unit))]);
		rows(this.recent, points.reverse());
	}
}
