const numbers = options => {
	const { format } = new Intl.NumberFormat("en", options);
	return value => (Number.isFinite(value) ? format(value) : "–");
};
const two = numbers({ maximumSignificantDigits: 2 });
const three = numbers({ maximumSignificantDigits: 3 });
/** For a number that a person chose. */
export const exact = numbers({ maximumSignificantDigits: 6 });
const short = numbers({ notation: "compact", maximumSignificantDigits: 3 });
export const count = numbers({ maximumFractionDigits: 0 });

const rounded = few => value => (Math.abs(value) >= 100 ? count : few)(value);
const number = rounded(two);
const given = say => (value, ...how) => (Number.isFinite(value) ? say(value, ...how) : "–");

/** In the largest unit of `steps`, pairs of [size, name], that the value reaches. */
const scaled = (steps, usual) => given((value, write = usual) => {
	const [size, name] = steps.findLast(([size]) => Math.abs(value) >= size) ?? steps[0];
	return `${write(value / size)} ${name}`;
});

export const time = scaled([[1, "ns"], [1e3, "µs"], [1e6, "ms"], [1e9, "s"]], rounded(three));
export const bytes = scaled([[1, "B"], [2 ** 10, "KiB"], [2 ** 20, "MiB"], [2 ** 30, "GiB"]], number);
export const percent = given((value, write = number) => `${write(value * 100)} %`);

const padded = value => String(value).padStart(2, "0");

export const duration = given(seconds => {
	const all = Math.max(0, Math.floor(seconds));
	const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
	return `${hours > 0 ? `${hours}:${padded(minutes)}` : minutes}:${padded(all % 60)}`;
});

export const clock = given(seconds => {
	const date = new Date(seconds * 1000);
	return [date.getHours(), date.getMinutes(), date.getSeconds()].map(padded).join(":");
});

const powers = (base, count) => Array.from({ length: count }, (_, power) => base ** power);

/** For each unit: its format, that of an axis, the steps and the smallest range of an axis. */
export const units = {
	count: { say: (value, write = count) => write(value), axis: short, least: 4, steps: powers(10, 12).flatMap(power => [power, 2 * power, 5 * power]) },
	per_s: { say: (value, write = number) => `${write(value)}/s`, axis: short, least: 4, about: "a second" },
	mbps: { say: (value, write = number) => `${write(value)} Mbps`, axis: short, least: 0.01, about: "payload, Mbps" },
	ns: { say: time, axis: time, least: 1e3, log: true },
	bytes: { say: bytes, axis: value => bytes(value, three), least: 2048, steps: powers(2, 50) },
	share: { say: percent, axis: value => percent(value, three), least: 0.02, about: "share of one" },
};

/** A quantity with its unit; an unknown unit is written by its name. */
export const quantity = (value, unit, write) => given(units[unit]?.say ?? ((value, write = number) => `${write(value)} ${unit}`))(value, write);

export const signed = value => (value > 0 ? "+" : "") + percent(value).replace("-", "−");
