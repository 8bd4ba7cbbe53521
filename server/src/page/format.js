const numbers = options => {
	const { format } = new Intl.NumberFormat("en", options);
	return value => (Number.isFinite(value) ? format(value) : "–");
};
const three = numbers({ maximumSignificantDigits: 3 });
const short = numbers({ notation: "compact", maximumSignificantDigits: 3 });
export const count = numbers({ maximumFractionDigits: 0 });

const number = value => (Math.abs(value) >= 1000 ? count : three)(value);
const given = say => value => (Number.isFinite(value) ? say(value) : "–");

/** In the largest unit of `steps`, pairs of [size, name], that the value reaches. */
const scaled = steps => given(value => {
	const [size, name] = steps.findLast(([size]) => Math.abs(value) >= size) ?? steps[0];
	return `${number(value / size)} ${name}`;
});

export const time = scaled([[1, "ns"], [1e3, "µs"], [1e6, "ms"], [1e9, "s"]]);
export const bytes = scaled([[1, "B"], [2 ** 10, "KiB"], [2 ** 20, "MiB"], [2 ** 30, "GiB"]]);
export const percent = given(value => `${three(value * 100)} %`);

const two = value => String(value).padStart(2, "0");

export const duration = given(seconds => {
	const all = Math.max(0, Math.floor(seconds));
	const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
	return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(all % 60)}`;
});

export const clock = given(seconds => {
	const date = new Date(seconds * 1000);
	return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
});

const powers = (base, count) => Array.from({ length: count }, (_, power) => base ** power);

/** For each unit: its format, that of an axis, the steps and the smallest range of an axis. */
export const units = {
	count: { say: count, axis: short, least: 4, steps: powers(10, 12).flatMap(power => [power, 2 * power, 5 * power]) },
	per_s: { say: value => `${number(value)}/s`, axis: short, least: 4, about: "a second" },
	mbps: { say: value => `${number(value)} Mbps`, axis: short, least: 0.01, about: "payload, Mbps" },
	ns: { say: time, axis: time, least: 1e3, log: true },
	bytes: { say: bytes, axis: bytes, least: 2048, steps: powers(2, 50) },
	share: { say: percent, axis: percent, least: 0.02, about: "share of one" },
};

/** A quantity with its unit; an unknown unit is written by its name. */
export const quantity = (value, unit) => given(units[unit]?.say ?? (value => `${number(value)} ${unit}`))(value);

export const signed = value => (value > 0 ? "+" : "") + percent(value).replace("-", "−");
