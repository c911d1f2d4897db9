/* Selecting many cards or results: Shift for ranges, Ctrl or Cmd+A for all, Esc for none. Each tick is saved on the
   server at once. The boxes and the bar also work without this script. The script runs only once, but elements may be
   replaced when someone goes back after a search, so it looks them up each time instead of keeping them. */
import { all, fill, find, get, isForPage, on, say } from "./helpers.js";

const BOX = '[form="selection"][type="checkbox"]';
const bar = () => get("#selection", document, HTMLFormElement);
const statusLine = () => get("[data-summary]", bar());
const boxes = () => all(BOX, document, HTMLInputElement);

/** Ticks that still have to be sent, by id; `sending` holds those being sent. @type {Map<string, boolean>} */
let changes = new Map();
/** @type {Map<string, boolean>} */
let sending = new Map();
let unsent = ""; // the action of a button whose request didn't get through
let busy = Promise.resolve();
let openedAt = -Infinity; // when the bar opened
/** @type {string | null} */
let last = null;

const place = () => find("#selection-place", document, HTMLInputElement)?.value;
let lastPlace = place();
const total = () => Number(find("[data-number]", statusLine())?.dataset.number ?? 0);
const idsOnPage = () =>
	all('[form="selection"][name="on"]', document, HTMLInputElement)
		.map(({ value }) => value)
		.join(" ");

const countOnPage = () => boxes().filter((box) => box.checked).length;
/** Update the buttons to match the selection, and say how much of it isn't on this page. */
const renew = () => {
	const size = total();
	const elsewhere = Math.max(0, size - countOnPage());
	const line = get(".selection-elsewhere", statusLine());
	line.hidden = !elsewhere;
	get("span", line).textContent = fill(bar().dataset.elsewhere, { count: elsewhere });
	const isTooMany = Boolean(find("[data-too-many]", statusLine()));
	const isTooLarge = Boolean(find("[data-too-large]", statusLine()));
	for (const act of all('[data-needs="files"]', bar(), HTMLButtonElement)) act.disabled = isTooMany;
	for (const act of all('[data-needs="zip"]', bar(), HTMLButtonElement)) act.disabled = isTooMany || isTooLarge;
	const compare = get('[data-needs="pair"]', bar(), HTMLButtonElement);
	compare.disabled = size < 2 || size > 4;
	compare.title = compare.disabled ? (bar().dataset.pair ?? "") : "";
};
/** Show a count until the server's arrives. @param {number} size */
const show = (size) => {
	const count = get("[data-number]", statusLine());
	count.dataset.number = String(size);
	get("[data-count]", count).textContent = size ? fill(bar().dataset.countWords, { count: size }) : "";
	find(".selection-size", count)?.remove();
	find(".selection-cleared", statusLine())?.remove();
	if (!size) find(".selection-all", statusLine())?.remove();
	renew();
};

/**
 * @param {string} act
 * @param {Map<string, boolean>} ticks
 */
const fields = (act, ticks) => {
	const form = new FormData();
	for (const input of all('input[type="hidden"]:not([name="on"])', bar(), HTMLInputElement))
		form.append(input.name, input.value);
	form.append("do", act);
	// What `on` names and isn't ticked is taken out of the selection. A download needs all of it; its ticks are saved.
	const onPage = act.startsWith("download") ? "" : idsOnPage();
	form.append("on", ticks.size ? [...ticks.keys()].join(" ") : onPage);
	const name = boxes()[0]?.name ?? "r";
	for (const [id, isOn] of ticks) if (isOn) form.append(name, id);
	return form;
};
/**
 * Send the pressed button or the changed ticks, and show the response unless something has changed since.
 *
 * @param {string} act
 * @param {Map<string, boolean>} [ticks]
 */
