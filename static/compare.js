/* The compare page: pictures zoom and move together or slide over one another, and videos stay in sync. */
import { all, fill, find, get, isForPage } from "./helpers.js";

const page = get("[data-comparison]");
/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const tools = find("[data-tools]");
if (tools) tools.hidden = false;

/* Pictures share one scale and one offset. The offset is a fraction of the stage, so it fits stages of any size. */
const MOST = 8;
const STEP = 1.5;
const PACE = 0.08;
const view = { scale: 1, x: 0, y: 0 };

const draw = () => {
	const room = (view.scale - 1) / 2;
	view.x = clamp(view.x, -room, room);
	view.y = clamp(view.y, -room, room);
	for (const image of all("[data-moved]"))
		image.style.transform = `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.scale})`;
	page.classList.toggle("is-zoomed", view.scale > 1);
	get("[data-scale]").textContent = `${Math.round(view.scale * 100)} %`;
	if (view.scale <= 1.4) return;
	// beyond this scale, the large preview is too coarse
	for (const image of all("[data-full]:not([data-src])", page, HTMLImageElement)) {
		image.src = image.dataset.full ?? "";
		delete image.dataset.full;
	}
};
/**
 * @param {number} scale
 * @param {{ x: number, y: number }} [at] point that stays in place, as a fraction of the stage from its middle
 */
const zoom = (scale, at = { x: 0, y: 0 }) => {
	const next = clamp(scale, 1, MOST);
	const grown = next / view.scale;
	view.x = at.x - (at.x - view.x) * grown;
	view.y = at.y - (at.y - view.y) * grown;
	view.scale = next;
	draw();
};
/** @param {number} x @param {number} y */
const move = (x, y) => {
	view.x += x;
	view.y += y;
	draw();
};
/** @param {HTMLElement} stage @param {{ clientX: number, clientY: number }} point */
const place = (stage, { clientX, clientY }) => {
	const box = stage.getBoundingClientRect();
	return { x: (clientX - box.left) / box.width - 0.5, y: (clientY - box.top) / box.height - 0.5 };
};

/** @type {Record<string, () => void>} */
const KEYS = {
	"+": () => zoom(view.scale * STEP),
	"=": () => zoom(view.scale * STEP),
	"-": () => zoom(view.scale / STEP),
	0: () => zoom(1),
	ArrowLeft: () => move(PACE, 0),
	ArrowRight: () => move(-PACE, 0),
	ArrowUp: () => move(0, PACE),
	ArrowDown: () => move(0, -PACE),
};

