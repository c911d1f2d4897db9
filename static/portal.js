/* The only script in base.html: shared helpers, behaviour on every page, and a loader that imports each of the other
   scripts where its attribute is on the page. Pages work without any of them. */

/* ---- Helpers: finding elements, page-wide listeners, announcements */

/**
 * First element in `root` that matches `css`, if it is of `type`.
 *
 * @template {Element} [E=HTMLElement]
 * @param {string} css
 * @param {ParentNode} [root]
 * @param {new () => E} [type]
 * @returns {E | null}
 */
export const find = (css, root = document, type = /** @type {any} */ (HTMLElement)) => {
	const found = root.querySelector(css);
	return found instanceof type ? found : null;
};

/**
 * Like `find`, for elements that must exist: throws if there is none.
 *
 * @template {Element} [E=HTMLElement]
 * @param {string} css
 * @param {ParentNode} [root]
 * @param {new () => E} [type]
 * @returns {E}
 */
export const get = (css, root, type) => {
	const found = find(css, root, type);
	if (!found) throw new Error(`Nothing here matches ${css}`);
	return found;
};

/**
 * All elements in `root` that match `css` and are of `type`.
 *
 * @template {Element} [E=HTMLElement]
 * @param {string} css
 * @param {ParentNode} [root]
 * @param {new () => E} [type]
 * @returns {E[]}
 */
export const all = (css, root = document, type = /** @type {any} */ (HTMLElement)) =>
	/** @type {E[]} */ ([...root.querySelectorAll(css)].filter((found) => found instanceof type));

/**
 * Listen on the document for events on elements that match `css`, including elements added later.
 * An `act` that returns true prevents the default.
 *
 * @template {keyof DocumentEventMap} K
 * @param {K[]} types
 * @param {string} css
 * @param {(found: HTMLElement, event: DocumentEventMap[K]) => unknown} act
 */
export const on = (types, css, act) => {
	for (const type of types)
		document.addEventListener(type, (event) => {
			const found = event.target instanceof Element && event.target.closest(css);
			if (found instanceof HTMLElement && act(found, event) === true) event.preventDefault();
		});
};

/** @param {string} [words] read aloud by screen readers */
export const say = (words = "") => {
	get("#announcer").textContent = words;
};

/**
 * Replace the {names} in `text`, which comes from a `data-` attribute.
 *
 * @param {string | undefined} text
 * @param {Record<string, string | number>} values
 */
export const fill = (text = "", values) => text.replace(/\{(\w+)\}/g, (name, key) => String(values[key] ?? name));

/** @param {"localStorage" | "sessionStorage"} where */
const storage = (where) => (where === "localStorage" ? localStorage : sessionStorage); // throws if it is blocked

/**
 * Return what this browser has remembered; "" if nothing, or if its storage is blocked, which throws.
 *
 * @param {string} key
 * @param {"localStorage" | "sessionStorage"} where
 */
export const recall = (key, where) => {
	try {
		return storage(where).getItem(key) ?? "";
	} catch {
		return "";
	}
};

/**
 * Remember `value` in this browser, or forget it if it's empty. Does nothing if the storage is blocked or full.
 *
 * @param {string} key
 * @param {string} value
 * @param {"localStorage" | "sessionStorage"} where
 */
export const store = (key, value, where) => {
	try {
		if (value) storage(where).setItem(key, value);
		else storage(where).removeItem(key);
	} catch {
		// everything works without
	}
};

/** @param {Element} node field whose value a script changed */
export const changed = (node) => node.dispatchEvent(new Event("change", { bubbles: true }));

/**
 * Show progress on the button that sends `form`, and return the words shown.
 *
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter the pressed button; one without a name means Run
 * @param {string} [words] shown instead of the button's `data-busy`
 */
export const showBusy = (form, submitter, words) => {
	const named = submitter?.hasAttribute("name") ? submitter : null;
	const button = named ?? find("[data-run]", form) ?? get("button", form);
	const said = words ?? button.dataset.busy ?? get("#announcer").dataset.busy ?? "";
	button.dataset.idle ??= button.textContent;
	button.textContent = said;
	button.ariaDisabled = "true";
	return said;
};

