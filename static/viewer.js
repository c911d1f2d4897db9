/* The page of one result: zoom, full screen, keys. Without it a click opens the original, and previous and next are
   links. Nothing here sets what the server did not: a zoomed frame is a larger one in a stage that scrolls, so that
   touch, wheel, scroll bars and arrow keys move it as they move anything. */
"use strict";
{
	const one = (css, root = document) => root.querySelector(css);
	const all = (css) => [...document.querySelectorAll(css)];
	const page = () => one("#file"); // another one after going back
	const NONE = { width: "", height: "" };
	const STEP = 1.5, CLICK = 2.5;
	let scale = 1, fit = NONE, held, moved;

	const stage = () => one("[data-stage]");
	const frame = () => one("[data-frame]:has(img)");
	const size = (node, { width, height }) => Object.assign(node.style, { width: width && `${width}px`, height: height && `${height}px` });

	/* Small first, then the file itself. */
	const load = (picture) => {
		const { original } = picture.dataset;
		if (!original) return;
		delete picture.dataset.original;
		const whole = new Image();
		whole.src = original;
		whole.decode().then(() => (picture.src = original)).catch(() => {});
	};

	/* Zoom about a point of the screen, by default the middle of the stage. */
	const most = () => Math.max(4, (2 * +one("img", frame()).getAttribute("width")) / fit.width);
	const zoom = (wanted, x, y) => {
		const box = stage(), inside = frame();
		if (!inside) return;
		if (scale === 1) {
			const { width, height } = inside.getBoundingClientRect();
			fit = { width, height };
		}
		const next = Math.min(Math.max(wanted, 1), most());
		const before = inside.getBoundingClientRect(), around = box.getBoundingClientRect();
		x ??= around.left + around.width / 2;
		y ??= around.top + around.height / 2;
		const right = (x - before.left) / before.width, down = (y - before.top) / before.height;
		if (scale === 1 && next > 1) box.style.height = `${around.height}px`;
		scale = next;
		const isZoomed = scale > 1.001;
		box.classList.toggle("is-zoomed", isZoomed);
		box.tabIndex = isZoomed ? 0 : -1;
		if (isZoomed) {
			box.setAttribute("role", "group");
			box.setAttribute("aria-label", "Enlarged picture; arrow keys move it");
			size(inside, { width: fit.width * scale, height: fit.height * scale });
			load(one("img", inside));
		} else {
			scale = 1;
			box.removeAttribute("role");
			box.removeAttribute("aria-label");
			box.style.height = "";
			size(inside, NONE);
		}
		const after = inside.getBoundingClientRect();
		box.scrollLeft += after.left + right * after.width - x;
		box.scrollTop += after.top + down * after.height - y;
		tell();
	};
	const natural = () => +one("img", frame()).getAttribute("width") / (fit.width || frame().getBoundingClientRect().width);
	const tell = () => {
		const shown = one("[data-scale]"), percent = Math.round((100 * scale) / natural());
		shown.textContent = scale > 1 ? `${percent} %` : "Fits";
	};
	const back = () => scale > 1 && zoom(1);
	const toggle = (x, y) => (scale > 1 ? zoom(1) : zoom(natural() > 1.2 ? natural() : CLICK, x, y));
	const acts = { in: () => zoom(scale * STEP), out: () => zoom(scale / STEP), full: () => toggle() };

	const fullScreen = () => {
		if (document.fullscreenElement) document.exitFullscreen();
		else page().requestFullscreen?.().catch(() => {});
	};
	const go = (rel) => one(`#file a[rel=${rel}]`)?.click();

	/* Pointer: click, drag, pinch */
	document.addEventListener("click", (event) => {
		const act = event.target.closest("[data-zoom]")?.dataset.zoom;
		if (act === "click" && frame()) {
			if (event.ctrlKey || event.metaKey || event.shiftKey) return;
			event.preventDefault();
			if (!moved) event.detail ? toggle(event.clientX, event.clientY) : toggle();
		} else if (act) acts[act]();
		if (event.target.closest("[data-full-screen]")) fullScreen();
		if (event.target.closest("[data-print]")) print();
	});
	const touches = new Map();
	const span = () => {
		const [a, b] = [...touches.values()];
		return { far: Math.hypot(a.x - b.x, a.y - b.y) || 1, x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
	};
	let pinch;
	document.addEventListener("pointerdown", (event) => {
		if (!event.target.closest("[data-frame]") || !frame() || event.button) return;
		moved = false;
		const at = { x: event.clientX, y: event.clientY };
		if (event.pointerType === "mouse") held = scale > 1 && at;
		else touches.set(event.pointerId, at);
		if (touches.size === 2) pinch = { ...span(), scale };
	});
	addEventListener("pointermove", (event) => {
		const at = { x: event.clientX, y: event.clientY };
		if (held) {
			const box = stage();
			if (Math.hypot(at.x - held.x, at.y - held.y) > 4) moved = true;
			if (!moved) return;
			box.classList.add("is-held");
			box.scrollLeft -= event.movementX;
			box.scrollTop -= event.movementY;
		} else if (touches.has(event.pointerId)) {
			touches.set(event.pointerId, at);
			if (touches.size !== 2) return;
			moved = true;
			const now = span();
			zoom((pinch.scale * now.far) / pinch.far, now.x, now.y);
		}
	});
	const release = (event) => {
		held = undefined;
		touches.delete(event.pointerId);
		stage()?.classList.remove("is-held");
	};
	addEventListener("pointerup", release);
	addEventListener("pointercancel", release);
	document.addEventListener("dragstart", (event) => event.target.closest?.("[data-frame]") && event.preventDefault());
	document.addEventListener("wheel", (event) => {
		if (!event.ctrlKey || !event.target.closest("[data-stage]") || !frame()) return; // a pinch on a track pad
		event.preventDefault();
		zoom(scale * Math.exp(-event.deltaY / 200), event.clientX, event.clientY);
	}, { passive: false });

	/* Keys; while a picture is enlarged the arrows move it */
	const keys = {
		j: () => go("next"), k: () => go("prev"), f: fullScreen, 0: back, Escape: back,
		"+": acts.in, "=": acts.in, "-": acts.out, 1: () => frame() && zoom(natural()),
		ArrowRight: () => scale === 1 && go("next"), ArrowLeft: () => scale === 1 && go("prev"),
	};
	addEventListener("keydown", (event) => {
		const { key, target } = event;
		if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !one("#file[data-keys]")) return;
		if (target.closest("input, textarea, select, [contenteditable]") || one("dialog[open], :popover-open")) return;
		if (key.startsWith("Arrow") && target.closest("video, audio, [role=group], .strip, .stage-text")) return;
		if (!Object.hasOwn(keys, key)) return;
		if (key === "Escape" && document.fullscreenElement) return;
		keys[key]();
	});

	const shape = () => {
		for (const { videoWidth, videoHeight, parentNode } of all("[data-shapeless] video")) {
			const given = { viewBox: `0 0 ${videoWidth} ${videoHeight}`, width: `${videoWidth}00`, height: `${videoHeight}00` };
			for (const name in given) if (videoWidth) one(".frame-space", parentNode).setAttribute(name, given[name]);
		}
	};
	const fresh = () => {
		shape();
		scale = 1;
		fit = NONE;
		for (const node of all("[data-scripted]")) node.hidden = node.matches("[data-full-screen]") && !document.fullscreenEnabled;
		for (const picture of all("img[data-eager]")) if (!navigator.connection?.saveData) load(picture);
		const { picture } = one("#file a[rel=next]")?.dataset ?? {};
		if (picture) new Image().src = picture;
		one(".strip [aria-current]")?.parentElement.scrollIntoView({ block: "nearest", inline: "nearest" });
	};
	/* Measures nobody knew are those the video brings itself. */
	document.addEventListener("loadedmetadata", () => shape(), true);

	addEventListener("resize", back);
	document.addEventListener("fullscreenchange", back);
	document.addEventListener("htmx:afterSettle", ({ target }) => {
		if (!page()?.contains(target)) return;
		fresh();
		const title = one("#file-title");
		if (document.activeElement === document.body) title.focus({ preventScroll: true });
		one("#announcer").textContent = title.textContent;
	});
	document.addEventListener("htmx:historyRestore", fresh);
	fresh();
}
