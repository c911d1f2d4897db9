/* Fields for reasons get the focus when they open; Ctrl+Enter sends, Escape closes. Forms work without this script. */
import { find, on } from "./helpers.js";

document.addEventListener(
	"toggle",
	({ target }) => {
		if (target instanceof HTMLDetailsElement && target.open && target.matches(".verdict-why, .verdict-aside"))
			find("textarea", target)?.focus();
	},
	true,
);

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
