/* Links that lead to a page asking for confirmation. `data-dialog` names the dialog that asks on this page instead. */
import { all, find, on } from "./helpers.js";

/** @param {string} id */
const dialogOf = (id) => find(`#${id}`, document, HTMLDialogElement);

/** Focus the link that opens a dialog, or the first visible button if it's gone. @param {string} id of the dialog */
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
// live updates replace the link that opened the dialog, so the browser can't return the focus to it
document.addEventListener("close", ({ target }) => target instanceof HTMLDialogElement && goBack(target.id), true);

// If the run ends while the dialog is open, the dialog says so and stays open
document.addEventListener("htmx:oobAfterSwap", () => {
	const late = find("dialog[open] [data-late]");
	if (late && !late.closest("dialog")?.contains(document.activeElement)) late.focus();
});
