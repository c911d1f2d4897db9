/* The click that makes a link also copies it, if the browser allows it; otherwise, the Copy button is focused. */
import { copy } from "./copy.js";
import { all, find, get, on } from "./helpers.js";
import { look } from "./live.js";

const openMenu = () => find(":is(.run-card-menu, .more-menu):popover-open");

/** @param {HTMLElement} fresh */
const copyFresh = (fresh) => {
	const button = find("[data-copy]", fresh);
	fresh.dataset.met = "";
	if (!button) return;
	button.hidden = false;
	button.focus();
	copy(button, button.dataset.message).catch(() => {});
};

document.addEventListener("htmx:afterSettle", ({ target }) => {
	if (!(target instanceof Element)) return;
	const sheet = find(".share-sheet:popover-open");
	const share = target.closest(".share") ?? find(".share", target);
	const fresh = share && find(".is-fresh:not([data-met])", share);
	if (fresh) copyFresh(fresh);
	else if (sheet?.contains(target) && !sheet.contains(document.activeElement))
		find(":is(.share-title, .ask-title)", sheet)?.focus();
});

/** @param {HTMLElement} sheet that was just closed */
const close = (sheet) => {
	const run = find(".share", sheet)?.id.slice("share-".length);
	sheet.lastElementChild?.replaceChildren(); // otherwise, the next run's sheet would show this at first
	const menu = openMenu(); // the menu that the sheet was opened from
	menu?.hidePopover();
	if (menu?.previousElementSibling instanceof HTMLElement) menu.previousElementSibling.focus();
	// refresh the card behind the sheet, since who can see the run may have changed
	const card = document.getElementById(`card-${run}`);
	const isWatched = card?.hasAttribute("data-active");
	card?.setAttribute("data-active", "");
	look().finally(() => isWatched || openMenu() || card?.removeAttribute("data-active"));
};
// `toggle` doesn't bubble
document.addEventListener(
	"toggle",
	({ target, newState }) => {
		if (target instanceof HTMLElement && target.matches(".share-sheet") && newState === "closed") close(target);
	},
	true,
);

// delay updates while a menu is open: swapping its card would close the menu and any sheet opened from it
on(["htmx:beforeRequest"], "#live, .file-state", () => !!openMenu());
document.addEventListener("htmx:oobBeforeSwap", (event) => {
	if (event.target instanceof Element && event.target.contains(openMenu())) event.preventDefault();
});
// close the menu when following a link within the page
on(["click"], '.more-menu [href^="#"]', () => openMenu()?.hidePopover());
// when more results arrive, what someone has ticked for a guest link stays ticked
document.addEventListener("htmx:oobBeforeSwap", ({ target, detail }) => {
	if (!(target instanceof Element) || !target.matches(".share-results") || !find("details", target)) return;
	const fresh = find("details", detail.fragment, HTMLDetailsElement); // missing if there is nothing left to choose
	if (fresh) fresh.open = get("details", target, HTMLDetailsElement).open;
	for (const old of all("[name=pick]", target, HTMLInputElement)) {
		const box = find(`[value="${old.value}"]`, detail.fragment, HTMLInputElement);
		if (box) box.checked = old.checked;
	}
});
