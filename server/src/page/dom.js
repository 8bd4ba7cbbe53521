const SVG = "http://www.w3.org/2000/svg";

function filled(node, attributes, children) {
	for (const [name, value] of Object.entries(attributes)) if (value != null) node.setAttribute(name, value);
	node.append(...children);
	return node;
}

/** An element. Attributes that are null or undefined are left out. */
export const element = (tag, attributes = {}, ...children) => filled(document.createElement(tag), attributes, children);

export const drawing = (tag, attributes = {}, ...children) => filled(document.createElementNS(SVG, tag), attributes, children);

/** Sets the text, unless it is unchanged, to avoid a layout. */
export function write(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

/** Copies `text` and says so on `button`. Only a page from localhost or over TLS has a clipboard. */
export async function copy(button, text) {
	if (!navigator.clipboard) return prompt("Copy this", text);
	await navigator.clipboard.writeText(text);
	button.dataset.label ??= button.textContent;
	write(button, "Copied");
	setTimeout(() => write(button, button.dataset.label), 1500);
}

/** One child of `node` for each of `items`: `make` creates it, `fill` updates it. */
export function each(node, items, make, fill) {
	while (node.childElementCount > items.length) node.lastElementChild.remove();
	while (node.childElementCount < items.length) node.append(make(node.childElementCount));
	items.forEach((item, at) => fill(node.children[at], item));
}

export function table(caption, heads) {
	return element("table", {},
		element("caption", {}, caption),
		element("thead", {}, element("tr", {}, ...heads.map(head => element("th", { scope: "col" }, head)))),
		element("tbody"));
}

export function rows(table, texts) {
	const cell = at => (at === 0 ? element("th", { scope: "row" }) : element("td"));
	each(table.tBodies[0], texts, () => element("tr"), (row, cells) => {
		each(row, cells, cell, write);
		row.classList.toggle("none", cells.at(-1) === "0");
	});
}
