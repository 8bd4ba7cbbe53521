/** Points that are kept: ten minutes at four a second. */
const LIMIT = 2400;

/** The newest points of several series on one axis of time, which lies under "time": arrays of one length. */
export class Series {
	constructor(names) {
		this.live = new Map(["time", ...names].map(name => [name, []]));
		this.frozen = null;
	}

	clear() {
		for (const column of this.live.values()) column.length = 0;
	}

	get length() {
		return this.live.get("time").length;
	}

	/** The newest time; -Infinity of none. */
	get end() {
		return this.live.get("time").at(-1) ?? -Infinity;
	}

	/** Adds a point; one that is not newer than all others is dropped. What `values` does not name is a gap. */
	push(time, values) {
		if (time <= this.end) return;
		for (const [name, column] of this.live) {
			column.push(name === "time" ? time : (values[name] ?? null));
			if (column.length > LIMIT) column.shift();
		}
	}

	/** From now on the same points are shown, whatever is pushed. */
	freeze(frozen) {
		const copy = ([name, column]) => [name, column.slice()];
		this.frozen = frozen ? new Map([...this.live].map(copy)) : null;
	}

	/** What is shown of one series. */
	column(name) {
		return (this.frozen ?? this.live).get(name);
	}

	/** What is shown of some, as uPlot takes it. */
	columns(names) {
		return ["time", ...names].map(name => this.column(name));
	}
}
