import { drawing, element, write } from "./dom.js";
import { quantity, units } from "./format.js";
import { palette } from "./palette.js";

const HEIGHT = 190;
const FONT = "11px system-ui, sans-serif";

/** Width of every y axis: a moment has the same place in all charts. */
const MARGIN = 60;

const COLOURS = ["s1", "s2", "s3", "s4"];
const DASHES = [[], [7, 4], [2, 3], [10, 3, 2, 3]];
const MARKERS = ["m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z", "m-3.5-3.5h7v7h-7z", "m0-4.5l4.5 8h-9z", "m0-5l4.5 5l-4.5 5l-4.5-5z"];

const STEPS_OF_TIME = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600];

export class Chart {
	/** The time at the keyboard's cursor; null without one. */
	#at = null;

	constructor(spec, view) {
		this.spec = { id: spec.title.toLowerCase(), ...units[spec.unit], ...spec };
		this.view = view;
		this.names = Object.keys(spec.series);
		this.labels = Object.values(spec.series);
		this.root = this.#figure();
		this.plot = new uPlot(this.#options(), view.series.columns(this.names), this.slider);
		this.plot.over.append(this.tip);
		this.#listen();
		new ResizeObserver(([{ contentRect: { width } }]) => width > 0 && this.plot.setSize({ width, height: HEIGHT })).observe(this.slider);
	}

	draw() {
		const [min, max] = this.view.timeline.window;
		const data = this.view.series.columns(this.names);
		// A value that the system does not have gets no chart.
		this.root.hidden = this.spec.optional && data[1].every(value => value === null);
		this.plot.batch(() => {
			this.plot.setData(data, false);
			this.plot.setScale("x", { min, max });
		});
		if (this.#at !== null) this.#place(this.#at);
	}

	write() {
		const { series } = this.view;
		const { plot } = this;
		const times = series.column("time");
		// uPlot finds the nearest point, however far away it is.
		const { idx = null, left } = plot.cursor;
		const under = idx !== null && Math.abs(plot.valToPos(times[idx], "x") - left) < 20 ? idx : null;
		const index = under ?? times.length - 1;
		const texts = this.names.map(name => quantity(series.column(name)[index], this.spec.unit));
		texts.forEach((text, at) => write(this.values[at], text));
		const lines = [this.view.clock(times[index]), ...this.labels.map((label, at) => `${label} ${texts[at]}`)];
		const { slider, tip } = this;
		slider.ariaValueMax = Math.max(0, times.length - 1);
		slider.ariaValueNow = Math.max(0, index);
		slider.ariaValueText = lines.join(", ");
		tip.hidden = under === null || (this.#at === null && !plot.over.matches(":hover"));
		if (tip.hidden) return;
		write(tip, lines.join("\n"));
		const x = left < plot.over.clientWidth / 2 ? left + 12 : left - 12 - tip.offsetWidth;
		tip.style.transform = `translate(${Math.round(x)}px, 6px)`;
	}

	#figure() {
		const { id, title, about, width } = this.spec;
		this.values = this.labels.map(() => element("b"));
		const toggles = this.labels.map((label, at) => {
			const key = drawing("svg", { class: "key", viewBox: "-15 -6 30 12", "aria-hidden": true },
				drawing("path", { class: "line", d: "M-15 0h30", "stroke-dasharray": DASHES[at] }),
				drawing("path", { d: `M0 0${MARKERS[at]}` }));
			key.style.color = `var(--${COLOURS[at]})`;
			const button = element("button", { "aria-pressed": true }, key, `${label} `, this.values[at]);
			button.onclick = () => {
				const show = !this.plot.series[at + 1].show;
				button.ariaPressed = show;
				this.plot.setSeries(at + 1, { show });
			};
			return element("li", {}, button);
		});
		this.tip = element("div", { class: "tip", hidden: "" });
		this.slider = element("div", { class: "plot", role: "slider", tabindex: 0, "aria-label": `${title} ${about}: moment`, "aria-valuenow": 0 });
		return element("figure", { id, class: width, "aria-labelledby": `${id}-title`, "aria-details": "recent" },
			element("h2", { id: `${id}-title` }, `${title} `, element("small", {}, about)),
			this.slider,
			element("figcaption", {}, element("ul", {}, ...toggles)));
	}

	#options() {
		const { spec, view } = this;
		const { axis, log, steps } = spec;
		const line = (label, at) => ({
			label,
			stroke: () => palette[COLOURS[at]],
			width: 1.75,
			dash: DASHES[at],
			points: { show: true, size: 4, filter: lonely },
		});
		const common = { stroke: () => palette.dim, font: FONT, ticks: { show: false }, grid: { stroke: () => palette.rule, width: 1, filter: (_, splits) => splits.map(at => (log && !/^1e/.test(at.toExponential()) ? null : at)) } };
		return {
			width: 300,
			height: HEIGHT,
			padding: [12, 26, 0, 0],
			legend: { show: false },
			scales: { x: { time: false }, y: { distr: log ? 3 : 1, range: (_, low, high) => this.#range(low, high) } },
			series: [{}, ...this.labels.map(line)],
			axes: [
				{ ...common, space: 70, size: 28, incrs: STEPS_OF_TIME, values: (_, splits) => splits.map(view.clock) },
				{ ...common, space: 32, size: MARGIN, ...(steps && { incrs: steps }), values: (_, splits) => splits.map(at => (at === null ? "" : axis(at))) },
			],
			cursor: {
				y: false,
				sync: { key: "time", setSeries: false },
				drag: { setScale: false, dist: 4 },
				bind: { dblclick: () => () => view.timeline.follow() },
			},
			hooks: { draw: [() => this.#paint()], setCursor: [() => this.write()], setSelect: [() => this.#zoom()] },
		};
	}

	#limits() {
		return this.spec.limits?.(this.view.message) ?? [];
	}

	/** From 0, unless logarithmic. */
	#range(low, high) {
		const { least, log } = this.spec;
		const all = [low, high, ...this.#limits().map(limit => limit.value)].filter(value => value > 0);
		const top = Math.max(least, ...all) * 1.1;
		return log ? uPlot.rangeLog(Math.min(top, ...all) * 0.9, top, 10, true) : [0, top];
	}

	#paint() {
		const { plot } = this;
		const { ctx, bbox } = plot;
		const ratio = devicePixelRatio;
		const [width, height] = [bbox.width / ratio, bbox.height / ratio];
		const stroke = (dash, path) => {
			ctx.setLineDash(dash);
			ctx.stroke(new Path2D(path));
		};
		ctx.save();
		ctx.setTransform(ratio, 0, 0, ratio, bbox.left, bbox.top);
		ctx.font = FONT;
		ctx.textAlign = "left";
		ctx.textBaseline = "alphabetic";
		ctx.save();
		ctx.clip(new Path2D(`M0-12h${width}v${height + 12}H0z`));
		ctx.lineWidth = 1;
		ctx.strokeStyle = ctx.fillStyle = palette.dim;
		let free = 0;
		for (const { at, label } of this.view.marks) {
			const x = Math.round(plot.valToPos(at, "x")) + 0.5;
			const named = label && x >= free;
			stroke(label ? [] : [2, 4], `M${x} ${named ? -12 : 0}V${height}`);
			if (!named) continue;
			ctx.fillText(label, x + 4, -3);
			free = x + ctx.measureText(label).width + 10;
		}
		ctx.fillStyle = palette.bad;
		const taken = [];
		for (const { value, label, from, to } of this.#limits()) {
			ctx.lineWidth = 1.5;
			ctx.strokeStyle = palette.bad;
			const y = plot.valToPos(value, "y");
			const start = Math.max(0, plot.valToPos(from ?? -Infinity, "x"));
			const end = Math.min(width, plot.valToPos(to ?? Infinity, "x"));
			if (!(start < end)) continue;
			stroke([12, 3], `M${start} ${y}H${end}`);
			ctx.lineWidth = 4;
			ctx.strokeStyle = palette.paper;
			ctx.setLineDash([]);
			const left = Math.max(start + 4, ...taken.filter(other => Math.abs(other.y - y) < 12).map(other => other.end));
			taken.push({ y, end: left + ctx.measureText(label).width + 8 });
			ctx.strokeText(label, left, y - 4);
			ctx.fillText(label, left, y - 4);
		}
		ctx.restore();
		const last = plot.series[0].idxs[1];
		plot.data.slice(1).forEach((column, at) => {
			const value = column[last];
			if (value == null || !plot.series[at + 1].show) return;
			ctx.fillStyle = palette[COLOURS[at]];
			ctx.fill(new Path2D(`M${plot.valToPos(plot.data[0][last], "x")} ${plot.valToPos(value, "y")}${MARKERS[at]}`));
		});
		ctx.restore();
	}

	#zoom() {
		const { left, width } = this.plot.select;
		if (width <= 0) return;
		const [from, to] = [left, left + width].map(at => this.plot.posToVal(at, "x"));
		this.plot.setSelect({ width: 0 }, false);
		this.view.timeline.zoom(from, to);
	}

	#listen() {
		const { over } = this.plot;
		const { timeline } = this.view;
		over.onmouseenter = () => {
			this.#at = null;
		};
		this.slider.onblur = () => this.#leave();
		this.slider.onkeydown = event => this.#key(event);
		over.addEventListener("wheel", event => {
			const { ctrlKey, deltaX, deltaY, offsetX, shiftKey } = event;
			if (ctrlKey) timeline.scale(1.002 ** deltaY, this.plot.posToVal(offsetX, "x"));
			else if (deltaX || shiftKey) timeline.pan((deltaX || deltaY) / 1000);
			else return;
			event.preventDefault();
		}, { passive: false });
		// A swipe moves the window. A tap always moves a few pixels.
		let from = 0;
		let moved = false;
		over.onpointerdown = ({ clientX }) => ([from, moved] = [clientX, false]);
		over.onpointermove = ({ clientX, pointerType }) => {
			if (pointerType !== "touch" || (!moved && Math.abs(clientX - from) < 8)) return;
			timeline.pan((from - clientX) / over.clientWidth);
			[from, moved] = [clientX, true];
		};
	}

	#key(event) {
		const { plot } = this;
		const { timeline, series } = this.view;
		const times = series.column("time");
		const [from, to] = timeline.window;
		const step = event.shiftKey ? 10 : 1;
		const at = this.#at === null ? times.length : plot.valToIdx(this.#at);
		const go = index => times.length > 0 && this.#place(times[Math.max(0, Math.min(times.length - 1, index))]);
		const about = this.#at ?? (from + to) / 2;
		const act = {
			ArrowLeft: () => go(at - step),
			ArrowRight: () => go(at + step),
			Home: () => go(plot.valToIdx(from)),
			End: () => go(plot.valToIdx(to)),
			PageUp: () => timeline.pan(-0.5),
			PageDown: () => timeline.pan(0.5),
			Escape: () => this.#leave(),
			"+": () => timeline.scale(0.5, about),
			"-": () => timeline.scale(2, about),
			0: () => timeline.follow(),
		}[event.key];
		if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
		act();
		event.preventDefault();
	}

	#place(time) {
		this.#at = time;
		this.plot.setCursor({ left: this.plot.valToPos(time, "x"), top: HEIGHT / 3 });
	}

	#leave() {
		if (this.#at === null) return;
		this.#at = null;
		this.plot.setCursor({ left: -10, top: -10 });
	}
}

function lonely({ data, series }, at) {
	const [from, to] = series[0].idxs;
	const is = index => data[at][index] != null;
	const found = [];
	for (let index = from; index <= to; index += 1) if (is(index) && !is(index - 1) && !is(index + 1)) found.push(index);
	return found;
}