/** @param {HTMLFormElement} form whose buttons get their labels back */
export const showIdle = (form) => {
	for (const button of all("[data-idle]", form)) {
		button.textContent = button.dataset.idle ?? "";
		button.ariaDisabled = null;
		delete button.dataset.idle;
	}
};

/* ---- On every page */

/* Send a form only once, however often its button is pressed. A script that holds the form back prevents the event. */
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

/* A tap beside an open menu or sheet only closes it. The browser would also press what lies under the finger. */
let isTapBeside = false;
document.addEventListener(
	"pointerdown",
	({ target, pointerType }) => {
		const opened = all(":popover-open");
		const isOn = target instanceof Element && opened.some((menu) => menu.contains(target));
		const opens = target instanceof Element && target.closest("[popovertarget]"); // closes it by itself
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

/* The search box's key, and keep the text box being typed in visible */
on(["keydown"], "html", (_, { key, target }) => {
	if (key !== "/" || !(target instanceof Element) || target.matches("input, textarea, select")) return false;
	const boxes = [...document.querySelectorAll("[data-hotkey]")];
	const box = boxes.findLast((input) => input instanceof HTMLElement && input.offsetParent);
	if (box instanceof HTMLElement) box.focus();
	return !!box;
});
on(["focusin"], "textarea", (box) => box.scrollIntoView({ block: "nearest" }));

/* Escape closes the full time beside a `.moment`, until one points at it again */
on(["keydown"], "html", (_, { key }) => {
	const shown = key === "Escape" && find(".moment:is(:hover, :focus):not(.is-hushed)");
	if (shown) shown.classList.add("is-hushed");
	return !!shown;
});
on(["focusout", "pointerout"], ".moment", (moment) => moment.classList.remove("is-hushed"));

/* Tell the portal the browser's time zone, so that the next page shows times in it */
const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
if (timeZone) {
	const secure = location.protocol === "https:" ? "; secure" : "";
	// biome-ignore lint/suspicious/noDocumentCookie: cookieStore is new in Firefox and Safari
	document.cookie = `time_zone=${timeZone}; path=/; max-age=${400 * 24 * 3600}; samesite=lax${secure}`;
}

/* ---- Loader. Each import() is written out, since the static storage finds it by its text */

/** @type {Map<string, () => Promise<unknown>>} */
const behaviours = new Map([
	["[data-draft-url]", () => import("./app_form.js")],
	["[data-picks-url]", () => import("./picks.js")],
	["[data-comment-form]", () => import("./comments.js")],
	["[data-comparison]", () => import("./compare.js")],
	["[data-picks]", () => import("./compare_pick.js")],
	["[data-copy]", () => import("./copy.js")],
	["[data-dialog]", () => import("./dialog.js")],
	["[data-shortcuts]", () => import("./keys.js")],
	["[data-ended]", () => import("./ended.js")],
	["[data-found]", () => import("./long_lists.js")],
	["[data-live-url], [data-elapsed-since]", () => import("./live.js")],
	["[data-request-errors]", () => import("./request_errors.js")],
	["[data-upload]", () => import("./app_files.js")],
	["[data-reach-url]", () => import("./reach.js")],
	["[data-sharing]", () => import("./sharing.js")],
	["[data-verdict]", () => import("./verdict.js")],
	["[data-viewer]", () => import("./viewer.js")],
	["[data-queue]", () => import("./queue.js")],
]);

/** @type {Promise<unknown>[]} */
const started = [];
/** Resolves once every script that this page needs listens, for tests: the page's load event waits for none of them. */
export const listening = () => Promise.all(started);

// A module runs only once, however often it is imported, so no listener is added twice.
const load = () => {
	for (const [css, start] of behaviours)
		if (document.querySelector(css)) {
			behaviours.delete(css);
			started.push(start());
		}
};
load();
document.addEventListener("htmx:load", load);
document.addEventListener("htmx:historyRestore", load);