const send = async (act, ticks = new Map()) => {
	const answer = await fetch(bar().dataset.selectionUrl ?? "", {
		method: "POST",
		body: fields(act, ticks),
		headers: { "HX-Request": "true" },
		keepalive: true, // so that no tick is lost if someone follows a link right away
	});
	const html = await answer.text();
	if (!answer.ok || answer.redirected || !html.includes("data-number")) throw new Error(`status ${answer.status}`);
	const isDownload = html.includes("data-download");
	if (changes.size && !isDownload) return;
	statusLine().innerHTML = html;
	if (isDownload) startDownload();
	const ticked = new Set(find("[data-ticked]", statusLine())?.dataset.ticked?.split(" "));
	if (!ticks.size) for (const box of boxes()) box.checked = changes.get(box.value) ?? ticked.has(box.value);
	renew();
};
/** Download what was selected; the page stays as it is. */
const startDownload = () => {
	const line = get("[data-download]", statusLine());
	say(find("span", line)?.textContent ?? "");
	location.assign(line.dataset.download ?? "");
};
const lost = () => {
	changes = new Map([...sending, ...changes]);
	sending = new Map();
	// the selection may have been cleared in the meantime
	for (const box of boxes()) if (changes.has(box.value)) changes.set(box.value, box.checked);
	get("[data-count]", statusLine()).textContent = bar().dataset.unsaved ?? "";
};
/** Save the ticks, one request after the other, so that an earlier one never arrives last. */
const save = () => {
	busy = busy
		.then(async () => {
			if (unsent) await send(unsent);
			unsent = "";
			if (!changes.size) return;
			sending = changes;
			changes = new Map();
			await send("", sending);
			sending = new Map();
		})
		.catch(lost);
};
/** Send a button's action, which changes the selection. @param {string} act */
const press = (act) => {
	save();
	busy = busy
		// A download that was pressed twice has ended the selection already
		.then(() => (act.startsWith("download") && !total() ? undefined : send(act)))
		.catch(() => {
			unsent = act;
			lost();
		});
	return busy;
};
/** Send again what didn't get through, without waiting for the next tick. */
const retry = () => {
	if (find("#selection") && (changes.size || unsent)) save();
};
const SETTLES = 500;
// The bar may open over the next row, where a quick second tap, meant for that row, would press one of its buttons
document.addEventListener(
	"click",
	(event) => {
		const isTap = event instanceof PointerEvent && event.pointerType === "touch";
		if (!isTap || performance.now() - openedAt > SETTLES) return;
		if (!(event.target instanceof Element && event.target.closest("#selection"))) return;
		event.preventDefault();
		event.stopImmediatePropagation();
	},
	true,
);
/** @param {HTMLInputElement} box @param {boolean} isOn */
const set = (box, isOn) => {
	box.checked = isOn;
	changes.set(box.value, isOn);
};
/** @param {number} before how many boxes on the page were ticked */
const ticked = (before) => {
	// A run's page shows the bar only while a result there is selected
	const isOpening = find("main > .run-page") ? !before : !total();
	if (isOpening) openedAt = performance.now();
	const isCleared = Boolean(find(".selection-cleared", statusLine()));
	const size = Math.max(0, (isCleared ? 0 : total()) + boxes().filter((box) => box.checked).length - before);
	show(size);
	if (!size) say(bar().dataset.none);
	save();
};
const none = () => {
	for (const box of boxes()) box.checked = false;
	last = null; // `press` first saves ticks that haven't been sent, so that Undo brings them back
	say(bar().dataset.none);
	return press("clear");
};
// Scroll the focused element clear of the bar, whose height depends on its text and buttons
const measure = new ResizeObserver(() => {
	const height = find("#selection")?.offsetHeight;
	if (height) document.documentElement.style.setProperty("--selection-height", `${height}px`);
});
// Cards that were swapped in may lack ticks that the server didn't know yet
const refresh = () => {
	if (!find("#selection")) return;
	measure.observe(bar());
	for (const box of boxes()) box.checked = changes.get(box.value) ?? sending.get(box.value) ?? box.checked;
	renew();
};

