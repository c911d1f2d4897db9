/* An app's form: Run waits for its files, Back restores it, and what is typed is saved as a draft. */
import { boxOf, complain, takeAllChosen } from "./app_files.js";
import { all, fill, find, get, on, recall, renewToken, say, showBusy, showIdle, store } from "./helpers.js";

const form = get(".app-form", document, HTMLFormElement);
const draftUrl = form.dataset.draftUrl ?? "";

/* If someone presses Run and then Back, the browser would restore only half of the form, so the server fills it in. */

const restore = () => {
	const { sentToken: sent, sentNext: next = "" } = history.state ?? {};
	if (sent) location.replace(`?${new URLSearchParams({ sent, next })}`);
};
restore();
addEventListener("pageshow", ({ persisted }) => {
	if (persisted && history.state?.isClosed)
		location.reload(); // once Reset or Undo has been pressed, this page can no longer save anything
	else if (persisted) restore();
});
// If this page is the response to a form, let Back request it again; otherwise, the browser would refuse to show it
history.replaceState(history.state, "", location.href);

on(["submit", "portal:accepted"], ".app-form", (_, { defaultPrevented, submitter }) => {
	if (defaultPrevented) return;
	const isClosed = Boolean(submitter?.hasAttribute("formaction"));
	const posted = new FormData(form);
	const state = { sentToken: posted.get("token"), sentNext: posted.get("next") ?? "" };
	history.replaceState({ ...history.state, ...(submitter?.matches("[data-free]") ? {} : state), isClosed }, "");
});

/* Run waits for uploads in progress, and a button that saves the form also waits for an autosave in progress: if that
   arrived later, it would replace what the button has saved with older values. */

/** @type {HTMLElement | null} */
let pressed = null;
let isSaving = false;

/** @param {Element | null} button */
const waitsForSave = (button) => isSaving && Boolean(button?.matches("[data-free][name]"));

/** Send the waiting form once there is nothing left to wait for. */
const check = () => {
	if (!form.dataset.waiting) return;
	const button = pressed?.hasAttribute("name") ? pressed : find("[data-run]", form);
	const left = all("progress", form, HTMLProgressElement);
	const failed = find(".is-failed", form);
	if (button && left.length && !failed) {
		const percent = Math.round(left.reduce((sum, bar) => sum + bar.value, 0) / left.length);
		showBusy(form, pressed, fill(form.dataset.waits, { percent }));
		return;
	}
	if (waitsForSave(button) && !failed) return;
	delete form.dataset.waiting;
	showIdle(form);
	if (failed) complain(boxOf(failed), boxOf(failed).dataset.failed);
	else if (button) form.requestSubmit(button);
	else say(find("#launch-reason")?.textContent ?? ""); // the cost has arrived in the meantime and rules out Run
};
on(["htmx:xhr:progress", "htmx:sendError", "htmx:responseError"], ".file-tile", check);
on(["htmx:afterSettle", "change"], ".upload", check);
on(["htmx:afterSettle"], "#app-cost", check);

// This listener runs before the one in `press.js`, which sends the form once there are no more uploads to wait for
addEventListener(
	"submit",
	(event) => {
		const { target, submitter } = event;
		if (target !== form || form.dataset.locked) return;
		const waits = find("progress", form) || waitsForSave(submitter);
		if (!waits || submitter?.matches("[data-free]:not([name])")) return;
		event.preventDefault();
		event.stopPropagation();
		pressed = submitter;
		form.dataset.waiting = "1";
		check();
	},
	true,
);

/* The draft, and the values of folded questions */

// Edits made so far, sent with the current request, and saved. Those made after a request was sent aren't saved yet.
let edits = 0;
let savingEdits = 0;
let savedEdits = 0;
let sentWords = "";
let isOld = false; // true if the page shows less than what was saved

/** Return what is in the form; for new files, only their names. */
const words = () => String(new URLSearchParams(/** @type {any} */ (new FormData(form))));

