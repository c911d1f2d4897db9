/* The compare page: pictures zoom and move together, one slides over the other, videos keep step. It works without. */
"use strict";
(() => {
	const $$ = (css, root = document) => [...root.querySelectorAll(css)];
	const $ = (css) => document.querySelector(css);
	const page = $(".compare"), tools = $("[data-tools]");
	const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
	if (tools) tools.hidden = false;

	/* Pictures: one scale and one place for all; the place is a share of the stage, so that sizes do not matter */
	const MOST = 8, STEP = 1.5, PACE = 0.08;
	const view = { scale: 1, x: 0, y: 0 };
	const stages = $$("[data-stage]");
	const draw = () => {
		const room = (view.scale - 1) / 2;
		view.x = clamp(view.x, -room, room);
		view.y = clamp(view.y, -room, room);
		for (const image of $$("[data-moved]"))
			image.style.transform = `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.scale})`;
		page.classList.toggle("is-zoomed", view.scale > 1);
		$("[data-scale]").textContent = `${Math.round(view.scale * 100)} %`;
		if (view.scale > 1.4)
			for (const image of $$("[data-full]:not([data-src])")) {
				image.src = image.dataset.full; // the large preview is not enough from here on
				delete image.dataset.full;
			}
	};
	// AT is where the picture shall stay under the finger, as a share of the stage from its middle.
	const zoom = (scale, at = { x: 0, y: 0 }) => {
		const next = clamp(scale, 1, MOST), grown = next / view.scale;
		view.x = at.x - (at.x - view.x) * grown;
		view.y = at.y - (at.y - view.y) * grown;
		view.scale = next;
		draw();
	};
	const move = (x, y) => {
		view.x += x;
		view.y += y;
		draw();
	};
	const place = (stage, { clientX, clientY }) => {
		const box = stage.getBoundingClientRect();
		return { x: (clientX - box.left) / box.width - 0.5, y: (clientY - box.top) / box.height - 0.5 };
	};
	const KEYS = {
		"+": () => zoom(view.scale * STEP), "=": () => zoom(view.scale * STEP), "-": () => zoom(view.scale / STEP),
		0: () => zoom(1), ArrowLeft: () => move(PACE, 0), ArrowRight: () => move(-PACE, 0),
		ArrowUp: () => move(0, PACE), ArrowDown: () => move(0, -PACE),
	};
	for (const stage of stages) {
		const fingers = new Map(), isOverlay = !!stage.closest("[data-overlay]");
		let apart = 0, isSliding = false;
		stage.dataset.live = "";
		stage.tabIndex = 0;
		stage.setAttribute("role", "group");
		stage.setAttribute("aria-label", `${stage.dataset.label}. Plus and minus zoom, arrow keys move`);
		stage.addEventListener("keydown", (event) => {
			const act = KEYS[event.key];
			if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
			if (event.key.startsWith("Arrow") && view.scale === 1) return; // then they scroll
			event.preventDefault();
			act();
		});
		stage.addEventListener("wheel", (event) => {
			const isMeant = event.ctrlKey || view.scale > 1 || stage === document.activeElement;
			if (!isMeant) return; // else nobody could scroll past the pictures
			event.preventDefault();
			zoom(view.scale * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), place(stage, event));
		}, { passive: false });
		stage.addEventListener("dblclick", (event) => zoom(view.scale > 1 ? 1 : 2.5, place(stage, event)));
		stage.addEventListener("pointerdown", (event) => {
			fingers.set(event.pointerId, event);
			apart = 0;
			// once enlarged, one finger moves the picture, and only on the line it slides
			isSliding = isOverlay && fingers.size === 1 && (view.scale === 1 || event.target.matches("[data-line]"));
			if (isSliding) slideTo(stage, event);
			if (view.scale > 1 || fingers.size > 1 || isOverlay) stage.setPointerCapture(event.pointerId);
		});
		stage.addEventListener("pointermove", (event) => {
			const before = fingers.get(event.pointerId);
			if (!before) return;
			fingers.set(event.pointerId, event);
			const { width, height } = stage.getBoundingClientRect();
			if (fingers.size === 2) {
				const [a, b] = fingers.values(), now = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
				const middle = { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 };
				if (apart) zoom((view.scale * now) / apart, place(stage, middle));
				apart = now;
			} else if (isSliding) slideTo(stage, event);
			else if (view.scale > 1) {
				page.classList.add("is-moving");
				move((event.clientX - before.clientX) / width, (event.clientY - before.clientY) / height);
			}
		});
		const end = (event) => {
			fingers.delete(event.pointerId);
			apart = 0;
			page.classList.remove("is-moving");
		};
		for (const type of ["pointerup", "pointercancel"]) stage.addEventListener(type, end);
	}
	for (const button of $$("[data-zoom]"))
		button.addEventListener("click", () =>
			zoom({ in: view.scale * STEP, out: view.scale / STEP, fit: 1 }[button.dataset.zoom]));

	/* One over the other */
	const overlay = $("[data-overlay]"), shares = $$("[data-share]");
	const share = (value, from) => {
		if (!Number.isFinite(value)) return;
		const percent = clamp(Math.round(value), 0, 100);
		for (const field of shares) if (field !== from) field.value = percent;
		$("[data-over]").style.clipPath = `inset(0 0 0 ${percent}%)`;
		$("[data-line]").style.insetInlineStart = `${percent}%`;
	};
	const slideTo = (stage, event) => share((place(stage, event).x + 0.5) * 100);
	for (const field of shares) field.addEventListener("input", () => share(field.valueAsNumber, field));
	$("[data-overlay-switch]")?.addEventListener("click", ({ currentTarget: button }) => {
		const isOn = overlay.hidden;
		overlay.hidden = !isOn;
		button.setAttribute("aria-pressed", isOn);
		page.classList.toggle("has-overlay", isOn);
		for (const image of $$("[data-src]", overlay)) {
			image.src = image.dataset.src;
			delete image.dataset.src;
		}
		draw();
		share(50);
		if (!isOn) return;
		$("#overlay-range").focus({ preventScroll: true }); // by itself it comes to the middle, and the picture leaves above
		overlay.scrollIntoView({ block: "nearest" });
	});

	/* Videos: one button and one time for all; sounds: one at a time */
	const videos = $$("[data-video]"), play = $("[data-play]"), seek = $("[data-seek]");
	const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
	const longest = () => Math.max(0, ...videos.map((video) => video.duration || 0));
	const told = () => {
		const now = Math.max(...videos.map((video) => video.currentTime));
		seek.max = longest() || 1;
		seek.value = now;
		$("[data-time]").textContent = `${clock(now)} of ${clock(longest())}`;
		const isOn = videos.some((video) => !video.paused && !video.ended);
		play.setAttribute("aria-pressed", isOn);
		play.lastElementChild.textContent = isOn ? "Pause all" : "Play all";
	};
	if (play) {
		for (const [n, video] of videos.entries()) {
			video.muted = n > 0; // one sound at a time
			for (const type of ["timeupdate", "play", "pause", "ended", "loadedmetadata"]) video.addEventListener(type, told);
		}
		play.addEventListener("click", () => {
			const isOn = play.getAttribute("aria-pressed") === "true", isOver = videos.every((video) => video.ended);
			const from = isOver ? 0 : Math.max(...videos.map((video) => video.currentTime));
			for (const video of videos) {
				if (isOn) video.pause();
				else if (from < (video.duration || Infinity)) {
					video.currentTime = from;
					video.play().catch(told);
				}
			}
		});
		seek.addEventListener("input", () => {
			for (const video of videos) video.currentTime = Math.min(seek.valueAsNumber, video.duration || 0);
		});
		told();
	}
	for (const sound of $$("[data-sound]"))
		sound.addEventListener("play", () => $$("[data-sound]").forEach((other) => other === sound || other.pause()));

	/* Choosing */
	const picks = $("[data-picks]");
	const count = () => {
		const chosen = $$(":checked[name=f]", picks).length, most = +picks.dataset.picks;
		for (const box of $$("[name=f]", picks)) box.disabled = chosen >= most && !box.checked;
		$("[data-said]").textContent =
			chosen >= most ? `${chosen} chosen, that is all that fit.` : chosen > 1 ? `${chosen} chosen.` : chosen ? "One chosen; tick another." : "Tick two to four.";
		$("[data-go]").setAttribute("aria-disabled", chosen < 2);
	};
	picks?.addEventListener("change", count);
	picks?.addEventListener("submit", (event) => {
		if (event.submitter?.getAttribute("aria-disabled") === "true") event.preventDefault();
	});
	if (picks) count();
	addEventListener("pageshow", () => picks && count());
})();
