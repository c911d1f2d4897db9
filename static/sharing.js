/* A link made by a click is copied by the same click, where the browser allows it; else its Copy button stands ready. */
"use strict";
const sheet = document.getElementById("share-sheet");
const openMenu = () => document.querySelector(":is(.run-card-menu, .more-menu):popover-open");
const copyFresh = (fresh) => {
	const button = fresh.querySelector("[data-copy]");
	fresh.dataset.met = "";
	if (!button) return;
	button.hidden = false;
	button.focus();
	const copied = () => {
		button.querySelector("[data-copy-word]").textContent = "Copied";
		document.getElementById("announcer").textContent = "The link is made and copied.";
	};
	navigator.clipboard?.writeText(document.getElementById(button.dataset.copy).textContent).then(copied, () => {});
};
document.addEventListener("htmx:afterSettle", ({ target }) => {
	const share = target.closest(".share") || target.querySelector(".share"), fresh = share?.querySelector(".is-fresh:not([data-met])");
	if (fresh) copyFresh(fresh);
	else if (sheet?.contains(share) && !sheet.contains(document.activeElement)) share.querySelector(".share-title").focus();
});
sheet?.addEventListener("toggle", ({ newState }) => {
	if (newState !== "closed") return;
	const run = sheet.querySelector(".share")?.id.slice(6);
	sheet.lastElementChild.replaceChildren(); // the next run's must never look like this one's
	const menu = openMenu(); // it was opened from there
	menu?.hidePopover();
	menu?.previousElementSibling.focus();
	// the card behind the sheet asks who sees the run now
	const card = document.getElementById(`card-${run}`), isWatched = card?.hasAttribute("data-active");
	card?.setAttribute("data-active", "");
	look().finally(() => isWatched || openMenu() || card?.removeAttribute("data-active"));
});
// what is swapped takes its open menu away, and the sheet that was opened from there: news can wait
document.addEventListener("htmx:beforeRequest", (event) => {
	if (event.target.matches("#live, .file-state") && openMenu()) event.preventDefault();
});
document.addEventListener("htmx:oobBeforeSwap", (event) => event.target.contains(openMenu()) && event.preventDefault());
// a step within the page leaves the menu
document.addEventListener("click", ({ target }) => target.closest('.more-menu [href^="#"]') && openMenu()?.hidePopover());
