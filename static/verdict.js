/* The reason's field gets the focus when it opens; Ctrl+Enter sends it, Escape closes it. Forms work without this. */
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
		if (field.form) find("button", field.form)?.click(); // htmx sends the value only of a button that was clicked
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
