/** Longest wait before the first reconnect, and before any, in milliseconds. */
const FIRST = 500;
const LONGEST = 30_000;

/** Silence after which a connection is given up, in milliseconds. */
const DEAD = 15_000;

/** Keeps the token for the tab, if it may. */
let store = {};
try {
	store = sessionStorage;
} catch {}

/** A WebSocket that reconnects, after a random part of a time that doubles (full jitter). */
export class Feed {
	#attempts = 0;
	/** Times of the last message and of the next attempt, by performance.now(). */
	#heard = 0;
	due = 0;

	constructor(url, message, changed) {
		Object.assign(this, { url, message, changed });
		this.open();
	}

	open() {
		clearTimeout(this.timer);
		this.state = "connecting";
		const { token } = store;
		const socket = new WebSocket(this.url, token ? ["plimsoll", `bearer.${token}`] : []);
		this.socket = socket;
		socket.onmessage = event => {
			if (socket !== this.socket) return;
			const first = this.state !== "live";
			this.#attempts = 0;
			this.#heard = performance.now();
			this.state = "live";
			this.message(JSON.parse(event.data), this.#heard, first);
		};
		socket.onclose = () => {
			if (socket !== this.socket) return;
			if (this.state === "connecting") this.#ask();
			this.#wait();
		};
		this.changed();
	}

	unlock(token) {
		store.token = token;
		this.open();
	}

	/** For other requests. */
	get headers() {
		return store.token ? { Authorization: `Bearer ${store.token}` } : {};
	}

	/** Milliseconds since the last message. */
	get silence() {
		return performance.now() - this.#heard;
	}

	/** Gives up a silent connection. */
	check() {
		if (this.state !== "live" || this.silence < DEAD) return;
		this.socket.close();
		this.#wait();
	}

	/** A browser does not say why a socket was refused. */
	async #ask() {
		const { status } = await fetch(this.url.replace("ws", "http"), { headers: this.headers }).catch(() => 0);
		if (status !== 401 || this.state !== "waiting") return;
		clearTimeout(this.timer);
		this.state = "locked";
		this.changed();
	}

	#wait() {
		const delay = Math.random() * Math.min(LONGEST, FIRST * 2 ** this.#attempts);
		this.#attempts += 1;
		this.socket = null;
		this.state = "waiting";
		this.due = performance.now() + delay;
		this.timer = setTimeout(() => this.open(), delay);
		this.changed();
	}
}

/** How many messages the page is behind: the difference of both clocks less its smallest value. */
export class Pace {
	#least = Infinity;
	#first = null;
	/** Seconds between two messages by the sender's clock. */
	interval = 0.25;

	take(seq, source, arrival) {
		this.#first ??= { seq, source };
		if (source > this.#first.source) this.interval = (source - this.#first.source) / (seq - this.#first.seq);
		// Clocks drift, so the smallest difference may grow slowly.
		this.#least = Math.min(arrival - source, this.#least + this.interval / 1000);
		return Math.floor((arrival - source - this.#least) / this.interval);
	}
}
