/* Makes long lists searchable. */
import { changed, fill, on, say } from "./helpers.js";

/** @param {string} text to lower-case and strip of accents */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

on(["input", "keydown", "change"], ".select-search", (wrap, event) => {
	const { target: field } = event;
	const select = wrap.nextElementSibling;
	if (!(field instanceof HTMLInputElement && select instanceof HTMLSelectElement)) return false;
	const key = event instanceof KeyboardEvent ? event.key : "";
	const words = plain(field.value.trim()).split(/\s+/);
	const matches = [...select.options].filter((option) => {
		const isFound = words.every((word) => plain(option.text).includes(word));
		option.hidden = option.disabled = !isFound && !option.selected;
		return isFound;
	});
	select.size = words[0] ? Math.min(8, matches.length + 1) : 0;
	if (!key && words[0]) say(fill(wrap.dataset.matchWords, { count: matches.length }));
	if (key === "ArrowDown") select.focus();
	if (key !== "Enter") return false;
	if (words[0] && matches[0]) matches[0].selected = true;
	field.value = "";
	changed(select);
	changed(field);
	return true;
});
