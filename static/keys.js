/* Optional shortcuts, never inside fields. portal.js handles the search box's "/", viewer.js a result page's keys. */
import { all, find, isForPage } from "./helpers.js";

/** @param {HTMLElement} node */
const isVisible = (node) => node.offsetParent !== null || node.getClientRects().length > 0;
const links = () => all("main .card-link").filter(isVisible);
/** @param {Element | null | undefined} node */
const cardOf = (node) => node?.closest(".card") ?? null;

/** @param {1 | -1} by */
const step = (by) => {
	const cardLinks = links();
	const here = cardLinks.findIndex((link) => cardOf(link) === cardOf(document.activeElement));
	const next = here < 0 ? cardLinks.at(by > 0 ? 0 : -1) : cardLinks[here + by];
	next?.focus();
	cardOf(next)?.scrollIntoView({ block: "nearest" });
	return next !== undefined;
};
/** @param {HTMLElement | null | undefined} node */
const press = (node) => {
	node?.click();
	return Boolean(node);
};
const compare = () =>
	press(find('[data-needs="pair"]:enabled')) || press(all("main a[href*='/compare/']").find(isVisible));
/** @param {KeyboardEvent} event */
const tick = ({ shiftKey }) => {
	const card = cardOf(document.activeElement);
	const box = card && find(".run-card-tick input", card);
	box?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey }));
	return Boolean(box);
};

/** @param {string} html */
const openList = (html) => {
	const dialog = document.createElement("dialog");
	dialog.className = "keys";
	dialog.setAttribute("aria-labelledby", "keys-title");
	dialog.innerHTML = html;
	dialog.addEventListener("close", () => dialog.remove());
	dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
	document.body.append(dialog);
	dialog.showModal();
};
const list = () => {
	const url = find("[data-keys-url]")?.dataset.keysUrl;
	if (!url) return false;
	fetch(url, { headers: { "HX-Request": "true" } })
		.then((answer) => (answer.ok && !answer.redirected ? answer.text() : Promise.reject()))
		.then(openList)
		.catch(() => location.assign(url));
	return true;
};

/** @type {Record<string, (event: KeyboardEvent) => boolean>} */
const acts = {
	j: () => step(1),
	k: () => step(-1),
	c: compare,
	x: tick,
	X: tick,
	"?": list,
};
document.addEventListener("keydown", (event) => {
	const { key, target } = event;
	if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !Object.hasOwn(acts, key)) return;
	if (!isForPage(target)) return;
	if ("jk".includes(key) && find("[data-keys]")) return; // viewer.js steps from result to result
	if (acts[key]?.(event)) event.preventDefault();
});
