/* In fields for reasons, Ctrl+Enter sends and Escape closes. Forms work without this script. */
import { find, on } from "./helpers.js";

on(["keydown"], ".verdict textarea", (field, { key, ctrlKey, metaKey }) => {
	if (!(field instanceof HTMLTextAreaElement)) return false;
	if (key === "Enter" && (ctrlKey || metaKey)) {
		if (field.form) find("button", field.form)?.click(); // htmx only sends the value of a clicked button
		return true;
	}
	const box = field.closest("details");
	if (key === "Escape" && box) {
		box.open = false;
		find("summary", box)?.focus();
		return true;
	}
	return false;
});
