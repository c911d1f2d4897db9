/* Selecting many cards: Shift for ranges, Ctrl or Cmd+A for all, Esc for none. The boxes and the bar work without this
   script. It runs once and looks elements up each time, since going back after a search replaces them. */
import { all, fill, find, get, on, say } from "./portal.js";

const PICK = "#history-results .run-card-pick";
const grid = () => get("#history-results");
const bar = () => get("[data-bulk-actions]");
const boxes = () => all(`${PICK} input`, document, HTMLInputElement);

/** @type {Set<string>} */
const chosen = new Set(history.state?.chosen);
/** @type {string | null} */
let last = null;

const count = (isQuiet = false) => {
	const { size } = chosen;
	const { most = "", chosen: some, full, none: noneChosen, pair = "" } = bar().dataset;
	const isTooMany = size > Number(most);
	const words = size ? fill(isTooMany ? full : some, { count: size, most }) : "";
	const told = get("[data-count]", bar());
	if (told.textContent !== words) told.textContent = words;
	for (const act of all("[name=do]", bar(), HTMLButtonElement)) act.disabled = isTooMany;
	const compare = get("[data-compare]", bar(), HTMLButtonElement);
	compare.disabled = size < 2 || size > 4;
	compare.title = compare.disabled ? pair : "";
	if (!size && !isQuiet) say(noneChosen);
	// Going back restores the same cards. The browser would restore boxes by position, but the list may have moved.
	history.replaceState({ ...history.state, chosen: [...chosen] }, "");
};
/** @param {HTMLInputElement} box @param {boolean} isOn */
const set = (box, isOn) => {
	box.checked = isOn;
	if (isOn) chosen.add(box.value);
	else chosen.delete(box.value);
};
// Searches, older pages and updates add and remove cards: a card stays selected for as long as it is on the page.
const renew = () => {
	if (!find("[data-bulk-actions]")) return;
	const there = boxes();
	const known = new Set(there.map((box) => box.value));
	for (const box of there) set(box, box.checked || chosen.has(box.value));
	for (const one of chosen) if (!known.has(one)) chosen.delete(one);
	count(true);
};
const none = () => {
	for (const box of boxes()) set(box, false);
	last = null;
	count();
};

on(["click"], `${PICK} input`, (box, event) => {
	if (!(box instanceof HTMLInputElement)) return;
	const there = boxes();
	const from = there.findIndex((one) => one.value === last);
	const to = there.indexOf(box);
	set(box, box.checked);
	if (event.shiftKey && from >= 0)
		for (const one of there.slice(Math.min(from, to), Math.max(from, to) + 1)) set(one, box.checked);
	last = box.value;
	count();
});
// Otherwise, a Shift-click on the label would select text
on(["mousedown"], PICK, (_, event) => event.shiftKey);
// Once a card is selected, a Shift-click on another card selects it too
on(["click"], "#history-results .card-link", (link, event) => {
	const card = link.closest(".run-card");
	const box = card && find(".run-card-pick input", card);
	if (!box || !chosen.size || !event.shiftKey) return false;
	box.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
	return true;
});
document.addEventListener("keydown", (event) => {
	const { key, target } = event;
	if (!(target instanceof Element)) return;
	const isInside = grid().contains(target) || (chosen.size > 0 && target === document.body);
	if (target.matches("input:not([type=checkbox]), textarea, select") || find("dialog[open], :popover-open")) return;
	if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "a" && isInside) {
		event.preventDefault();
		for (const box of boxes()) set(box, true);
		count();
	}
	if (key === "Escape" && chosen.size) none();
});
on(["reset"], "[data-bulk-actions]", () => {
	const back = boxes().find((box) => box.value === last);
	none();
	(back ?? grid()).focus();
	return true;
});

// Old results stay during a search. htmx also fires afterRequest if the search failed or a newer one replaced it.
on(["htmx:beforeRequest"], ".history-filters", (_, { detail }) => {
	detail.target.ariaBusy = "true";
});
on(["htmx:afterRequest"], ".history-filters", (_, { detail }) => {
	detail.target.ariaBusy = null;
});
document.addEventListener("htmx:afterSwap", renew);
document.addEventListener("htmx:oobAfterSwap", renew);
document.addEventListener("htmx:historyRestore", renew);
addEventListener("pageshow", renew);
renew();
