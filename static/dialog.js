/* Links that ask for confirmation: `data-dialog` names the dialog that asks on this page instead of on the link's
   page. */
import { all, find, on } from "./helpers.js";

/** @param {string} id */
const dialogOf = (id) => find(`#${id}`, document, HTMLDialogElement);

/** @param {string} id of a dialog: focuses what opened it, or the first button that took its place */
const goBack = (id) => {
	const opener = find(`[data-dialog="${id}"]`);
	(opener ?? all("main :is(a, button).button").find((button) => button.checkVisibility()))?.focus();
};

on(["click"], "[data-dialog]", (link, event) => {
	const dialog = dialogOf(link.dataset.dialog ?? "");
	const isPlain = event instanceof MouseEvent && !(event.ctrlKey || event.metaKey || event.shiftKey);
	if (!dialog || !isPlain) return false;
	dialog.showModal();
	return true;
});
on(["click"], "dialog [data-closes]", (link) => {
	link.closest("dialog")?.close();
	return true;
});
// live updates replace the link, so the browser can't return to it
document.addEventListener("close", ({ target }) => target instanceof HTMLDialogElement && goBack(target.id), true);

// The run ended while its question was open: the dialog says so, until it is closed
document.addEventListener("htmx:oobAfterSwap", () => {
	const late = find("dialog[open] [data-late]");
	if (late && !late.closest("dialog")?.contains(document.activeElement)) late.focus();
});
