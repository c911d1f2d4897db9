/* Comments: mentions while typing, spots on pictures, times in video and audio. Without this script, the forms open on
   separate pages, with a field for each of these. */
import { all, find, on, say } from "./helpers.js";

/** @param {Element} within */
const form = (within) => {
	const closest = within.closest("[data-comment-form]");
	return closest instanceof HTMLFormElement ? closest : null;
};
/** @param {HTMLFormElement} owner @param {string} name */
const field = (owner, name) => find(`[name=${name}]`, owner, HTMLInputElement);

/* ---- Mentions: a list below the text while someone types a name after "@" */

const NAMING = /(?:^|[\s(])@([^\s@](?:[^\n@]{0,30}[^\s@])?)?$/u;
/** @type {AbortController | undefined} */
let aborter;

/** @param {HTMLTextAreaElement} text */
const options = (text) => {
	const owner = form(text);
	return owner ? find(".people-matches", owner) : null;
};
/** @param {HTMLTextAreaElement} text */
const closeOptions = (text) => {
	aborter?.abort();
	const list = options(text);
	if (!list) return;
	list.hidden = true;
	list.replaceChildren();
	text.removeAttribute("aria-activedescendant");
};
/** @param {HTMLTextAreaElement} text @param {HTMLElement} list @param {number} step */
const move = (text, list, step) => {
	const people = all("[data-person]", list);
	const at = people.findIndex((person) => person.ariaSelected === "true");
	const next = people[(at + step + people.length) % people.length];
	for (const person of people) person.ariaSelected = String(person === next);
	if (next) text.setAttribute("aria-activedescendant", next.id);
	next?.scrollIntoView({ block: "nearest" });
};
/** @param {HTMLTextAreaElement} text */
const askPeople = async (text) => {
	const owner = form(text);
	const list = options(text);
	const naming = NAMING.exec(text.value.slice(0, text.selectionStart));
	closeOptions(text);
	if (!owner || !list || !naming) return;
	aborter = new AbortController();
	const { signal } = aborter;
	const query = new URLSearchParams({ q: naming[1] ?? "" });
	const answer = await fetch(`${owner.dataset.peopleUrl}?${query}`, { headers: { "HX-Request": "true" }, signal });
	if (!answer.ok) return;
	const html = await answer.text();
	if (signal.aborted) return;
	list.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.children);
	list.hidden = !list.firstElementChild;
	if (list.hidden) return;
	text.setAttribute("aria-controls", list.id);
	move(text, list, 1);
};
/** @param {HTMLTextAreaElement} text @param {HTMLElement} person */
const pick = (text, person) => {
	const { name = "", person: id = "" } = person.dataset;
	const before = text.value.slice(0, text.selectionStart);
	const start = before.lastIndexOf("@");
	text.setRangeText(`@${name} `, start, text.selectionStart, "end");
	const input = document.createElement("input");
	Object.assign(input, { type: "hidden", name: "mention", value: id });
	find("[data-picked]", form(text) ?? document)?.append(input);
	closeOptions(text);
	text.focus();
	text.dispatchEvent(new Event("input", { bubbles: true }));
};
/** @param {Element} node */
const textOf = (node) => {
	const owner = form(node);
	return owner && find("textarea", owner, HTMLTextAreaElement);
};

/** @type {ReturnType<typeof setTimeout> | undefined} */
let soon;
on(["input"], "[data-comment-form] textarea", (text) => {
	if (!(text instanceof HTMLTextAreaElement)) return;
	clearTimeout(soon);
	soon = setTimeout(() => askPeople(text).catch(() => {}), 120);
	holdPlayer(text);
});
on(["keydown"], "[data-comment-form] textarea", (text, event) => {
	if (!(text instanceof HTMLTextAreaElement)) return false;
	const list = options(text);
	if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
		form(text)?.requestSubmit();
		return true;
	}
	if (!list || list.hidden) return false;
	const option = find("[aria-selected=true]", list);
	if (event.key === "ArrowDown" || event.key === "ArrowUp") move(text, list, event.key === "ArrowDown" ? 1 : -1);
	else if ((event.key === "Enter" || event.key === "Tab") && option) pick(text, option);
	else if (event.key === "Escape") closeOptions(text);
	else return false;
	return true;
});
on(["mousedown"], "[data-person]", () => true); // keep the focus in the text
on(["click"], "[data-person]", (person) => {
	const text = textOf(person);
	if (text) pick(text, person);
});
on(["focusout"], "[data-comment-form] textarea", (text) => {
	if (text instanceof HTMLTextAreaElement) closeOptions(text);
});

