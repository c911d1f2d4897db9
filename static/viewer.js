/* The page of one result: zoom, full screen, keys. Without this script, a click opens the original, and previous and
   next are links. Zooming only enlarges the frame inside a stage that scrolls, so touch, wheel, scroll bars and arrow
   keys move it as usual. */
import { all, find, get, isForPage, on, say } from "./helpers.js";

const STEP = 1.5;
const CLICK = 2.5;
let scale = 1;
let fit = { width: 0, height: 0 };
/** @type {{ x: number, y: number } | null} */
let grip = null;
let isMoved = false;

const page = () => find("[data-viewer]"); // going back replaces this element
const stage = () => get("[data-stage]");
const frame = () => find("[data-frame]:has(img)");

/** @param {HTMLElement} node @param {number} [width] in px; the stylesheet's if omitted @param {number} [height] */
const size = (node, width, height) => {
	node.style.width = width ? `${width}px` : "";
	node.style.height = height ? `${height}px` : "";
};

/** @param {HTMLImageElement} picture preview to replace with the original */
const load = (picture) => {
	const { original } = picture.dataset;
	if (!original) return;
	delete picture.dataset.original;
	const whole = new Image();
	whole.src = original;
	whole
		.decode()
		.then(() => {
			picture.src = original;
		})
		.catch(() => {});
};

/** @param {HTMLElement} inside */
const pixels = (inside) => Number(get("img", inside).getAttribute("width"));
/** @param {HTMLElement} inside */
const natural = (inside) => pixels(inside) / (fit.width || inside.getBoundingClientRect().width);

/** @param {HTMLElement} box @param {boolean} isZoomed */
const describe = (box, isZoomed) => {
	box.classList.toggle("is-zoomed", isZoomed);
	box.tabIndex = isZoomed ? 0 : -1;
	box.role = isZoomed ? "group" : null;
	box.ariaLabel = isZoomed ? (box.dataset.zoomed ?? "") : null;
};

/** Zoom around a point on the screen, by default the middle of the stage. @param {number} target @param {number} [x] @param {number} [y] */
const zoom = (target, x, y) => {
	const box = stage();
	const inside = frame();
	if (!inside) return;
	if (scale === 1) {
		const { width, height } = inside.getBoundingClientRect();
		fit = { width, height };
	}
	const next = Math.min(Math.max(target, 1), Math.max(4, (2 * pixels(inside)) / fit.width));
	const before = inside.getBoundingClientRect();
	const around = box.getBoundingClientRect();
	const atX = x ?? around.left + around.width / 2;
	const atY = y ?? around.top + around.height / 2;
	const right = (atX - before.left) / before.width;
	const down = (atY - before.top) / before.height;
	if (scale === 1 && next > 1) box.style.height = `${around.height}px`;
	scale = next > 1.001 ? next : 1;
	describe(box, scale > 1);
	if (scale > 1) {
		size(inside, fit.width * scale, fit.height * scale);
		load(get("img", inside, HTMLImageElement));
	} else {
		box.style.height = "";
		size(inside);
	}
	const after = inside.getBoundingClientRect();
	box.scrollLeft += after.left + right * after.width - atX;
	box.scrollTop += after.top + down * after.height - atY;
	const label = get("[data-scale]");
	label.dataset.fits ??= label.textContent;
	label.textContent = scale > 1 ? `${Math.round((100 * scale) / natural(inside))} %` : label.dataset.fits;
};
const back = () => {
	if (scale > 1) zoom(1);
};
/** @param {number} [x] @param {number} [y] */
const toggle = (x, y) => {
	const inside = frame();
	if (scale > 1) zoom(1);
	else if (inside) zoom(natural(inside) > 1.2 ? natural(inside) : CLICK, x, y);
};
const larger = () => zoom(scale * STEP);
const smaller = () => zoom(scale / STEP);
const original = () => {
	const inside = frame();
	if (inside) zoom(natural(inside));
};
const fullScreen = () => {
	if (document.fullscreenElement) document.exitFullscreen();
	else
		page()
			?.requestFullscreen?.()
			.catch(() => {});
};
/** @param {"next" | "prev"} rel */
const go = (rel) => find(`#file a[rel=${rel}]`)?.click();

/* Pointer: click, drag, pinch */
on(["click"], "[data-zoom]", ({ dataset }, event) => {
	if (dataset.zoom === "in") larger();
	if (dataset.zoom === "out") smaller();
	if (dataset.zoom === "full") toggle();
	if (dataset.zoom !== "click" || !frame() || event.ctrlKey || event.metaKey || event.shiftKey) return false;
	if (!isMoved) event.detail ? toggle(event.clientX, event.clientY) : toggle();
	return true;
});
on(["click"], "[data-full-screen]", fullScreen);
on(["click"], "[data-print]", () => print());

