/* Says that an action failed, so that nobody thinks it worked. The note stands where messages do, so that it covers
   nothing, and stays until the next click or action; requests by polls and scripts neither show nor remove it. Without JavaScript, the browser shows the server's error
   page. */
import { find, get } from "./helpers.js";

/**
 * Return whether a request is a poll or was sent by a script, not by a person. `data-background` marks requests that
 * are sent while someone types and that show their own errors.
 *
 * @param {DocumentEventMap["htmx:beforeRequest"]} event
 */
const isBackground = ({ target, detail }) =>
	!detail?.requestConfig?.triggeringEvent?.isTrusted ||
	(target instanceof Element && target.closest("[data-background]") !== null);
const none = () => find("#failed")?.remove();

/** @param {DocumentEventMap["htmx:sendError"]} event */
const tell = (event) => {
	if (isBackground(event)) return;
	none();
	const { forbidden, missing, failed } = get("[data-request-errors]").dataset;
	const sheet = find("dialog[open], [role=dialog]:popover-open");
	const note = document.createElement("div");
	note.id = "failed";
	note.className = "notice bad";
	note.role = "alert";
	note.textContent = { 403: forbidden, 404: missing }[event.detail.xhr?.status] ?? failed ?? "";
	if (sheet) (sheet.lastElementChild ?? sheet).prepend(note);
	else get("#messages").append(note);
	note.scrollIntoView({ block: "nearest" });
};
document.addEventListener("htmx:responseError", tell);
document.addEventListener("htmx:sendError", tell);
document.addEventListener("click", none);
document.addEventListener("htmx:beforeRequest", (event) => {
	if (!isBackground(event)) none();
});
