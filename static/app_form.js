/* An app's form: files upload at once and Run waits for them, long lists can be searched, and drafts are saved. */
import { all, changed, fill, find, get, on, say, showBusy, showIdle } from "./portal.js";

/** @param {Element} node inside one question's files */
const boxOf = (node) => /** @type {HTMLElement} */ (node.closest(".upload"));
/** @param {HTMLElement} box */
const isMany = (box) => box.matches(".is-multiple");
/** @param {HTMLElement} box @param {string} [words] */
const complain = (box, words = "") => {
	get("[data-problem]", box).textContent = words;
};

/* Run waits for uploads in progress */

/** @type {HTMLElement | null} */
let pressed = null;

/** @param {Element} node in a form that may be waiting; the form is sent when no uploads are left */
const check = (node) => {
	const form = node.closest("form");
	if (!form?.dataset.waiting) return;
	const left = all("progress", form, HTMLProgressElement);
	const failed = find(".is-failed", form);
	if (left.length && !failed) {
		const percent = Math.round(left.reduce((sum, bar) => sum + bar.value, 0) / left.length);
		showBusy(form, pressed, fill(form.dataset.waits, { percent }));
		return;
	}
	delete form.dataset.waiting;
	showIdle(form);
	if (failed) complain(boxOf(failed), boxOf(failed).dataset.failed);
	else form.requestSubmit(pressed?.hasAttribute("name") ? pressed : get("[data-run]", form));
};

// Capture the event before portal.js does, which lets a form be sent only once
document.addEventListener(
	"submit",
	(event) => {
		const { target: form, submitter } = event;
		if (!(form instanceof HTMLFormElement) || !form.matches(".app-form") || !find("progress", form)) return;
		if (submitter?.matches("[data-free]:not([name])")) return; // this button leaves the form
		event.preventDefault();
		pressed = submitter;
		form.dataset.waiting = "1";
		check(form);
	},
	true,
);

/* The draft, and the values of folded questions */

// Edits so far, how many the current request includes, and how many are saved: a response doesn't cover later edits.
let edits = 0;
let sent = 0;
let kept = 0;

on(["input", "change"], ".app-form", (_, { target }) => {
	edits += 1;
	if (!(target instanceof HTMLElement)) return;
	const box = target.closest(".upload");
	const name = box?.getAttribute("data-upload") ?? target.getAttribute("name") ?? "";
	const now = find(`[data-summary-of="${CSS.escape(name)}"]`);
	if (!now) return;
	const count = box ? all("[name$=_kept]", box).length : 0;
	const choice = target instanceof HTMLSelectElement ? target.selectedOptions[0] : target.closest(".choice");
	const typed = "value" in target ? String(target.value).slice(0, 60) : "";
	const words = box ? count && fill(now.dataset.chosen, { count }) : choice?.textContent || typed;
	now.textContent = words || (now.dataset.none ?? "");
});

on(["htmx:beforeRequest"], "[data-autosave]", (node) => {
	sent = edits;
	return node.closest("[data-locked]") !== null;
});
// if the session expired, the redirect to sign-in can wait until Run is pressed
on(["htmx:beforeOnLoad"], "[data-autosave], #app-news", (_, { detail }) =>
	Boolean(detail.xhr.getResponseHeader("HX-Redirect")),
);
on(["htmx:afterRequest"], "[data-autosave]", (node, { detail }) => {
	if (detail.xhr.status === 204) kept = sent;
	get("[data-kept]").hidden = kept < edits;
	sessionStorage.removeItem(node.getAttribute("hx-post") ?? "");
});

// keep the last edits, since a reload can overtake the request that saves them
addEventListener("pagehide", () => {
	const form = find(".app-form:not([data-locked])", document, HTMLFormElement);
	const url = form?.dataset.draftUrl;
	if (kept === edits || !form || !url) return;
	const words = new URLSearchParams(/** @type {any} */ (new FormData(form)));
	sessionStorage.setItem(url, String(words));
	navigator.sendBeacon(url, words);
});
const draftUrl = get(".app-form").dataset.draftUrl ?? "";
const late = sessionStorage.getItem(draftUrl);
sessionStorage.removeItem(draftUrl);
if (late) {
	const body = new URLSearchParams(late);
	body.set("csrfmiddlewaretoken", get("[name=csrfmiddlewaretoken]", document, HTMLInputElement).value);
	fetch(draftUrl, { method: "POST", body }).then(() => location.reload());
}

/* Files; the response is the tile */

/** @param {HTMLElement} tile */
const remove = (tile) => {
	htmx.trigger(tile, "htmx:abort");
	tile.remove();
};

/** @param {HTMLElement} box @param {{ file: File } | { link: string }} what */
const send = (box, what) => {
	const { app, uploadUrl = "" } = get(".app-form").dataset;
	complain(box);
	if (!isMany(box)) all(".is-sending, .is-failed", box).forEach(remove);
	const { content } = get("#sending", document, HTMLTemplateElement);
	const tile = /** @type {HTMLElement} */ (get("li", content).cloneNode(true));
	get(".file-name", tile).textContent = "file" in what ? what.file.name : what.link;
	if ("file" in what && what.file.type.startsWith("image"))
		get("img", tile, HTMLImageElement).src = URL.createObjectURL(what.file);
	get(".files", box).append(tile);
	const values = { app, field: box.dataset.upload, ...what };
	htmx.ajax("POST", uploadUrl, { source: tile, target: tile, swap: "outerHTML", values }).catch(() => {});
};

