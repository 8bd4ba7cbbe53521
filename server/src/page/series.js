/** Points that are kept: ten minutes at four a second. */
const LIMIT = 2400;

/** The newest points of several series: arrays of one length, the axis under "time". */
export class Series {
	constructor(names) {
		this.live = new Map(["time", ...names].map(name => [name, []]));
		this.frozen = null;
	}

	clear() {
		for (const column of this.live.values()) column.length = 0;
	}

	/** The newest time; -Infinity of none. */
	get end() {
		return this.live.get("time").at(-1) ?? -Infinity;
	}

	/** Adds a point, if it is newer than all others. What `values` does not name is a gap. */
	push(time, values) {
		if (time <= this.end) return;
		for (const [name, column] of this.live) {
			column.push(name === "time" ? time : (values[name] ?? null));
			if (column.length > LIMIT) column.shift();
		}
	}

	/** Takes arrays of all points up to some time; what is newer stays. */
	precede(columns) {
		const end = columns.time.at(-1);
		const older = this.live.get("time").filter(time => !(time > end)).length;
		for (const [name, column] of this.live) this.live.set(name, [...columns[name], ...column.slice(older)].slice(-LIMIT));
	}

	/** From now on the same points are shown, whatever is pushed. */
	freeze(frozen) {
		this.frozen = frozen ? structuredClone(this.live) : null;
	}

	column(name) {
		return (this.frozen ?? this.live).get(name);
	}

	/** What is shown of some, as uPlot takes it. */
	columns(names) {
		return ["time", ...names].map(name => this.column(name));
	}
}
