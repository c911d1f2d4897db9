/* An act that did not get through says so, until the next click: nothing that was pressed may seem done. Without scripts
   the browser shows the server's own page. */
"use strict";
{
	const QUIET = "#live, .is-sending, [data-autosave], #app-news, #app-cost, #form-look, #lamina, .file-state"; // requests nobody pressed for, or that show their own errors
	const WORDS = {
		403: "You may not do that any more. Reload the page to see what is still yours to do.",
		404: "It is not there any more, or not shared with you. Nothing was changed.",
	};
	const none = () => document.querySelector("#failed")?.remove();
	const tell = ({ target, detail }) => {
		if (target.closest(QUIET)) return;
		none();
		const sheet = document.querySelector(".share-sheet:popover-open"), note = document.createElement("div");
		note.id = "failed";
		note.className = "notice bad";
		note.role = "alert";
		note.textContent = WORDS[detail.xhr?.status] || "That did not get through. Try again in a moment, or reload the page.";
		(sheet?.lastElementChild || document.body).prepend(note);
	};
	for (const type of ["htmx:responseError", "htmx:sendError"]) document.addEventListener(type, tell);
	document.addEventListener("click", none);
	document.addEventListener("htmx:beforeRequest", ({ target }) => target.closest(QUIET) || none());
}
