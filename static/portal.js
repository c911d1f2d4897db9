/* The one script of base.html: what the behaviours share, what every page has, and the loader of all else, which comes
   where its attribute stands. Pages work without all of it. */

/* ---- Finding elements, listening for the whole page, saying what happened */

/**
 * First element below `root` that matches `css`, if it is of `type`.
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
 * The same for what a page cannot be without.
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
 * All elements below `root` that match `css` and are of `type`.
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
 * Listen on the page for events at elements that match `css`, those that come later included.
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
 * `text`, which comes from a `data-` attribute, with its {names} replaced.
 *
 * @param {string | undefined} text
 * @param {Record<string, string | number>} values
 */
export const fill = (text = "", values) => text.replace(/\{(\w+)\}/g, (name, key) => String(values[key] ?? name));

/** @param {Element} node a field whose value a script has changed */
export const changed = (node) => node.dispatchEvent(new Event("change", { bubbles: true }));

/**
 * Show on the button that sends `form` what is going on, and return those words.
 *
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter the pressed button; one without a name stands for Run
 * @param {string} [words] what its `data-busy` says, unless given
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

/** @param {HTMLFormElement} form whose buttons say again what they do */
export const showIdle = (form) => {
	for (const button of all("[data-idle]", form)) {
		button.textContent = button.dataset.idle ?? "";
		button.ariaDisabled = null;
		delete button.dataset.idle;
	}
};

/* ---- What every page has */

/* A form that is sent once, however often its button is pressed. Who holds the form back has prevented the event. */
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

/* The search box's key, and what is typed stays in sight */
on(["keydown"], "html", (_, { key, target }) => {
	if (key !== "/" || !(target instanceof Element) || target.matches("input, textarea, select")) return false;
	const boxes = [...document.querySelectorAll("[data-hotkey]")];
	const box = boxes.findLast((input) => input instanceof HTMLElement && input.offsetParent);
	if (box instanceof HTMLElement) box.focus();
	return !!box;
});
on(["focusin"], "textarea", (box) => box.scrollIntoView({ block: "nearest" }));

/* ---- The loader. Each import() is written out, since the static storage finds it by its text */

/** @type {Map<string, () => Promise<unknown>>} */
const behaviours = new Map([
	["[data-draft-url]", () => import("./app_form.js")],
	["[data-bulk-actions]", () => import("./bulk_actions.js")],
	["[data-comparison]", () => import("./compare.js")],
	["[data-picks]", () => import("./compare_pick.js")],
	["[data-copy]", () => import("./copy.js")],
	["[data-shortcuts]", () => import("./keys.js")],
	["[data-live-url], [data-elapsed-since]", () => import("./live.js")],
	["[data-request-errors]", () => import("./request_errors.js")],
	["[data-sharing]", () => import("./sharing.js")],
	["[data-viewer]", () => import("./viewer.js")],
]);

// A module runs once, however often it is asked for, so nothing listens twice.
const load = () => {
	for (const [css, start] of behaviours)
		if (document.querySelector(css)) {
			behaviours.delete(css);
			start();
		}
};
load();
document.addEventListener("htmx:load", load);
document.addEventListener("htmx:historyRestore", load);