/**
 * Remember in this tab what was saved last, and when.
 *
 * @param {string} saved
 * @param {number | null} [at] null if it may not have arrived
 */
const note = (saved, at = Date.now()) => store(draftUrl, JSON.stringify({ saved, at }), "sessionStorage");

on(["input", "change"], ".app-form", (_, { target }) => {
	edits += 1;
	renewToken(form);
	if (!(target instanceof HTMLElement)) return;
	const box = target.closest(".upload");
	const name = box?.getAttribute("data-upload") ?? target.getAttribute("name") ?? "";
	const now = find(`[data-summary-of="${CSS.escape(name)}"]`);
	if (!now) return;
	const count = box ? all("[name$=_kept]", box).length : 0;
	const choice = target instanceof HTMLSelectElement ? target.selectedOptions[0] : target.closest(".choice");
	const typed = "value" in target ? String(target.value).slice(0, 60) : "";
	const words = box ? count && fill(now.dataset.countWords, { count }) : choice?.textContent || typed;
	now.textContent = words || (now.dataset.none ?? "");
});

on(["htmx:beforeRequest"], "[data-autosave]", (node) => {
	savingEdits = edits;
	sentWords = words();
	isSaving = !isOld && !node.closest("[data-locked]");
	return !isSaving;
});
// if the session has expired, the page stays: what was typed isn't saved anywhere else
on(["htmx:beforeOnLoad"], "[data-autosave], #app-news", (_, { detail }) =>
	Boolean(detail.xhr.getResponseHeader("HX-Redirect")),
);
on(["htmx:afterRequest"], "[data-autosave]", (_, { detail }) => {
	if (detail.xhr.status === 204) {
		savedEdits = savingEdits;
		if (!form.dataset.locked) note(sentWords);
	}
	get("[data-draft-saved]").hidden = savedEdits < edits;
	const unsaved = get("[data-unsaved]");
	const isSignedOut = detail.xhr.status === 401;
	unsaved.hidden = detail.xhr.status < 400;
	get("p", unsaved).textContent = (isSignedOut ? unsaved.dataset.signedOut : unsaved.dataset.failed) ?? "";
	get("button", unsaved).hidden = !isSignedOut;
	isSaving = false;
	check();
});

// save the last edits in this tab too, since a reload can overtake the request that saves them
addEventListener("pagehide", () => {
	if (savedEdits === edits || isOld || form.dataset.locked || !draftUrl) return;
	note(words(), null);
	navigator.sendBeacon(draftUrl, new URLSearchParams(words()));
});

/**
 * Save `saved` again, with files chosen in the meantime, and reload the page, which may not show all of this.
 *
 * @param {string} saved the last saved draft
 */
const saveAgain = async (saved) => {
	form.inert = true;
	isOld = true;
	const body = new URLSearchParams(saved);
	const tilesBefore = new Set(all("[data-file]", form));
	takeAllChosen();
	while (find(".is-sending", form)) await new Promise((done) => setTimeout(done, 50));
	for (const tile of all("[data-file]", form).filter((one) => !tilesBefore.has(one))) {
		const { name, value } = get("input", tile, HTMLInputElement);
		if (!boxOf(tile).matches(".is-multiple")) body.delete(name);
		body.append(name, value);
	}
	body.set("csrfmiddlewaretoken", get("[name=csrfmiddlewaretoken]", document, HTMLInputElement).value);
	try {
		await fetch(draftUrl, { method: "POST", body });
		location.reload();
	} catch {
		form.inert = isOld = false;
	}
};

// A page requested before the response to the last save may have been rendered without it
const last = recall(draftUrl, "sessionStorage");
store(draftUrl, "", "sessionStorage");
const { saved = "", at = null } = last ? JSON.parse(last) : {};
if (saved && (at === null || at >= performance.timeOrigin)) saveAgain(saved);
