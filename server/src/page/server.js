import { bytes, count, duration, percent, quantity, time } from "./format.js";
import { faults, head, mistakes, sum } from "./health.js";

const orderly = ({ closes }) => closes[1000] + closes[1001] + closes[1005];

const ERRORS = {
	accept: "connection not accepted",
	http: "not HTTP, or too slow",
	protocol: "frame against the rules",
	utf8: "text that is not UTF-8",
	too_big: "message too big",
	policy: "too many fragments or tiny frames",
	reset: "connection broken",
	silent: "no answer to a ping",
	slow: "subscriber too slow",
	stalled: "client that reads nothing",
	access: "wrong host, origin or token",
	internal: "error in the server",
};

const CLOSES = {
	1000: "1000 normal",
	1001: "1001 going away",
	1002: "1002 protocol error",
	1003: "1003 type not accepted",
	1005: "1005 without a code",
	1007: "1007 not UTF-8",
	1008: "1008 against the policy",
	1009: "1009 too big",
	1011: "1011 server error",
	1013: "1013 try again later",
	0: "another code",
};

export const server = {
	/** Seconds of a rate: a tick is too short to count evenly. */
	span: 1,
	absolute: true,
	source: ({ uptime_ns }) => uptime_ns / 1e9,
	run: () => "",
	title: () => "Plimsoll",
	subject: ({ version, uptime_ns }) => `server ${version}, up ${duration(uptime_ns / 1e9)}`,
	head,

	charts: [
		{ id: "messages", title: "Messages echoed", unit: "per_s", series: { messages: "echoed" } },
		{ title: "Throughput", unit: "mbps", series: { mbps: "each way" } },
		{ id: "handling", title: "Handling time", about: "read to written", unit: "ns", series: { p50: "p50", p95: "p95", p99: "p99" } },
		{ title: "Connections", about: "open", unit: "count", series: { echo: "echo", dashboard: "dashboard", open: "all, with HTTP" } },
		{ title: "Errors", unit: "per_s", series: { faults: "server", mistakes: "clients", refused: "refused", backpressure: "back-pressure" } },
		{ id: "closes", title: "Closed WebSockets", unit: "per_s", series: { orderly: "normal", disorderly: "error" } },
		{ title: "Allocations", unit: "per_s", optional: true, series: { blocks: "blocks" } },
		{ id: "live-blocks", title: "Live heap", about: "blocks; must stay flat", unit: "count", optional: true, series: { live_blocks: "blocks" } },
		{ id: "live-bytes", title: "Live heap", about: "bytes; must stay flat", unit: "bytes", optional: true, series: { live_bytes: "bytes" } },
		{ id: "resident", title: "Resident memory", about: "of the process", unit: "bytes", optional: true, series: { resident: "resident" } },
		{ id: "cpu", title: "Processor", unit: "share", optional: true, series: { cpu: "used" } },
		{ title: "Descriptors", about: "open", unit: "count", optional: true, series: { descriptors: "open" } },
	],

	sample(message, per) {
		const { connections, allocations, process } = message;
		const { count, p50_ns: p50, p95_ns: p95, p99_ns: p99 } = message.handling.last;
		return {
			messages: per(({ messages }) => messages.sent),
			mbps: per(({ messages }) => messages.sent_bytes, 8e-6),
			// A tick without traffic has no handling times.
			...(count > 0 && { p50, p95, p99 }),
			...connections,
			faults: per(faults),
			mistakes: per(mistakes),
			refused: per(one => one.connections.refused),
			backpressure: per(({ dashboard }) => dashboard.backpressure_events),
			orderly: per(orderly),
			disorderly: per(one => sum(one.closes) - orderly(one)),
			blocks: allocations && per(one => one.allocations.total_blocks),
			live_blocks: allocations?.remaining_blocks,
			live_bytes: allocations?.remaining_bytes,
			resident: process.resident_bytes,
			cpu: process.cpu_ns && per(one => one.process.cpu_ns, 1e-9),
			descriptors: process.open_fds,
		};
	},

	tiles({ connections, messages, handling: { total }, dashboard, errors, allocations, process }, newest) {
		const now = (name, unit) => quantity(newest(name), unit);
		const waiting = messages.received - messages.sent;
		return [
			["Echo clients", count(connections.echo), `${count(connections.open)} connections of ${count(connections.limit)}`],
			["Messages echoed", count(messages.sent), `${now("messages", "per_s")}, ${now("mbps", "mbps")} each way${waiting > 0 ? `; ${count(waiting)} not answered yet` : ""}`],
			["Handling p99", time(total.count > 0 ? total.p99_ns : NaN), total.count > 0 ? `p50 ${time(total.p50_ns)}, p95 ${time(total.p95_ns)}` : "nothing echoed yet"],
			["Errors", count(sum(errors)), `refused ${count(connections.refused)}, back-pressure ${count(dashboard.backpressure_events)}`],
			["Memory", bytes(process.resident_bytes), allocations ? `heap ${bytes(allocations.remaining_bytes)}, ${count(allocations.remaining_blocks)} blocks` : "resident"],
			["Processor", percent(newest("cpu")), process.cpu_ns === null ? "not measured" : `of one core, ${time(process.cpu_ns)} so far`],
		];
	},

	tables: [
		{ title: "Errors by kind", counts: ({ errors }) => Object.entries(errors).map(([kind, n]) => [ERRORS[kind], n]) },
		{ title: "Closed WebSockets by code", counts: ({ closes }) => Object.entries(closes).map(([code, n]) => [CLOSES[code], n]) },
	],
};
