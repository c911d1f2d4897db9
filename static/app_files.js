/* Files in an app's form are uploaded right away; the response to each is the file's tile. */
import { all, changed, fill, find, get, on, say } from "./helpers.js";

/** @param {Element} node inside one question's files */
export const boxOf = (node) => /** @type {HTMLElement} */ (node.closest(".upload"));
/** @param {HTMLElement} box */
const isMany = (box) => box.matches(".is-multiple");
/** @param {HTMLElement} box @param {string} [words] */
export const complain = (box, words = "") => {
	get("[data-problem]", box).textContent = words;
};

/** @param {HTMLElement} tile */
const remove = (tile) => {
	htmx.trigger(tile, "htmx:abort");
	tile.remove();
};

/** @param {HTMLElement} tile @param {string} [words] why the file wasn't accepted */
const fail = (tile, words = "") => {
	tile.classList.replace("is-sending", "is-failed");
	get("progress", tile).remove();
	get(".file-facts", tile).textContent = words;
};

// Smaller files are sent right away: the server checks their content and responds at once. For larger files, we first
// check the type (by the file's name) and ask the server whether it has room, so that nobody uploads 60 MB for nothing.
const SENT_ANYWAY_BYTES = 1_000_000;

/** @param {number} size @param {string} roomUrl @returns {Promise<string>} why there is no room; empty if there is */
const noRoom = async (size, roomUrl) => {
	const answer = await fetch(`${roomUrl}?bytes=${size}`).catch(() => undefined);
	return answer?.status === 507 ? answer.text() : "";
};

/** @param {HTMLElement} box @param {{ file: File } | { link: string }} what */
const send = async (box, what) => {
	const { app = "", uploadUrl, roomUrl = "" } = get(".app-form").dataset;
	complain(box);
	if (!isMany(box)) all(".is-sending, .is-failed", box).forEach(remove);
	const { content } = get("#sending", document, HTMLTemplateElement);
	const tile = /** @type {HTMLElement} */ (get("li", content).cloneNode(true));
	get(".file-name", tile).textContent = "file" in what ? what.file.name : what.link;
	if ("file" in what && what.file.type.startsWith("image"))
		get("img", tile, HTMLImageElement).src = URL.createObjectURL(what.file);
	get(".files", box).append(tile);
	if ("file" in what && what.file.size > SENT_ANYWAY_BYTES) {
		const refused = await noRoom(what.file.size, roomUrl);
		if (refused) fail(tile, refused);
		if (refused || !tile.isConnected) return; // the tile was removed in the meantime
	}
	// these are in the URL, so that the server knows them early and can refuse the file without storing it
	const where = new URLSearchParams({ app, field: box.dataset.upload ?? "" });
	const context = { source: tile, target: tile, swap: "outerHTML", values: what };
	htmx.ajax("POST", `${uploadUrl}?${where}`, context).catch(() => {});
};

/** @type {Record<string, RegExp>} */
const OTHER_FORMATS = {
	image: /jxl|jp[2x]|icon|vnd|xcf/,
	video: /mpeg|mp2t|avi|msvideo|flv|x-ms/,
	audio: /aiff|amr|basic|midi|x-ms/,
};
const UNCLEAR_TYPE = /^(application\/(octet-stream|ogg|mp4|.*matroska))?$/;

/** @param {HTMLElement} box @param {File} file @returns {string} why it can't be used there; empty if it may be sent */
const refusal = (box, { name, size, type }) => {
	if (size <= SENT_ANYWAY_BYTES) return "";
	const { dataset } = get("li", get("#sending", document, HTMLTemplateElement).content);
	if (type === "image/svg+xml") return dataset.svg ?? "";
	if (/^image\/hei[cf]/.test(type) || /\.hei[cf]$/i.test(name)) return dataset.heic ?? "";
	/** @type {Record<string, [number, string]>} */
	const limits = JSON.parse(box.dataset.limits ?? "{}");
	const largest = Object.values(limits).reduce((one, other) => (one[0] > other[0] ? one : other));
	const [kind = "", format = ""] = type.split("/");
	const rule = UNCLEAR_TYPE.test(type) ? largest : limits[kind];
	if (!rule) return fill(box.dataset.unfit, { name });
	if (OTHER_FORMATS[kind]?.test(format)) return fill(dataset[`${kind}Format`], { name });
	const [limit, words] = rule;
	const megabytes = (size / 1e6).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
	return size > limit ? fill(dataset.tooLarge, { name, size: megabytes, limit: words }) : "";
};

