/* Copy buttons, hidden until they can work. */
import { all, find, get, on, say } from "./portal.js";

/** @param {ParentNode} root */
const show = (root) => {
	for (const button of all("[data-copy]", root)) button.hidden = false;
};
show(document);
document.addEventListener("htmx:load", ({ target }) => {
	if (target instanceof Element) show(target);
});

/**
 * Copy what `button` names, where the browser allows it.
 *
 * @param {HTMLElement} button
 * @param {string} [words] what is said then
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
