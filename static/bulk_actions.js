/* Choosing many cards: ranges with Shift, everything with Ctrl or Cmd+A, nothing with Esc. The boxes and the bar work without it. */
"use strict";
{
	// Looked up each time: Back after a search brings a page of new elements, and this script runs once.
	const grid = () => $("#history-results"), bar = () => $("#picks"), PICK = "#history-results .run-card-pick";
	const boxes = () => $$(`${PICK} input`);
	const chosen = new Set(history.state?.chosen);
	let last;

	const count = (isQuiet) => {
		const number = chosen.size, most = +bar().dataset.most, isTooMany = number > most, compare = $("[data-compare]", bar());
		const words = number ? `${number} chosen${isTooMany ? `, at most ${most}` : ""}` : "";
		const told = $("[data-count]", bar());
		if (told.textContent !== words) told.textContent = words;
		for (const act of $$("[name=do]", bar())) act.disabled = isTooMany;
		compare.disabled = number < 2 || number > 4;
		compare.title = compare.disabled ? "Choose two to four to compare" : "";
		if (!number && !isQuiet) say("None chosen.");
		// Back leads to a list with the same cards chosen; a browser by itself would tick by position, and the list has moved
		history.replaceState({ ...history.state, chosen: [...chosen] }, "");
	};
	const set = (box, isOn) => {
		box.checked = isOn;
		if (isOn) chosen.add(box.value);
		else chosen.delete(box.value);
	};
	// Cards come and go with searches, older pages and news: what was chosen stays chosen as long as it is on the page.
	const renew = () => {
		const there = boxes(), known = new Set(there.map((box) => box.value));
		for (const box of there) set(box, box.checked || chosen.has(box.value));
		for (const one of chosen) if (!known.has(one)) chosen.delete(one);
		count(true);
	};
	const none = () => {
		for (const box of boxes()) set(box, false);
		last = null;
		count();
	};

	on("click", `${PICK} input`, (box, event) => {
		const all = boxes(), from = all.findIndex((one) => one.value === last), to = all.indexOf(box);
		set(box, box.checked);
		if (event.shiftKey && from >= 0)
			for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) set(one, box.checked);
		last = box.value;
		count();
	});
	// Shift with a click on the label would select words instead
	on("mousedown", PICK, (label, event) => event.shiftKey);
	// Once something is chosen, a click on a card with Shift chooses, too
	on("click", "#history-results .card-link", (link, event) => {
		const box = $(".run-card-pick input", link.closest(".run-card"));
		if (!box || !chosen.size || !event.shiftKey) return false;
		box.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
		return true;
	});
	document.addEventListener("keydown", (event) => {
		const { key, target } = event, isInside = grid().contains(target) || (chosen.size && target === document.body);
		if (target.matches("input:not([type=checkbox]), textarea, select") || $("dialog[open], :popover-open")) return;
		if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "a" && isInside) {
			event.preventDefault();
			for (const box of boxes()) set(box, true);
			count();
		}
		if (key === "Escape" && chosen.size) none();
	});
	on("reset", "#picks", () => {
		const back = boxes().find((box) => box.value === last);
		none();
		(back || grid()).focus();
		return true;
	});
	// Old results stay while a search goes on; htmx tells its end this way, too, when it failed or a newer one took over.
	on("htmx:beforeRequest", ".history-filters", (form, { detail }) => void (detail.target.ariaBusy = "true"));
	on("htmx:afterRequest", ".history-filters", (form, { detail }) => void (detail.target.ariaBusy = null));
	for (const type of ["htmx:afterSwap", "htmx:oobAfterSwap", "htmx:historyRestore"]) document.addEventListener(type, renew);
	addEventListener("pageshow", renew);
	renew();
}