/** @param {HTMLElement} box @param {Iterable<File>} files @param {string} [link] used if there are no files */
const take = (box, files, link = "") => {
	const { preview } = get(".app-form").dataset;
	if (preview) {
		complain(box, preview);
		return;
	}
	const chosenFiles = [...files];
	const words = chosenFiles.map((file) => refusal(box, file));
	const usable = chosenFiles.filter((_, at) => !words[at]);
	const [first, ...others] = usable;
	for (const file of isMany(box) ? usable : usable.slice(0, 1)) send(box, { file });
	if (!isMany(box) && first && others.length)
		words.push(fill(box.dataset.oneFile, { taken: first.name, left: others.map(({ name }) => name).join(", ") }));
	if (chosenFiles.length) {
		complain(box, words.filter(Boolean).join(" "));
		return;
	}
	// the real check is on the server; this only catches text that clearly isn't a URL
	if (/^(www\.|\S+\/)\S+$/i.test(link)) send(box, { link });
	else complain(box, box.dataset.noLink);
};

on(["htmx:xhr:progress"], ".is-sending", (tile, { detail: { loaded, total } }) => {
	const percent = total ? (loaded / total) * 100 : 100;
	get("progress", tile, HTMLProgressElement).value = percent;
	get(".file-facts", tile).textContent = percent < 100 ? `${Math.round(percent)} %` : (tile.dataset.checking ?? "");
});
on(["htmx:sendError", "htmx:responseError"], ".is-sending", (tile, { detail: { xhr } }) => {
	const isTold = [401, 413, 507].includes(xhr.status); // the response is a sentence that says why
	fail(tile, isTold ? xhr.response : tile.dataset.lost);
});
on(["htmx:afterSettle"], ".upload", (box, { target, detail: { requestConfig: config } }) => {
	const at = /** @type {HTMLElement} */ (target);
	const tile = at.matches("ol") ? at.lastElementChild : at;
	if (tile?.matches("[data-file]") && config.verb === "post") {
		// the new tile replaces the tiles before it; those after it belong to files chosen since then, and stay
		if (!isMany(box))
			while (tile.previousElementSibling) remove(/** @type {HTMLElement} */ (tile.previousElementSibling));
		if (config.parameters.link) get("[inputmode=url]", box, HTMLInputElement).value = "";
		say(fill(box.dataset.added, { name: get(".file-name", tile).textContent }));
		changed(box);
	}
});

/** @param {HTMLElement} input */
const takeChosen = (input) => {
	if (!(input instanceof HTMLInputElement)) return;
	if (input.files?.length) take(boxOf(input), input.files);
	input.value = "";
};
on(["change"], ".choose [type=file]", takeChosen);
export const takeAllChosen = () => all(".choose [type=file]").forEach(takeChosen);
takeAllChosen(); // files that were chosen before this script had loaded
on(["dragover", "dragleave", "drop"], ".app-form", (_, { type, target, dataTransfer: data }) => {
	const box = boxOf(/** @type {Element} */ (target));
	find(".is-over")?.classList.remove("is-over");
	if (type === "dragover") box?.classList.add("is-over");
	if (type === "drop" && box && data) take(box, data.files, data.getData("text").trim());
	return Boolean(box || data?.types.includes("Files"));
});
on(["paste"], ".upload", (box, { target, clipboardData: data }) => {
	if (!data || (target instanceof Element && target.matches("[inputmode=url]"))) return false;
	take(box, data.files, data.getData("text").trim());
	return true;
});
on(["click"], "[data-paste]", async (button) => {
	const box = boxOf(button);
	const type = "image/png";
	try {
		const item = (await navigator.clipboard.read()).find((one) => one.types.includes(type));
		if (item) take(box, [new File([await item.getType(type)], `${button.dataset.name}.png`, { type })]);
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
	if (verb === "link") take(box, [], get("[inputmode=url]", box, HTMLInputElement).value.trim());
	if (verb === "up" && tile) tile.previousElementSibling?.before(tile);
	if (verb === "down" && tile) tile.nextElementSibling?.after(tile);
	if (verb === "remove" && tile) remove(tile);
	if (tile) changed(box);
	const next = [button, ...all("button", tile ?? box), get("[type=file]", box)];
	next.find((one) => one.offsetParent)?.focus();
	return true;
});
on(["keydown"], ".link-box input", ({ nextElementSibling: button }, { key }) => {
	if (key === "Enter" && button instanceof HTMLElement) button.click();
	return key === "Enter";
});
