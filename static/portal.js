/* The only script in base.html. It contains what every page needs, and imports any other script whose attribute is on
   the page. Pages work without scripts. */
import "./ended.js";
import { all, find, isForPage, on, say, showBusy, showIdle } from "./helpers.js";
import "./live.js";
import "./press.js";

/* ---- On every page */

/* Send a form only once, however often its button is pressed. A script that delays the form cancels the event. */
on(["submit"], "[data-once]", (form, event) => {
	if (event.defaultPrevented || !(form instanceof HTMLFormElement)) return false;
	const { submitter } = event;
	const { locked } = form.dataset;
	form.dataset.locked = "1";
	if (!submitter?.matches("[data-free]")) say(showBusy(form, submitter));
	return !!locked;
});
addEventListener("pageshow", () => {
	for (const form of document.querySelectorAll("form[data-locked]"))
		if (form instanceof HTMLFormElement) {
			delete form.dataset.locked;
			showIdle(form);
		}
});

/* A tap outside an open menu or sheet only closes it. By default, it would also press whatever is under the finger. */
let isTapBeside = false;
document.addEventListener(
	"pointerdown",
	({ target, pointerType }) => {
		const opened = all(":popover-open");
		const isOn = target instanceof Element && opened.some((menu) => menu.contains(target));
		const opens = target instanceof Element && target.closest("[popovertarget]"); // the button itself closes it
		isTapBeside = opened.length > 0 && pointerType !== "mouse" && !isOn && !opens;
	},
	true,
);
document.addEventListener(
	"click",
	(event) => {
		if (!isTapBeside) return;
		isTapBeside = false;
		event.preventDefault();
		event.stopImmediatePropagation();
	},
	true,
);

/* The key "/" focuses the search box; and a text box that gets the focus is scrolled into view */
on(["keydown"], "html", (_, { key, target }) => {
	if (key !== "/" || !isForPage(target)) return false;
	const boxes = [...document.querySelectorAll("[data-hotkey]")];
	const box = boxes.findLast((input) => input instanceof HTMLElement && input.offsetParent);
	if (box instanceof HTMLElement) box.focus();
	return !!box;
});
on(["focusin"], "textarea", (box) => box.scrollIntoView({ block: "nearest" }));

/* What opens for one field (`data-focus`) puts the caret there, so that nothing typed reaches the page's shortcuts */
on(["click"], "[data-focus] > summary", ({ parentElement: fold }) => {
	if (!(fold instanceof HTMLDetailsElement) || fold.open) return false;
	fold.open = true;
	const field = find("input:not([type=hidden]), textarea", fold);
	field?.focus();
	if (field instanceof HTMLInputElement) field.select();
	return true;
});

/* What an empty field was refused for (`data-missing`) goes once something is typed there */
on(["input"], "textarea[aria-invalid]", (field) => {
	const error = document.getElementById(field.getAttribute("aria-describedby")?.split(" ").at(-1) ?? "");
	if (!(field instanceof HTMLTextAreaElement) || !field.value.trim() || !error?.matches("[data-missing]")) return;
	error.remove();
	field.removeAttribute("aria-invalid");
});

/* Escape closes the full time beside a `.moment`, until someone points at it again. If a dialog or menu is open, the
   browser closes that instead, wherever the pointer is. */
on(["keydown"], "html", (_, { key }) => {
	const isFree = key === "Escape" && !find("dialog[open], :popover-open");
	const tip = isFree && find(".moment:is(:hover, :focus):not(.is-hushed)");
	if (tip) tip.classList.add("is-hushed");
	return !!tip;
});
on(["focusout", "pointerout"], ".moment", (moment) => moment.classList.remove("is-hushed"));

/* So it does on a card that has the focus. That isn't all Escape does there: it also clears the selection. */
on(["keydown"], ".run-card", (card, { key }) => key === "Escape" && card.classList.add("is-hushed"));
on(["focusout"], ".run-card", (card) => card.classList.remove("is-hushed"));

/* Tell the portal the browser's time zone, so that the next page shows times in it */
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
if (timeZone) {
	const secure = location.protocol === "https:" ? "; secure" : "";
	// biome-ignore lint/suspicious/noDocumentCookie: cookieStore is new in Firefox and Safari
	document.cookie = `time_zone=${timeZone}; path=/; max-age=${400 * 24 * 3600}; samesite=lax${secure}`;
}

/* ---- Loader. Each import() has a literal path, since the static storage searches the source for these */

/** @type {Map<string, () => Promise<unknown>>} */
const behaviours = new Map([
	["[data-draft-url]", () => import("./app_form.js")],
	["[data-selection-url]", () => import("./selection.js")],
	["[data-comment-form]", () => import("./comments.js")],
	["[data-comparison]", () => import("./compare.js")],
	["[data-picks]", () => import("./compare_pick.js")],
	["[data-copy]", () => import("./copy.js")],
	["[data-dialog]", () => import("./dialog.js")],
	["[data-shortcuts]", () => import("./keys.js")],
	["[data-match-words]", () => import("./long_lists.js")],
	["[data-request-errors]", () => import("./request_errors.js")],
	["[data-sharing]", () => import("./sharing.js")],
	["[data-verdict]", () => import("./verdict.js")],
	["[data-viewer]", () => import("./viewer.js")],
	["[data-queue]", () => import("./queue.js")],
]);

/** @type {Promise<unknown>[]} */
const imports = [];
/** For tests: resolves once every script that this page needs is listening. The load event doesn't wait for them. */
export const listening = () => Promise.all(imports);

// A module runs only once, however often it is imported, so no listener is added twice.
const load = () => {
	for (const [css, start] of behaviours)
		if (document.querySelector(css)) {
			behaviours.delete(css);
			imports.push(start());
		}
};
load();
document.addEventListener("htmx:load", load);
document.addEventListener("htmx:historyRestore", load);
