/* Says so when an action failed, until the next click, so that it doesn't seem done. Without scripts, the browser shows
   the server's error page. */
import { find, get } from "./portal.js";

// Requests that nobody triggered, or that show their own errors
const QUIET = "#live, .is-sending, [data-autosave], #app-news, #app-cost, #form-look, #lamina, .file-state";

/** @param {EventTarget | null} target */
const isQuiet = (target) => target instanceof Element && target.closest(QUIET) !== null;
const none = () => find("#failed")?.remove();

/** @param {DocumentEventMap["htmx:sendError"]} event */
const tell = ({ target, detail }) => {
	if (isQuiet(target)) return;
	none();
	const { forbidden, missing, failed } = get("[data-request-errors]").dataset;
	const sheet = find(".share-sheet:popover-open");
	const note = document.createElement("div");
	note.id = "failed";
	note.className = "notice bad";
	note.role = "alert";
	note.textContent = { 403: forbidden, 404: missing }[detail.xhr?.status] ?? failed ?? "";
	(sheet?.lastElementChild ?? document.body).prepend(note);
};
document.addEventListener("htmx:responseError", tell);
document.addEventListener("htmx:sendError", tell);
document.addEventListener("click", none);
document.addEventListener("htmx:beforeRequest", ({ target }) => {
	if (!isQuiet(target)) none();
});
