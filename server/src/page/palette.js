const NAMES = ["dim", "rule", "paper", "bad", "s1", "s2", "s3", "s4"];

/** The colours of the style sheet as a canvas takes them. */
export const palette = {};

export function readPalette() {
	// Only an element knows what a variable comes to.
	const probe = document.getElementById("announce");
	for (const name of NAMES) {
		probe.style.color = `var(--${name})`;
		palette[name] = getComputedStyle(probe).color;
	}
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

export const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "")) === "dark";

/** The other theme, now and, where there is storage, the next time. */
export function switchTheme() {
	root.dataset.theme = isDark() ? "light" : "dark";
	try {
		localStorage.setItem("theme", root.dataset.theme);
	} catch {}
}

/** Calls `changed` when the system or a printer wants other colours. */
export function onColours(changed) {
	for (const query of [dark, matchMedia("print")]) query.addEventListener("change", changed);
}