/** @param {HTMLElement} stage to set up for keys, wheel and touch */
const prepare = (stage) => {
	/** @type {Map<number, PointerEvent>} */
	const fingers = new Map();
	const isOverlay = stage.closest("[data-overlay]") !== null;
	let apart = 0;
	let isSliding = false;
	stage.dataset.live = "";
	stage.tabIndex = 0;
	stage.role = "group";
	stage.ariaLabel = fill(page.dataset.stageHelp, { label: stage.dataset.label ?? "" });
	stage.addEventListener("keydown", (event) => {
		const act = KEYS[event.key];
		if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
		if (event.key.startsWith("Arrow") && view.scale === 1) return; // let the keys scroll
		event.preventDefault();
		act();
	});
	stage.addEventListener(
		"wheel",
		(event) => {
			const isMeant = event.ctrlKey || view.scale > 1 || stage === document.activeElement;
			if (!isMeant) return; // so that people can scroll past the pictures
			event.preventDefault();
			zoom(view.scale * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), place(stage, event));
		},
		{ passive: false },
	);
	stage.addEventListener("dblclick", (event) => zoom(view.scale > 1 ? 1 : 2.5, place(stage, event)));
	stage.addEventListener("pointerdown", (event) => {
		fingers.set(event.pointerId, event);
		apart = 0;
		// one finger moves an enlarged picture; it moves the divider only if it starts on the line
		const isOnLine = event.target instanceof Element && event.target.matches("[data-line]");
		isSliding = isOverlay && fingers.size === 1 && (view.scale === 1 || isOnLine);
		if (isSliding) slideTo(stage, event);
		if (view.scale > 1 || fingers.size > 1 || isOverlay) stage.setPointerCapture(event.pointerId);
	});
	stage.addEventListener("pointermove", (event) => {
		const before = fingers.get(event.pointerId);
		if (!before) return;
		fingers.set(event.pointerId, event);
		const { width, height } = stage.getBoundingClientRect();
		const [a, b] = fingers.values();
		if (fingers.size === 2 && a && b) {
			const now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
			const middle = { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 };
			if (apart) zoom((view.scale * now) / apart, place(stage, middle));
			apart = now;
		} else if (isSliding) slideTo(stage, event);
		else if (view.scale > 1) {
			page.classList.add("is-moving");
			move((event.clientX - before.clientX) / width, (event.clientY - before.clientY) / height);
		}
	});
	/** @param {PointerEvent} event */
	const end = (event) => {
		fingers.delete(event.pointerId);
		apart = 0;
		page.classList.remove("is-moving");
	};
	stage.addEventListener("pointerup", end);
	stage.addEventListener("pointercancel", end);
};
all("[data-stage]").forEach(prepare);
// Elsewhere on the page, the arrow keys scroll
document.addEventListener("keydown", (event) => {
	const act = event.key.startsWith("Arrow") ? null : KEYS[event.key];
	if (!act || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
	if (page.dataset.keys === undefined || !find("[data-live]", page) || !isForPage(event.target)) return;
	event.preventDefault();
	act();
});

for (const button of all("[data-zoom]"))
	button.addEventListener("click", () => {
		const { zoom: way } = button.dataset;
		zoom(way === "in" ? view.scale * STEP : way === "out" ? view.scale / STEP : 1);
	});

/* Overlay */
const shares = all("[data-share]", document, HTMLInputElement);

/** @param {number} value percent of the first picture @param {HTMLInputElement} [from] field it was entered in */
const share = (value, from) => {
	if (!Number.isFinite(value)) return;
	const percent = clamp(Math.round(value), 0, 100);
	for (const field of shares) if (field !== from) field.value = String(percent);
	get("[data-over]").style.clipPath = `inset(0 0 0 ${percent}%)`;
	get("[data-line]").style.insetInlineStart = `${percent}%`;
};
/** @param {HTMLElement} stage @param {PointerEvent} event */
const slideTo = (stage, event) => share((place(stage, event).x + 0.5) * 100);
for (const field of shares) field.addEventListener("input", () => share(field.valueAsNumber, field));

const onOff = find("[data-overlay-switch]");
onOff?.addEventListener("click", () => {
	const overlay = get("[data-overlay]");
	const isOn = Boolean(overlay.hidden);
	overlay.hidden = !isOn;
	onOff.ariaPressed = String(isOn);
	page.classList.toggle("has-overlay", isOn);
	for (const image of all("[data-src]", overlay, HTMLImageElement)) {
		image.src = image.dataset.src ?? "";
		delete image.dataset.src;
	}
	draw();
	share(50);
	if (!isOn) return;
	// without preventScroll, the slider would scroll to the middle, and the picture out of view
	get("#overlay-range").focus({ preventScroll: true });
	overlay.scrollIntoView({ block: "nearest" });
});

/* Videos share one button and one time; audio files play one at a time */

/** @param {number} seconds */
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** @param {HTMLVideoElement[]} videos @param {HTMLElement} play */
const keepStep = (videos, play) => {
	const seek = get("[data-seek]", page, HTMLInputElement);
	const time = get("[data-time]");
	const word = get("span", play);
	const { textContent: playWord } = word;
	const longest = () => Math.max(0, ...videos.map((video) => video.duration || 0));
	const told = () => {
		const now = Math.max(...videos.map((video) => video.currentTime));
		seek.max = String(longest() || 1);
		seek.value = String(now);
		time.textContent = fill(time.dataset.of, { now: clock(now), length: clock(longest()) });
		const isOn = videos.some((video) => !video.paused && !video.ended);
		play.ariaPressed = String(isOn);
		word.textContent = isOn ? (play.dataset.pause ?? "") : playWord;
	};
	for (const [n, video] of videos.entries()) {
		video.muted = n > 0; // only the first video has sound
		for (const type of ["timeupdate", "play", "pause", "ended", "loadedmetadata"]) video.addEventListener(type, told);
	}
	play.addEventListener("click", () => {
		const isOn = play.ariaPressed === "true";
		const isOver = videos.every((video) => video.ended);
		const from = isOver ? 0 : Math.max(...videos.map((video) => video.currentTime));
		for (const video of videos) {
			if (isOn) video.pause();
			else if (from < (video.duration || Number.POSITIVE_INFINITY)) {
				video.currentTime = from;
				video.play().catch(told);
			}
		}
	});
	seek.addEventListener("input", () => {
		for (const video of videos) video.currentTime = Math.min(seek.valueAsNumber, video.duration || 0);
	});
	told();
};
const playAll = find("[data-play]");
if (playAll) keepStep(all("video", page, HTMLVideoElement), playAll);

const sounds = all("audio", page, HTMLAudioElement);
for (const sound of sounds)
	sound.addEventListener("play", () => {
		for (const other of sounds) if (other !== sound) other.pause();
	});
