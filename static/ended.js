/* Announces new notices: in a line for each at the top of the page, which closes by itself once it was in view, in the
   bell's list, and in the tab's title. */

import { all, find, get, on, recall, store } from "./helpers.js";
import { lookAtFrame } from "./live.js";

const TOLD = "told";
const REMEMBERED = 200;
const LINES = 3;
const STAYS = 12;
const TICK = 1000;

const region = find("#ended") ?? document.createElement("div"); // a placeholder: nobody is signed in, so no notices
const list = () => find("#bell-list");
const news = () => all("#bell-list [data-ended]");

/** @param {string | undefined} id */
const lineOf = (id) => find(`[data-line="${id}"]`, region);

/* ---- Lines */

/** @param {HTMLElement} line */
const close = (line) => {
	const hadFocus = line.contains(document.activeElement);
	line.remove();
	if (hadFocus) (find("button", region) ?? find("#bell"))?.focus();
};

/** @param {HTMLElement} item of the bell's list */
const show = (item) => {
	const frame = get("#ended-frame", document, HTMLTemplateElement).content.cloneNode(true);
	if (!(frame instanceof DocumentFragment)) return;
	const line = get(".ended-line", frame);
	line.dataset.line = item.dataset.ended;
	line.dataset.left = String(STAYS);
	line.prepend(get("a", item).cloneNode(true));
	region.append(frame);
};

/** Show the picture that has arrived in the meantime, without another announcement. @param {HTMLElement} item */
const refresh = (item) => {
	const line = lineOf(item.dataset.ended);
	const picture = find(".ended-picture", item);
	if (line && picture) find(".ended-picture", line)?.replaceWith(picture.cloneNode(true));
};

let announced = ""; // what was announced on this page, in case the browser's storage is blocked
const remembered = () => `${recall(TOLD, "localStorage")} ${announced}`.split(" ");

let titled = find("#bell")?.dataset.count ?? ""; // the count in the tab's title
const tell = () => {
	if (!find("#bell")) return;
	const title = titled ? document.title.replace(/^\(\d+\+?\) /, "") : document.title;
	titled = get("#bell").dataset.count ?? "";
	document.title = titled ? `(${titled}) ${title}` : title;
	if (document.hidden) return; // nobody would see the lines before they close
	const earlier = remembered();
	const items = news();
	for (const item of items) refresh(item);
	const here = find("#run-panel")?.dataset.run; // the run's own page already shows that it has ended
	const fresh = items.filter(
		({ dataset: { ended = "", fresh } }) => fresh !== undefined && ended !== here && !earlier.includes(ended),
	);
	for (const item of find(".inbox") ? [] : fresh.slice(0, LINES)) show(item); // the inbox already lists them
	const ids = new Set([...items.map(({ dataset }) => dataset.ended), ...earlier]);
	announced = [...ids].slice(0, REMEMBERED).join(" ");
	store(TOLD, announced, "localStorage");
};

on(["click"], "#ended button", (button) => {
	const line = button.closest(".ended-line");
	if (line instanceof HTMLElement) close(line);
});
setInterval(() => {
	const isSeen = region.getBoundingClientRect().bottom > 0; // further down the page, only the bell tells
	if (document.hidden || !isSeen || region.matches(":hover, :focus-within")) return;
	for (const line of all("[data-left]", region)) {
		line.dataset.left = String(Number(line.dataset.left) - 1);
		if (Number(line.dataset.left) <= 0) close(line);
	}
}, TICK);

/* ---- The bell's list */

let isLate = false; // whether there is news that the list doesn't show yet
const isOpen = () => !!list()?.matches(":popover-open");

/** Mark what the list shows as seen. @param {HTMLElement} opened */
const mark = (opened) => {
	region.replaceChildren();
	find("form", opened, HTMLFormElement)?.requestSubmit();
};

// opening the list marks what it shows; `toggle` doesn't bubble
document.addEventListener(
	"toggle",
	({ target, newState }) => {
		if (!(target instanceof HTMLElement) || target.id !== "bell-list") return;
		if (newState === "open") mark(target);
		else if (isLate) {
			isLate = false;
			get("#bell").dataset.bell = "";
			lookAtFrame();
		}
	},
	true,
);
// the list stays unchanged while someone reads it; what is new is added after they close it
document.addEventListener("htmx:oobBeforeSwap", (event) => {
	if (!(event.target instanceof Element) || event.target.id !== "bell-list" || !isOpen()) return;
	event.preventDefault();
	isLate = true;
});

document.addEventListener("htmx:afterSettle", tell);
document.addEventListener("visibilitychange", tell);
tell();
// the list may have been opened before this script had loaded; htmx handles no forms before this event
document.addEventListener("DOMContentLoaded", () => {
	const opened = list();
	if (opened && isOpen()) mark(opened);
});
