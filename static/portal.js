/* Pages work without it. */
"use strict";
const $ = (css, root = document) => root.querySelector(css);
const $$ = (css, root = document) => [...root.querySelectorAll(css)];
// An act that returns true prevents the default.
const on = (types, css, act) => {
	for (const type of types.split(" "))
		document.addEventListener(type, (event) => {
			const found = event.target.closest?.(css);
			if (found && act(found, event) === true) event.preventDefault();
		});
};
const say = (words) => ($("#announcer").textContent = words);

/* Live pages: one poller */
let timer;
const active = () => $$("[data-active]").slice(0, 120);
const since = (card) => Date.parse($("[data-elapsed-since]", card)?.dataset.elapsedSince) || Date.now();
const look = async () => {
	const live = $("#live"), cards = active();
	if (live && cards[0] && !document.hidden) {
		const query = new URLSearchParams(cards.map(({ dataset }) => ["r", `${dataset.run}:${dataset.version}`]));
		if (live.dataset.page) query.set("page", live.dataset.page);
		await htmx.ajax("GET", `${live.dataset.liveUrl}?${query}`, { source: live, swap: "none" }).catch(() => {});
	}
	soon();
};
const soon = () => {
	clearTimeout(timer);
	const isOld = Date.now() - Math.max(...active().map(since)) > 6e5;
	timer = setTimeout(look, isOld ? 1e4 : 2500);
};
soon();
document.addEventListener("visibilitychange", look);

/* Time so far */
setInterval(() => {
	for (const time of $$("[data-elapsed-since]")) {
		const shown = time.textContent.split(":").reduce((sum, part) => sum * 60 + +part, 0);
		time.dataset.from ??= Date.now() - shown * 1e3;
		const all = Date.now() - time.dataset.from;
		if (all < 864e5) time.textContent = new Date(all).toISOString().slice(11, 19).replace(/^(00:)?0?/, "");
	}
}, 1e3);

/* Run: pressed once, waits for files */
let pressed;
const label = (form, words) => {
	const button = (pressed?.name && pressed) || $("[data-run]", form) || $("button", form);
	button.dataset.idle ??= button.textContent;
	button.textContent = words || button.dataset.idle;
	button.ariaDisabled = words ? "true" : null;
	return button;
};
const check = (node) => {
	const form = node.closest("form"), left = $$("progress", form), count = left.length, failed = $(".is-failed", form);
	if (!form.dataset.waiting) return;
	if (count && !failed) {
		const done = Math.round(left.reduce((sum, bar) => sum + bar.value, 0) / count);
		return label(form, `Waiting for ${count} upload${count > 1 ? "s" : ""}… ${done} %`);
	}
	delete form.dataset.waiting;
	const button = label(form);
	if (failed) problem(boxOf(failed), "Remove what failed, then press again.");
	else form.requestSubmit(button);
};
on("submit", "[data-once]", (form, { submitter }) => {
	pressed = submitter;
	const isFree = submitter?.matches("[data-free]"), { locked } = form.dataset;
	const isBusy = (!isFree || submitter.name) && !!$("progress", form);
	form.dataset[isBusy ? "waiting" : "locked"] = 1;
	if (isBusy) check(form);
	else if (!isFree) label(form, say(label(form).dataset.busy || "One moment…"));
	return isBusy || !!locked;
});
addEventListener("pageshow", () => {
	for (const form of $$("[data-locked]")) {
		delete form.dataset.locked;
		label(form);
	}
});

/* Draft, folded values */
let isDirty;
const changed = (node) => node.dispatchEvent(new Event("change", { bubbles: true }));
on("input change", ".app-form", (form, { target }) => {
	isDirty = true;
	const box = target.closest(".upload"), count = box && $$("[name$=_kept]", box).length;
	const now = $(`[data-summary-of="${box?.dataset.upload || target.name}"]`);
	const chosen = (target.selectedOptions?.[0] || target.closest(".choice"))?.textContent;
	if (now) now.textContent = (box ? count && `${count} chosen` : chosen || target.value.slice(0, 60)) || "none";
});
on("htmx:beforeRequest", "[data-locked] [data-autosave]", () => true);
// an expired sign-in waits for Run
on("htmx:beforeOnLoad", "[data-autosave], #app-news", (node, { detail }) => !!detail.xhr.getResponseHeader("HX-Redirect"));
on("htmx:afterRequest", "[data-autosave]", (node, { detail }) => {
	isDirty &&= detail.xhr.status !== 204;
	$("[data-kept]").hidden = isDirty;
	delete sessionStorage[node.getAttribute("hx-post")];
});
// a reload outruns its last words
addEventListener("pagehide", () => {
	const form = isDirty && $(".app-form:not([data-locked])"), url = form && form.dataset.draftUrl;
	if (form) navigator.sendBeacon(url, (sessionStorage[url] = new URLSearchParams(new FormData(form))));
});
const draftUrl = $(".app-form")?.dataset.draftUrl, late = sessionStorage[draftUrl];
delete sessionStorage[draftUrl];
if (late) {
	const body = new URLSearchParams(`${late}&csrfmiddlewaretoken=${$("[name=csrfmiddlewaretoken]").value}`);
	fetch(draftUrl, { method: "POST", body }).then(() => location.reload());
}

