/* Helpers for the other scripts: finding elements, page-wide listeners, announcements, storage in the browser. */

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
	const element = root.querySelector(css);
	return element instanceof type ? element : null;
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
	const element = find(css, root, type);
	if (!element) throw new Error(`Nothing here matches ${css}`);
	return element;
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
	/** @type {E[]} */ ([...root.querySelectorAll(css)].filter((element) => element instanceof type));

/**
 * Listen on the document for events on elements that match `css`, including elements added later.
 * An `act` that returns true prevents the default.
 *
 * @template {keyof DocumentEventMap} K
 * @param {K[]} types
 * @param {string} css
 * @param {(element: HTMLElement, event: DocumentEventMap[K]) => unknown} act
 */
export const on = (types, css, act) => {
	for (const type of types)
		document.addEventListener(type, (event) => {
			const element = event.target instanceof Element && event.target.closest(css);
			if (element instanceof HTMLElement && act(element, event) === true) event.preventDefault();
		});
};

const FIELDS = "input:not([type=checkbox], [type=button], [type=submit]), textarea, select, [contenteditable]";

/**
 * Return whether a key that was pressed on `target` is meant for the page: fields, dialogs and open menus have the keys
 * that are pressed in them to themselves.
 *
 * @param {EventTarget | null} target
 */
export const isForPage = (target) =>
	target instanceof Element && !target.closest(FIELDS) && !find("dialog[open], :popover-open");

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
const storage = (where) => (where === "localStorage" ? localStorage : sessionStorage); // throws if storage is blocked

/**
 * Return what this browser has remembered; "" if it has nothing, or if its storage is blocked.
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
		// everything works without storage
	}
};

/**
 * Give `form` the CSRF token of whoever is signed in now. Signing in, perhaps in another tab, replaces it.
 *
 * @param {HTMLFormElement} form
 */
export const renewToken = (form) => {
	const [, token] = /csrftoken=([^;]+)/.exec(document.cookie) ?? [];
	if (token) get("[name=csrfmiddlewaretoken]", form, HTMLInputElement).value = token;
};

/** Tell listeners that a script changed the value of `node`. @param {Element} node */
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
	const text = words ?? button.dataset.busy ?? get("#announcer").dataset.busy ?? "";
	button.dataset.idle ??= button.textContent;
	button.textContent = text;
	button.ariaDisabled = "true";
	return text;
};

/** Give the buttons of `form` their labels back. @param {HTMLFormElement} form */
export const showIdle = (form) => {
	for (const button of all("[data-idle]", form)) {
		button.textContent = button.dataset.idle ?? "";
		button.ariaDisabled = null;
		delete button.dataset.idle;
	}
};