/* ---- Spots: the next click on the picture, or two numbers */

/** @type {HTMLFormElement | null} */
let picking = null;
const frame = () => find("[data-frame]:has(img)");

/** @param {HTMLFormElement | null} owner the form whose spot the next click on the picture sets */
const setPicking = (owner) => {
	picking = owner && frame() ? owner : null;
	find("[data-stage]")?.classList.toggle("is-picking", !!picking);
	if (!picking) return;
	const box = frame()?.getBoundingClientRect();
	if (box && (box.top < 60 || box.bottom > innerHeight)) frame()?.scrollIntoView({ block: "center" });
	say(find("[data-pick-hint]", picking)?.textContent.trim());
};

/** Move the new dot to the numbers in the fields, or hide it. @param {HTMLFormElement} owner */
const showDot = (owner) => {
	const dot = find("#pin-new", document, SVGElement);
	const [x, y] = ["x", "y"].map((name) => field(owner, name)?.value.trim().replace(",", ".") ?? "");
	const isThere = [x, y].every((part) => part !== "" && Number(part) >= 0 && Number(part) <= 100);
	const undo = find("[data-unpick]", owner);
	if (undo) undo.hidden = !x && !y;
	if (!dot) return;
	if (isThere) {
		dot.setAttribute("x", `${Number(x)}%`);
		dot.setAttribute("y", `${Number(y)}%`);
		dot.removeAttribute("display");
	} else dot.setAttribute("display", "none");
};
/** @param {HTMLFormElement} owner @param {string} x in percent @param {string} y */
const setSpot = (owner, x, y) => {
	const [across, down] = [field(owner, "x"), field(owner, "y")];
	if (across) across.value = x;
	if (down) down.value = y;
	showDot(owner);
};

/* `toggle` doesn't bubble */
document.addEventListener(
	"toggle",
	({ target }) => {
		if (!(target instanceof HTMLDetailsElement) || !target.matches("[data-spot]")) return;
		const owner = form(target);
		if (!target.open) setPicking(null);
		else if (owner?.contains(document.activeElement) && !field(owner, "x")?.value) setPicking(owner);
	},
	true,
);
on(["click"], "[data-pick]", (button) => setPicking(form(button)));
on(["click"], "[data-unpick]", (button) => {
	const owner = form(button);
	if (owner) setSpot(owner, "", "");
});
on(["input"], "[data-spot] input", (input) => {
	const owner = form(input);
	if (owner) showDot(owner);
});
addEventListener("keydown", ({ key }) => key === "Escape" && setPicking(null));

let pressed = { x: 0, y: 0 };
addEventListener("pointerdown", ({ clientX: x, clientY: y }) => {
	pressed = { x, y };
});
document.addEventListener(
	"click",
	(event) => {
		const inside = event.target instanceof Element && event.target.closest("[data-frame]");
		if (!picking || !(inside instanceof HTMLElement)) return;
		event.preventDefault();
		event.stopImmediatePropagation();
		if (Math.hypot(event.clientX - pressed.x, event.clientY - pressed.y) > 4) return; // a drag of an enlarged picture
		const { left, top, width, height } = inside.getBoundingClientRect();
		/** @param {number} part */
		const percent = (part) => (100 * Math.min(Math.max(part, 0), 1)).toFixed(2);
		const owner = picking;
		// `pressed` is more exact, since a click's coordinates are whole pixels
		const { x, y } = event.detail ? pressed : { x: event.clientX, y: event.clientY };
		setPicking(null);
		setSpot(owner, percent((x - left) / width), percent((y - top) / height));
		find("textarea", owner)?.focus();
	},
	true,
);