/* Files; the answer is the tile */
const boxOf = (node) => node.closest(".upload");
const isMany = (box) => box.matches(".is-multiple");
const remove = (tile) => {
	htmx.trigger(tile, "htmx:abort");
	tile.remove();
};
const problem = (box, words) => ($("[data-problem]", box).textContent = words);
const send = (box, file, link) => {
	const { dataset } = box.closest("form");
	problem(box, "");
	if (!isMany(box)) $$(".is-sending, .is-failed", box).forEach(remove);
	const tile = $("#sending").content.firstElementChild.cloneNode(true);
	$(".file-name", tile).textContent = file?.name || link;
	if (file?.type.startsWith("image")) $("img", tile).src = URL.createObjectURL(file);
	$(".files", box).append(tile);
	const values = { app: dataset.app, field: box.dataset.upload, ...(file ? { file } : { link }) };
	htmx.ajax("POST", dataset.uploadUrl, { source: tile, target: tile, swap: "outerHTML", values }).catch(() => {});
};
const take = (box, files, link) => {
	for (const file of isMany(box) ? files : [...files].slice(0, 1)) send(box, file);
	if (files[0]) return;
	if (/^https?:\/\/./i.test(link)) send(box, null, link);
	else problem(box, "A link starts with https:// or http://.");
};

on("htmx:xhr:progress", ".is-sending", (tile, { detail: { loaded, total } }) => {
	const done = ($("progress", tile).value = total ? (loaded / total) * 100 : 100);
	$(".file-facts", tile).textContent = done < 100 ? `${Math.round(done)} %` : "Checking…";
	check(tile);
});
on("htmx:sendError htmx:responseError", ".is-sending", (tile, { detail: { xhr } }) => {
	tile.classList.replace("is-sending", "is-failed");
	$("progress", tile).remove();
	$(".file-facts", tile).textContent = xhr.status === 401 ? xhr.response : "This did not get through. Try again.";
	check(tile);
});
on("htmx:afterSettle", ".upload", (box, { target, detail: { requestConfig: asked } }) => {
	const tile = target.matches("ol") ? target.lastElementChild : target;
	if (tile?.matches("[data-file]") && asked.verb === "post") {
		if (!isMany(box)) tile.parentNode.replaceChildren(tile);
		if (asked.parameters.link) $("[type=url]", box).value = "";
		say(`${$(".file-name", tile).textContent} is in.`);
		changed(box);
	}
	check(box);
});
on("change", ".choose [type=file]", (input) => {
	if (input.files[0]) take(boxOf(input), input.files);
	input.value = "";
});
on("dragover dragleave drop", ".app-form", (form, { type, target, dataTransfer: data }) => {
	const box = boxOf(target);
	$(".is-over")?.classList.remove("is-over");
	if (type === "dragover") box?.classList.add("is-over");
	if (type === "drop" && box) take(box, data.files, data.getData("text").trim());
	return !!box || data.types.includes("Files");
});
on("paste", ".upload", (box, { target, clipboardData: data }) => {
	if (target.matches("[type=url]")) return;
	take(box, data.files, data.getData("text").trim());
	return true;
});
on("click", "[data-paste]", async (button) => {
	const box = boxOf(button), type = "image/png";
	try {
		const item = (await navigator.clipboard.read()).find((one) => one.types.includes(type));
		if (item) send(box, new File([await item.getType(type)], "Pasted picture.png", { type }));
		else problem(box, "Copy a picture first.");
	} catch {
		box.focus();
		problem(box, "Now press Ctrl+V or ⌘V.");
	}
});
on("click", ".upload [name=act]", (button) => {
	const box = boxOf(button), tile = button.closest(".file-tile"), verb = button.value.split(":")[0];
	if (verb === "link") take(box, [], $("[type=url]", box).value.trim());
	if (verb === "up") tile.previousElementSibling.before(tile);
	if (verb === "down") tile.nextElementSibling.after(tile);
	if (verb === "remove") remove(tile);
	if (tile) changed(box);
	[button, ...$$("button", tile || box), $("[type=file]", box)].find((next) => next.offsetParent)?.focus();
	check(box);
	return true;
});

/* Long lists */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
on("input keydown change", ".select-search", (wrap, { target, key }) => {
	const words = plain(target.value.trim()).split(/\s+/), select = wrap.nextElementSibling;
	const found = [...select.options].filter((option) => {
		const isFound = words.every((word) => plain(option.text).includes(word));
		option.hidden = option.disabled = !isFound && !option.selected;
		return isFound;
	});
	select.size = words[0] ? Math.min(8, found.length + 1) : 0;
	if (!key && words[0]) say(`${found.length} found`);
	if (key === "ArrowDown") select.focus();
	if (key !== "Enter") return;
	if (words[0] && found[0]) found[0].selected = true;
	target.value = "";
	changed(select);
	changed(target);
	return true;
});

/* Keys, copying */
on("focusin", "textarea", (box) => box.scrollIntoView({ block: "nearest" }));
on("keydown", "html", (page, { key, target }) => {
	const isLink = key === "Enter" && target.matches(".link-box input");
	const box = key === "/" && !target.matches("input, textarea, select") && $$("[data-hotkey]").findLast((input) => input.offsetParent);
	if (isLink) target.nextElementSibling.click();
	if (box) box.focus();
	return isLink || !!box;
});
on("click", "[data-copy]", (button) => {
	const source = document.getElementById(button.dataset.copy);
	getSelection().selectAllChildren(source);
	const copied = () => ($("[data-copy-word]", button).textContent = say("Copied"));
	navigator.clipboard?.writeText(source.textContent).then(copied);
});
htmx.onLoad((root) => {
	for (const button of $$("[data-copy]", root)) button.hidden = false;
});