/** @type {Map<number, { x: number, y: number }>} */
const touches = new Map();
const span = () => {
	const [a = { x: 0, y: 0 }, b = a] = touches.values();
	return { far: Math.hypot(a.x - b.x, a.y - b.y) || 1, x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
};
let pinch = { far: 1, scale: 1 };
on(["pointerdown"], "[data-frame]", (_, event) => {
	if (!frame() || event.button) return;
	isMoved = false;
	const at = { x: event.clientX, y: event.clientY };
	if (event.pointerType === "mouse") grip = scale > 1 ? at : null;
	else touches.set(event.pointerId, at);
	if (touches.size === 2) pinch = { far: span().far, scale };
});
addEventListener("pointermove", (event) => {
	const at = { x: event.clientX, y: event.clientY };
	if (grip) {
		const box = stage();
		if (Math.hypot(at.x - grip.x, at.y - grip.y) > 4) isMoved = true;
		if (!isMoved) return;
		box.classList.add("is-held");
		box.scrollLeft -= event.movementX;
		box.scrollTop -= event.movementY;
	} else if (touches.has(event.pointerId)) {
		touches.set(event.pointerId, at);
		if (touches.size !== 2) return;
		isMoved = true;
		const now = span();
		zoom((pinch.scale * now.far) / pinch.far, now.x, now.y);
	}
});
/** @param {PointerEvent} event */
const release = (event) => {
	grip = null;
	touches.delete(event.pointerId);
	find("[data-stage]")?.classList.remove("is-held");
};
addEventListener("pointerup", release);
addEventListener("pointercancel", release);
on(["dragstart"], "[data-frame]", () => true);
document.addEventListener(
	"wheel",
	(event) => {
		const isOnStage = event.target instanceof Element && event.target.closest("[data-stage]");
		if (!event.ctrlKey || !isOnStage || !frame()) return; // a pinch on a trackpad has ctrlKey
		event.preventDefault();
		zoom(scale * Math.exp(-event.deltaY / 200), event.clientX, event.clientY);
	},
	{ passive: false },
);

/* Keys; while a picture is enlarged, the arrow keys move it */

/** @type {Record<string, () => unknown>} */
const keys = {
	j: () => go("next"),
	k: () => go("prev"),
	f: fullScreen,
	0: back,
	Escape: back,
	"+": larger,
	"=": larger,
	"-": smaller,
	1: original,
	ArrowRight: () => scale === 1 && go("next"),
	ArrowLeft: () => scale === 1 && go("prev"),
};
addEventListener("keydown", (event) => {
	const { key, target } = event;
	if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !find("#file[data-keys]")) return;
	if (!isForPage(target) || !(target instanceof Element)) return;
	if (key.startsWith("Arrow") && target.closest("video, audio, [role=group], .strip, .stage-text")) return;
	if (key === "Escape" && document.fullscreenElement) return;
	if (Object.hasOwn(keys, key)) keys[key]?.();
});

/** If the server didn't know a video's size, take it from the video. */
const shape = () => {
	for (const { videoWidth: width, videoHeight: height, parentElement } of all(
		"[data-shapeless] video",
		document,
		HTMLVideoElement,
	)) {
		if (!width || !parentElement) continue;
		const space = get(".frame-space", parentElement, SVGElement);
		space.setAttribute("viewBox", `0 0 ${width} ${height}`);
		space.setAttribute("width", `${width}00`);
		space.setAttribute("height", `${height}00`);
	}
};
document.addEventListener("loadedmetadata", shape, true);

/** The video or audio of the next result. @type {HTMLVideoElement | null} */
let ahead = null;
/** Load the next result's video or audio, as much of it as the browser sees fit. @param {string | undefined} url */
const loadAhead = (url) => {
	ahead?.removeAttribute("src");
	ahead?.load();
	ahead = null;
	if (!url || navigator.connection?.saveData) return;
	ahead = document.createElement("video");
	ahead.preload = "auto";
	ahead.src = url;
};

/** Set up a page that was just loaded or swapped in. */
const begin = () => {
	if (!page()) return;
	shape();
	scale = 1;
	fit = { width: 0, height: 0 };
	for (const node of all("[data-scripted]"))
		node.hidden = node.matches("[data-full-screen]") && !document.fullscreenEnabled;
	if (!navigator.connection?.saveData) all("img[data-eager]", document, HTMLImageElement).forEach(load);
	const { picture, media } = find("#file a[rel=next]")?.dataset ?? {};
	if (picture) new Image().src = picture;
	loadAhead(media);
	find(".strip [aria-current]")?.parentElement?.scrollIntoView({ block: "nearest", inline: "nearest" });
	const version = find(".versions-strip [aria-current]");
	const strip = version?.closest("ol");
	if (version && strip)
		strip.scrollLeft = version.offsetLeft - strip.offsetLeft - (strip.clientWidth - version.offsetWidth) / 2;
};

addEventListener("resize", back);
document.addEventListener("fullscreenchange", back);
document.addEventListener("htmx:afterSettle", ({ target }) => {
	if (!(target instanceof Element) || target.id !== "file") return; // swapped comments and verdicts announce themselves
	begin();
	const title = get("#file-title");
	if (document.activeElement === document.body) title.focus({ preventScroll: true });
	say(title.dataset.announcement || title.textContent); // in Review, this is what was just decided
});
document.addEventListener("htmx:historyRestore", begin);
begin();