on(["click"], BOX, (box, event) => {
	if (!(box instanceof HTMLInputElement)) return;
	const there = boxes();
	const before = countOnPage() - (box.checked ? 1 : -1);
	const from = there.findIndex((one) => one.value === last);
	const to = there.indexOf(box);
	set(box, box.checked);
	if (event.shiftKey && from >= 0)
		for (const one of there.slice(Math.min(from, to), Math.max(from, to) + 1)) set(one, box.checked);
	last = box.value;
	ticked(before);
});
// Without this, a Shift-click on the label would select text
on(["mousedown"], `label:has(${BOX})`, (_, event) => event.shiftKey);
// Once a card is selected, a Shift-click on another card selects it too
on(["click"], "#history-results .card-link", (link, event) => {
	const card = link.closest(".run-card");
	const box = card && find(".run-card-tick input", card);
	if (!box || !total() || !event.shiftKey) return false;
	box.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
	return true;
});
document.addEventListener("keydown", (event) => {
	const { key, target } = event;
	if (!(target instanceof Element) || !find("#selection")) return;
	if (key === "Enter" && target instanceof HTMLInputElement && target.matches(BOX)) {
		event.preventDefault(); // otherwise, the form's first button would be pressed
		if (!event.repeat) target.click();
	}
	const isInside = find("#history-results, #outputs")?.contains(target) || (total() > 0 && target === document.body);
	if (!isForPage(target)) return;
	if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "a" && isInside && boxes().length) {
		event.preventDefault();
		const before = countOnPage();
		for (const box of boxes()) set(box, true);
		ticked(before);
	}
	if (key === "Escape" && total() && bar().checkVisibility() && !event.repeat && !event.defaultPrevented) none();
});
on(["click"], "#selection [data-selection-act]", (button) => {
	if (!(button instanceof HTMLButtonElement)) return false;
	const done = button.value === "clear" ? none() : press(button.value);
	done.then(() => {
		if (!document.activeElement || document.activeElement === document.body || button.value === "clear")
			(find(".selection-cleared button", statusLine()) ?? find(BOX))?.focus();
	});
	return true;
});
// The page stays as it is when a download starts, so the bar shows that the selection has ended. For anything else, first
// wait for the last ticks: if they arrived later, they would begin a new selection.
on(["submit"], "#selection", (_, { submitter }) => {
	if (!(submitter instanceof HTMLButtonElement)) return false;
	if (submitter.value.startsWith("download")) {
		press(submitter.value);
		return true;
	}
	if (!sending.size) return false;
	busy.then(() => bar().requestSubmit(submitter));
	return true;
});
// Send only unsaved ticks: all others are saved already, and a form can have only a few thousand fields
document.addEventListener("formdata", ({ target, formData }) => {
	if (target !== find("#selection")) return;
	const unsaved = new Map([...sending, ...changes]);
	const name = boxes()[0]?.name ?? "r";
	formData.delete("on");
	formData.delete(name);
	formData.append("on", [...unsaved.keys()].join(" "));
	formData.append("shown", idsOnPage());
	for (const [id, isOn] of unsaved) if (isOn) formData.append(name, id);
});
addEventListener("online", retry);
document.addEventListener("visibilitychange", retry);
addEventListener("pagehide", () => {
	if (changes.size) navigator.sendBeacon(bar().dataset.selectionUrl ?? "", fields("", changes));
});

// Old results stay during a search. htmx also fires afterRequest if the search failed or a newer one replaced it.
on(["htmx:beforeRequest"], ".history-filters", (_, { detail }) => {
	detail.target.ariaBusy = "true";
});
on(["htmx:afterRequest"], ".history-filters", (_, { detail }) => {
	detail.target.ariaBusy = null;
});
// The apps to choose from change with the list, but not while the select has the focus; what was chosen stays chosen
document.addEventListener("htmx:oobBeforeSwap", (event) => {
	const { target: select, detail } = event;
	if (!(select instanceof HTMLSelectElement) || select.id !== "history-app") return;
	event.preventDefault();
	const renewApps = () => {
		const [option] = select.selectedOptions;
		select.replaceChildren(...detail.fragment.children);
		if (!option) return;
		select.value = option.value;
		if (select.selectedIndex < 0) select.append(option); // it was chosen after this list was requested
	};
	if (select === document.activeElement) select.addEventListener("blur", renewApps, { once: true });
	else renewApps();
});
document.addEventListener("htmx:afterSwap", refresh);
document.addEventListener("htmx:oobAfterSwap", refresh);
document.addEventListener("htmx:afterSettle", ({ target }) => {
	if (!(target instanceof Element) || target.id !== "history-results") return;
	const isMoved = place() !== lastPlace; // the list may now show the team's runs instead of the person's own
	lastPlace = place();
	if (total() || isMoved) press("look"); // the list now has other runs
});
document.addEventListener("htmx:historyRestore", refresh);
addEventListener("pageshow", ({ persisted }) => {
	if (persisted && find("#selection")) press("look"); // other pages may have changed the selection
});
/** Save the ticks that were made before this script had loaded. */
const takeEarly = () => {
	const early = boxes().filter((box) => box.checked !== box.defaultChecked);
	for (const box of early) set(box, box.checked);
	last = early.at(-1)?.value ?? null;
	if (early[0]) ticked(boxes().filter((box) => box.defaultChecked).length);
};
takeEarly();
refresh();
