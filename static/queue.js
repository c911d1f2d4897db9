/* Review: keys for deciding, and a button to retry a decision that didn't get through. The keys that step through the
   queue are in viewer.js. Without this script, each decision posts the form and loads the next page. */
import { all, find, get, isForPage, on, say } from "./helpers.js";

let pending = ""; // the verdict that is sent if someone presses Enter in the note
let pressed = ""; // the last verdict sent

const note = () => find("#decide-note", document, HTMLTextAreaElement);
/** @param {string} verdict */
const press = (verdict) => find(`#decide .queue-buttons [value="${verdict}"]`)?.click();
/** Ask for a note before giving this verdict. @param {string} verdict */
const ask = (verdict) => {
	const box = note();
	if (!box) return;
	pending = verdict;
	get("#decide-hint").textContent = get("#decide-hint").dataset[verdict] ?? "";
	box.focus();
};
const leave = () => {
	pending = "";
	get("#decide-hint").textContent = "";
	note()?.blur();
};
const reject = () => {
	const isNoteMissing = find("#decide[data-needs-reason]") && !note()?.value.trim();
	if (isNoteMissing) ask("rejected");
	else press("rejected");
};

/** @type {Record<string, () => unknown>} */
const keys = {
	a: () => press("approved"),
	n: () => ask("changes"),
	x: reject,
	z: () => find("#queue-undo button")?.click(),
};
document.addEventListener("keydown", (event) => {
	const { key, target, ctrlKey, metaKey, altKey, shiftKey, isComposing, repeat, defaultPrevented } = event;
	if (ctrlKey || metaKey || altKey || isComposing || defaultPrevented || !find("#file[data-queue][data-keys]")) return;
	if (target === note()) {
		if (key === "Escape") leave();
		if (key !== "Enter" || shiftKey || !pending) return;
		event.preventDefault();
		press(pending);
	} else if (Object.hasOwn(keys, key) && !repeat && isForPage(target)) {
		event.preventDefault();
		keys[key]?.();
	}
});
on(["click"], "#decide [name=verdict]", (button) => {
	if (button instanceof HTMLButtonElement) pressed = button.value;
});

/* A decision that didn't get through */
const lost = () => {
	const notice = find("#decide [data-lost]");
	if (!notice) return;
	notice.hidden = false;
	get("[data-again]", notice).focus();
};
on(["htmx:sendError", "htmx:responseError"], "#decide", lost);
on(["htmx:beforeRequest"], "#decide", (form) => {
	get("[data-lost]", form).hidden = true;
	const unsent = all("#comments textarea", document, HTMLTextAreaElement).find(({ value }) => value.trim());
	if (!unsent) return false;
	const hint = get("#decide-hint");
	hint.textContent = hint.dataset.unsent ?? "";
	unsent.focus();
	say(hint.textContent);
	return true;
});
on(["click"], "#decide [data-again]", () => press(pressed));

/* After a decision: the next result, or the same one if its note is missing */
document.addEventListener("htmx:afterSettle", ({ target }) => {
	if (!(target instanceof Element) || target.id !== "file") return;
	const verdict = find("#decide [aria-invalid]") && find("#decide")?.dataset.pending;
	if (verdict) return ask(verdict);
	pending = "";
	scrollTo({ top: 0 });
	const title = get("#file-title");
	if (title.dataset.announcement || document.activeElement === note()) title.focus({ preventScroll: true });
});
const begun = find("#decide [aria-invalid]") && find("#decide")?.dataset.pending;
if (begun) ask(begun);
