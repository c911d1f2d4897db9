/* A link made by a click is copied by the same click, where the browser allows it; else its Copy button stands ready. */
"use strict";
document.addEventListener("htmx:afterSettle", () => {
	const fresh = document.querySelector(".share-link.is-fresh:not([data-met])"), button = fresh?.querySelector("[data-copy]");
	if (!button) return;
	fresh.dataset.met = "";
	button.focus();
	const copied = () => {
		button.querySelector("[data-copy-word]").textContent = "Copied";
		document.getElementById("announcer").textContent = "The link is made and copied.";
	};
	navigator.clipboard?.writeText(document.getElementById(button.dataset.copy).textContent).then(copied, () => {});
});
