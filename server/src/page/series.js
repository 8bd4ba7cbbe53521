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

	/** Replaces all points up to the end of `columns`; newer points stay. */
	precede(columns) {
		const end = columns.time.at(-1);
		const older = this.live.get("time").filter(time => !(time > end)).length;
		for (const [name, column] of this.live) this.live.set(name, [...columns[name], ...column.slice(older)].slice(-LIMIT));
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
