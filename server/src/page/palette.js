const NAMES = ["dim", "rule", "paper", "bad", "s1", "s2", "s3", "s4"];

export const palette = {};

export function readPalette() {
	// Only an element's computed style resolves a variable.
	const probe = document.getElementById("announce");
	for (const name of NAMES) {
		probe.style.color = `var(--${name})`;
		palette[name] = getComputedStyle(probe).color;
	}
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

export const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "")) === "dark";

/** Switches the theme, and stores the choice if it can. */
export function switchTheme() {
	root.dataset.theme = isDark() ? "light" : "dark";
	try {
		localStorage.setItem("theme", root.dataset.theme);
	} catch {}
}

/** Calls `changed` when the system's theme changes, and around printing. */
export function onColours(changed) {
	for (const query of [dark, matchMedia("print")]) query.addEventListener("change", changed);
}
