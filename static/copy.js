/* Copy buttons, which are hidden without JavaScript. */
import { all, find, get, on, say } from "./helpers.js";

/** @param {ParentNode} root */
const show = (root) => {
	for (const button of all("[data-copy]", root)) button.hidden = false;
};
show(document);
document.addEventListener("htmx:load", ({ target }) => {
	if (target instanceof Element) show(target);
});

/**
 * Copy the text of the element that `button` names, if the browser allows it.
 *
 * @param {HTMLElement} button
 * @param {string} [words] announced to screen readers
 */
export const copy = async (button, words = button.dataset.copied) => {
	const source = document.getElementById(button.dataset.copy ?? "");
	if (!source || !navigator.clipboard) return;
	await navigator.clipboard.writeText(source.textContent);
	const label = find("[data-copy-word]", button);
	if (label) label.textContent = button.dataset.copied ?? "";
	say(words);
};

on(["click"], "[data-copy]", (button) => {
	getSelection()?.selectAllChildren(get(`#${button.dataset.copy}`));
	copy(button);
});
