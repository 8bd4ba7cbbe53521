/** Shortest windows, in seconds: when zoomed, and on a new page. */
const SHORTEST = 1;
const FIRST = 10;

/** The window of time that all charts show: the newest `span` seconds, or a fixed window after a zoom. */
export class Timeline {
	/** [from, to] in seconds after a zoom; null while the window follows. */
	fixed = null;
	/** The newest time, and [from, to] of all points. */
	now = 1;
	extent = [0, 1];

	constructor(span, changed) {
		this.span = span;
		this.changed = changed;
	}

	get window() {
		if (this.fixed) return this.fixed;
		const [first, last] = this.extent;
		if (this.span === Infinity) return [first, Math.max(last, first + SHORTEST)];
		return [Math.max(this.now - this.span, Math.min(first, this.now - FIRST)), this.now];
	}

	follow(span = this.span) {
		this.span = span;
		this.fixed = null;
		this.changed();
	}

	zoom(from, to) {
		const missing = Math.max(0, SHORTEST - (to - from)) / 2;
		this.fixed = [from - missing, to + missing];
		this.changed();
	}

	scale(factor, about) {
		const [from, to] = this.window;
		this.zoom(about - (about - from) * factor, about + (to - about) * factor);
	}

	pan(part) {
		const [from, to] = this.window;
		const [first, last] = this.extent;
		const by = Math.max(Math.min(0, first - from), Math.min((to - from) * part, Math.max(0, last - to)));
		this.zoom(from + by, to + by);
	}
}