/* Links from dots to their comments, and back */
on(["click"], ".dot-number[href]", (number) => {
	const dot = document.getElementById(number.getAttribute("href")?.slice(1) ?? "");
	frame()?.scrollIntoView({ block: "nearest" });
	dot?.classList.add("is-met");
	setTimeout(() => dot?.classList.remove("is-met"), 1500);
	return !!dot;
});
document.addEventListener("click", (event) => {
	const dot = event.target instanceof Element && event.target.closest(".pin[href]");
	if (!dot) return;
	const thread = document.getElementById(dot.getAttribute("href")?.slice(1) ?? "");
	if (thread instanceof HTMLDetailsElement) thread.open = true;
	thread?.scrollIntoView({ block: "center" });
	thread?.focus({ preventScroll: true });
	for (const other of all(".thread.is-met")) other.classList.remove("is-met");
	thread?.classList.add("is-met");
	event.preventDefault();
});

/* ---- Times: the player pauses while a comment is typed, and resumes once it is posted */

let isHeld = false;
const player = () => find(":is([data-stage]) :is(video, audio)", document, HTMLMediaElement);

/** @param {number} seconds */
const clock = (seconds) => {
	const whole = Math.floor(seconds);
	const tenth = Math.floor((seconds - whole) * 10);
	return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}${tenth ? `.${tenth}` : ""}`;
};
/** @param {HTMLTextAreaElement} text */
const holdPlayer = (text) => {
	const media = player();
	const owner = form(text);
	if (!media || !owner || !text.value) return;
	const at = field(owner, "at");
	if (at && !at.value && !at.dataset.touched && media.currentTime > 0) at.value = clock(media.currentTime);
	if (at) at.dataset.touched = "1";
	if (media.paused) return;
	media.pause();
	isHeld = true;
};
on(["click"], "a[data-at]", ({ dataset }, event) => {
	const media = player();
	if (!media || event.ctrlKey || event.metaKey) return false;
	media.currentTime = Number(dataset.at);
	media.scrollIntoView({ block: "nearest" });
	return true;
});

/* ---- After a swap */

on(["click"], "[data-closes]", (button) => {
	const place = button.closest(".comment-open");
	const opener = place?.previousElementSibling?.querySelector("[data-opens]");
	place?.replaceChildren();
	if (opener instanceof HTMLElement) opener.focus();
});
let isFoldOpen = false; // whether comments on earlier versions are shown
document.addEventListener("htmx:beforeRequest", () => {
	isFoldOpen = !!find("#comments-older[open]");
});
/** @type {{ words: string, key: string } | null} */
let posted = null;
document.addEventListener("htmx:beforeRequest", ({ target }) => {
	if (target instanceof HTMLFormElement && target.matches("[data-comment-form]"))
		posted = { words: target.dataset.posted ?? "", key: target.id };
});
document.addEventListener("htmx:afterSettle", ({ target }) => {
	if (!(target instanceof Element)) return;
	const fold =
		isFoldOpen && target.matches("#comments, #comments-list") && find("#comments-older", target, HTMLDetailsElement);
	if (fold) fold.open = true;
	const opened = target.closest(".comment-open");
	if (opened) find("textarea, button.danger", opened)?.focus();
	const failed = target.matches("[data-comment-form]") && find("[aria-invalid]", target);
	if (failed) failed.focus();
	if (!target.matches("#comments, #comments-list") || !posted) return;
	const { words, key } = posted;
	posted = null;
	say(words);
	if (key === "comment-form-new") find("#text-new")?.focus({ preventScroll: true });
	if (isHeld)
		player()
			?.play()
			.catch(() => {});
	isHeld = false;
});
// replacing the timeline now would lose what was typed in an open form
document.addEventListener("htmx:oobBeforeSwap", (event) => {
	if (!(event.target instanceof Element) || event.target.id !== "run-timeline") return;
	if (find(".comment-open textarea", event.target)) event.preventDefault();
});
// a page that waits for its result is replaced as a whole, but not while someone is typing a comment
on(["htmx:beforeRequest"], ".file-state", () =>
	all("#file textarea", document, HTMLTextAreaElement).some(({ value }) => value.trim()),
);
