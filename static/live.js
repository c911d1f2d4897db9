/* Keeps pages up to date with their runs: one poller for all runs on a page, and clocks that tick between polls. */
import { all, find } from "./portal.js";

const AT_ONCE = 120;
const PACE = 2500;
const OLD = 600_000;
const OLD_PACE = 10_000;
const DAY = 86_400_000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
const active = () => all("[data-active]").slice(0, AT_ONCE);

/** @param {HTMLElement} card */
const since = (card) => Date.parse(find("[data-elapsed-since]", card)?.dataset.elapsedSince ?? "") || Date.now();

/** Request updates for this page's runs now. */
export const look = async () => {
	const live = find("#live");
	const cards = active();
	if (live && cards[0] && !document.hidden) {
		const pairs = cards.map(({ dataset }) => ["r", `${dataset.run}:${dataset.version}`]);
		const query = new URLSearchParams(pairs);
		if (live.dataset.page) query.set("page", live.dataset.page);
		await htmx.ajax("GET", `${live.dataset.liveUrl}?${query}`, { source: live, swap: "none" }).catch(() => {});
	}
	soon();
};

const soon = () => {
	clearTimeout(timer);
	const isOld = Date.now() - Math.max(...active().map(since)) > OLD;
	timer = setTimeout(look, isOld ? OLD_PACE : PACE);
};
soon();
document.addEventListener("visibilitychange", look);

/* Elapsed time */
setInterval(() => {
	for (const time of all("[data-elapsed-since]")) {
		const shown = time.textContent.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
		time.dataset.from ??= String(Date.now() - shown * 1000);
		const elapsed = Date.now() - Number(time.dataset.from);
		if (elapsed < DAY)
			time.textContent = new Date(elapsed)
				.toISOString()
				.slice(11, 19)
				.replace(/^(00:)?0?/, "");
	}
}, 1000);
