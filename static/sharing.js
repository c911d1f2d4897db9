/* A link made by a click is copied by the same click, where the browser allows it; else its Copy button stands ready. */
import { copy } from "./copy.js";
import { look } from "./live.js";
import { find, get, on } from "./portal.js";

const openMenu = () => find(":is(.run-card-menu, .more-menu):popover-open");

/** @param {HTMLElement} fresh */
const copyFresh = (fresh) => {
	const button = find("[data-copy]", fresh);
	fresh.dataset.met = "";
	if (!button) return;
	button.hidden = false;
	button.focus();
	copy(button, button.dataset.made).catch(() => {});
};

document.addEventListener("htmx:afterSettle", ({ target }) => {
	if (!(target instanceof Element)) return;
	const sheet = find("#share-sheet");
	const share = target.closest(".share") ?? find(".share", target);
	const fresh = share && find(".is-fresh:not([data-met])", share);
	if (fresh) copyFresh(fresh);
	else if (share && sheet?.contains(share) && !sheet.contains(document.activeElement))
		get(".share-title", share).focus();
});

/** @param {HTMLElement} sheet that was just closed */
const close = (sheet) => {
	const run = find(".share", sheet)?.id.slice("share-".length);
	sheet.lastElementChild?.replaceChildren(); // the next run's must never look like this one's
	const menu = openMenu(); // it was opened from there
	menu?.hidePopover();
	if (menu?.previousElementSibling instanceof HTMLElement) menu.previousElementSibling.focus();
	// the card behind the sheet asks who sees the run now
	const card = document.getElementById(`card-${run}`);
	const isWatched = card?.hasAttribute("data-active");
	card?.setAttribute("data-active", "");
	look().finally(() => isWatched || openMenu() || card?.removeAttribute("data-active"));
};
// `toggle` does not bubble
document.addEventListener(
	"toggle",
	({ target, newState }) => {
		if (target instanceof HTMLElement && target.id === "share-sheet" && newState === "closed") close(target);
	},
	true,
);

// what is swapped takes its open menu away, and the sheet that was opened from there: news can wait
on(["htmx:beforeRequest"], "#live, .file-state", () => !!openMenu());
document.addEventListener("htmx:oobBeforeSwap", (event) => {
	if (event.target instanceof Element && event.target.contains(openMenu())) event.preventDefault();
});
// a step within the page leaves the menu
on(["click"], '.more-menu [href^="#"]', () => openMenu()?.hidePopover());