/** @param {HTMLElement} box @param {Iterable<File>} files @param {string} [link] used if there are no files */
const take = (box, files, link = "") => {
	const given = [...files];
	for (const file of isMany(box) ? given : given.slice(0, 1)) send(box, { file });
	if (given.length) return;
	if (/^https?:\/\/./i.test(link)) send(box, { link });
	else complain(box, box.dataset.noLink);
};

on(["htmx:xhr:progress"], ".is-sending", (tile, { detail: { loaded, total } }) => {
	const percent = total ? (loaded / total) * 100 : 100;
	get("progress", tile, HTMLProgressElement).value = percent;
	get(".file-facts", tile).textContent = percent < 100 ? `${Math.round(percent)} %` : (tile.dataset.checking ?? "");
	check(tile);
});
on(["htmx:sendError", "htmx:responseError"], ".is-sending", (tile, { detail: { xhr } }) => {
	tile.classList.replace("is-sending", "is-failed");
	get("progress", tile).remove();
	get(".file-facts", tile).textContent = xhr.status === 401 ? xhr.response : (tile.dataset.lost ?? "");
	check(tile);
});
on(["htmx:afterSettle"], ".upload", (box, { target, detail: { requestConfig: asked } }) => {
	const at = /** @type {HTMLElement} */ (target);
	const tile = at.matches("ol") ? at.lastElementChild : at;
	if (tile?.matches("[data-file]") && asked.verb === "post") {
		if (!isMany(box)) tile.parentNode?.replaceChildren(tile);
		if (asked.parameters.link) get("[type=url]", box, HTMLInputElement).value = "";
		say(fill(box.dataset.added, { name: get(".file-name", tile).textContent }));
		changed(box);
	}
	check(box);
});

/** @param {HTMLElement} input */
const takeChosen = (input) => {
	if (!(input instanceof HTMLInputElement)) return;
	if (input.files?.length) take(boxOf(input), input.files);
	input.value = "";
};
on(["change"], ".choose [type=file]", takeChosen);
all(".choose [type=file]").forEach(takeChosen); // files chosen before this script was there
on(["dragover", "dragleave", "drop"], ".app-form", (_, { type, target, dataTransfer: data }) => {
	const box = boxOf(/** @type {Element} */ (target));
	find(".is-over")?.classList.remove("is-over");
	if (type === "dragover") box?.classList.add("is-over");
	if (type === "drop" && box && data) take(box, data.files, data.getData("text").trim());
	return Boolean(box || data?.types.includes("Files"));
});
on(["paste"], ".upload", (box, { target, clipboardData: data }) => {
	if (!data || (target instanceof Element && target.matches("[type=url]"))) return false;
	take(box, data.files, data.getData("text").trim());
	return true;
});
on(["click"], "[data-paste]", async (button) => {
	const box = boxOf(button);
	const type = "image/png";
	try {
		const item = (await navigator.clipboard.read()).find((one) => one.types.includes(type));
		if (item) send(box, { file: new File([await item.getType(type)], `${button.dataset.name}.png`, { type }) });
		else complain(box, button.dataset.empty);
	} catch {
		box.focus();
		complain(box, button.dataset.press);
	}
});
on(["click"], ".upload [name=act]", (button) => {
	const box = boxOf(button);
	const tile = /** @type {HTMLElement | null} */ (button.closest(".file-tile"));
	const verb = button.getAttribute("value")?.split(":")[0];
	if (verb === "link") take(box, [], get("[type=url]", box, HTMLInputElement).value.trim());
	if (verb === "up" && tile) tile.previousElementSibling?.before(tile);
	if (verb === "down" && tile) tile.nextElementSibling?.after(tile);
	if (verb === "remove" && tile) remove(tile);
	if (tile) changed(box);
	const next = [button, ...all("button", tile ?? box), get("[type=file]", box)];
	next.find((one) => one.offsetParent)?.focus();
	check(box);
	return true;
});
on(["keydown"], ".link-box input", ({ nextElementSibling: button }, { key }) => {
	if (key === "Enter" && button instanceof HTMLElement) button.click();
	return key === "Enter";
});

/* Long lists */

/** @param {string} text to lower-case and strip of accents */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

on(["input", "keydown", "change"], ".select-search", (wrap, event) => {
	const { target: field } = event;
	const select = wrap.nextElementSibling;
	if (!(field instanceof HTMLInputElement && select instanceof HTMLSelectElement)) return false;
	const key = event instanceof KeyboardEvent ? event.key : "";
	const words = plain(field.value.trim()).split(/\s+/);
	const found = [...select.options].filter((option) => {
		const isFound = words.every((word) => plain(option.text).includes(word));
		option.hidden = option.disabled = !isFound && !option.selected;
		return isFound;
	});
	select.size = words[0] ? Math.min(8, found.length + 1) : 0;
	if (!key && words[0]) say(fill(wrap.dataset.found, { count: found.length }));
	if (key === "ArrowDown") select.focus();
	if (key !== "Enter") return false;
	if (words[0] && found[0]) found[0].selected = true;
	field.value = "";
	changed(select);
	changed(field);
	return true;
});
