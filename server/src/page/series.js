/** Most points that are kept: ten minutes at four per second. */
const LIMIT = 2400;

/** The newest points of several series: arrays of equal length, with the axis as "time". */
export class Series {
	constructor(names) {
		this.live = new Map(["time", ...names].map(name => [name, []]));
		this.frozen = null;
	}

	clear() {
		for (const column of this.live.values()) column.length = 0;
	}

	/** The newest time; -Infinity without points. */
	get end() {
		return this.live.get("time").at(-1) ?? -Infinity;
	}

	/** Adds a point if it is newer than all others. A series that `values` does not name gets a gap. */
	push(time, values) {
		if (time <= this.end) return;
		for (const [name, column] of this.live) {
			column.push(name === "time" ? time : (values[name] ?? null));
			if (column.length > LIMIT) column.shift();
		}
	}

	/** Replaces the points between the first and the last of `columns`. */
	precede(columns) {
		const times = this.live.get("time");
		const before = times.filter(time => time < columns.time[0]).length;
		// The page's first point has no rates, since no message is before it.
		const until = Math.max(before === 0 ? 1 : 0, times.filter(time => time <= columns.time.at(-1)).length);
		for (const [name, column] of this.live) this.live.set(name, [...column.slice(0, before), ...columns[name], ...column.slice(until)].slice(-LIMIT));
	}

	freeze(frozen) {
		this.frozen = frozen ? structuredClone(this.live) : null;
	}

	column(name) {
		return (this.frozen ?? this.live).get(name);
	}

	columns(names) {
		return ["time", ...names].map(name => this.column(name));
	}
}
