import { bytes, count, duration, percent, quantity, time } from "./format.js";

const sum = counts => Object.values(counts).reduce((all, one) => all + one, 0);

const orderly = ({ closes }) => closes[1000] + closes[1001] + closes[1005];

export const server = {
	absolute: true,
	source: ({ uptime_ns }) => uptime_ns / 1e9,
	run: () => "",
	title: () => "Plimsoll",
	subject: ({ version, uptime_ns }) => `server ${version}, up ${duration(uptime_ns / 1e9)}`,

	charts: [
		{ title: "Messages", unit: "per_s", series: { received: "in", sent: "out" } },
		{ title: "Throughput", unit: "mbps", series: { mbps_in: "in", mbps_out: "out" } },
		{ id: "handling", title: "Handling time", about: "read to written", unit: "ns", series: { p50: "p50", p95: "p95", p99: "p99" } },
		{ title: "Connections", about: "open", unit: "count", series: { open: "all", echo: "echo", dashboard: "dashboard" } },
		{ title: "Errors", unit: "per_s", series: { errors: "errors", backpressure: "back-pressure" } },
		{ id: "closes", title: "Closed WebSockets", unit: "per_s", series: { orderly: "in order", disorderly: "for an error" } },
		{ title: "Allocations", unit: "per_s", optional: true, series: { blocks: "blocks" } },
		{ id: "live-blocks", title: "Live heap", about: "blocks; must stay flat", unit: "count", tight: true, optional: true, series: { live_blocks: "blocks" } },
		{ id: "live-bytes", title: "Live heap", about: "bytes; must stay flat", unit: "bytes", tight: true, optional: true, series: { live_bytes: "bytes" } },
		{ id: "resident", title: "Resident memory", about: "of the process", unit: "bytes", tight: true, optional: true, series: { resident: "resident" } },
		{ id: "cpu", title: "Processor", unit: "share", series: { cpu: "used" } },
		{ title: "Descriptors", about: "open", unit: "count", optional: true, series: { descriptors: "open" } },
	],

	sample(message, per) {
		const { connections, allocations, process } = message;
		const { count, p50_ns: p50, p95_ns: p95, p99_ns: p99 } = message.handling.last;
		return {
			received: per(({ messages }) => messages.received),
			sent: per(({ messages }) => messages.sent),
			mbps_in: per(({ messages }) => messages.received_bytes, 8e-6),
			mbps_out: per(({ messages }) => messages.sent_bytes, 8e-6),
			// A tick without traffic has no handling times.
			...(count > 0 && { p50, p95, p99 }),
			...connections,
			errors: per(({ errors }) => sum(errors)),
			backpressure: per(({ dashboard }) => dashboard.backpressure_events),
			orderly: per(orderly),
			disorderly: per(one => sum(one.closes) - orderly(one)),
			blocks: allocations && per(one => one.allocations.total_blocks),
			live_blocks: allocations?.remaining_blocks,
			live_bytes: allocations?.remaining_bytes,
			resident: process.resident_bytes,
			cpu: per(one => one.process.cpu_ns, 1e-9),
			descriptors: process.open_fds,
		};
	},

	tiles({ connections, messages, handling: { total }, dashboard, errors, allocations, process }, newest) {
		const now = (name, unit) => quantity(newest(name), unit);
		return [
			["Connections", count(connections.open), `open, of ${count(connections.limit)}`],
			["WebSockets", count(connections.echo), `echo, ${count(connections.dashboard)} dashboard`],
			["Accepted", count(connections.total), `${count(connections.refused)} refused`],
			["Messages in", count(messages.received), `${now("received", "per_s")}, ${now("mbps_in", "mbps")}`],
			["Messages out", count(messages.sent), `${now("sent", "per_s")}, ${now("mbps_out", "mbps")}`],
			total.count > 0
				? ["Handling p99", time(total.p99_ns), `p50 ${time(total.p50_ns)}, p95 ${time(total.p95_ns)}`]
				: ["Handling p99", "–", "nothing echoed yet"],
			["Errors", count(sum(errors)), "since the start"],
			["Back-pressure", count(dashboard.backpressure_events), `${count(dashboard.skipped)} snapshots skipped`],
			...(allocations ? [
				["Live heap", count(allocations.remaining_blocks), `blocks, ${bytes(allocations.remaining_bytes)}`],
				["Allocations", count(allocations.total_blocks), `${now("blocks", "per_s")}, ${bytes(allocations.total_bytes)} in all`],
			] : []),
			["Memory", bytes(process.resident_bytes), `resident, ${count(process.open_fds)} descriptors`],
			["Processor", percent(newest("cpu")), `of one, ${time(process.cpu_ns)} in all`],
		];
	},

	tables: [
		{ title: "Errors by kind", counts: ({ errors }) => errors },
		{ title: "Closed WebSockets by code", counts: ({ closes: { 0: other, ...codes } }) => ({ ...codes, other }) },
	],
};
