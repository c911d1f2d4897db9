/* Keeps pages up to date: polls for updates to a page's runs and frame, and keeps clocks ticking between polls. */
import { all, fill, find, get, on, say } from "./helpers.js";

const AT_ONCE = 120;
const PACE = 2500;
const OFTEN_PACE = 1000; // while updates are likely: see `isNewsLikely`
const FRAME_PACE = 60_000;
const TEAM_PACE = 15_000;
const NEWS_PACE = 15_000;
const NEWS_PACE_OF_FORMS = 8000; // while an app's form is open, it matters soon whether runs can start
const HIDDEN_PACE = 30_000;
const HIDDEN_IDLE_PACE = 60_000;
const AFTER_PRESS = 100; // a tap's click comes after its pointerup
const LONGEST_PRESS = 5000; // if a press seems to last longer, we missed its end
const DAY = 86_400_000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
const opened = Date.now();
const newsPace = () => (find("#launch-left") ? NEWS_PACE_OF_FORMS : NEWS_PACE);
let newsDue = opened + newsPace(); // news is requested less often than updates of active runs
const active = () => all("[data-active]").slice(0, AT_ONCE);
const bell = () => find("#bell");
const isWatching = () => !!bell()?.hasAttribute("data-watching");

/** Return whether news of this card's run is likely now; `data-ask-often` says when it is. @param {HTMLElement} card */
const isNewsLikely = ({ dataset }) => {
	dataset.shownAt ??= String(Date.now());
	if (!dataset.askOften) return false;
	const [from = 0, to = 0] = dataset.askOften.split(" ").map((seconds) => Number(seconds) * 1000);
	const passed = Date.now() - Number(dataset.shownAt);
	return passed > from - PACE && passed < to + PACE;
};

/**
 * Drop a response that arrives after Back or Forward: by then, htmx has put another page into the body, and the element
 * that asked is no longer on the page.
 *
 * @param {Event} event
 */
const dropIfLeft = (event) => {
	if (event.target instanceof Element && !event.target.isConnected) event.preventDefault();
};

/**
 * Request changes; the response replaces the parts that are out of date.
 *
 * @param {string | undefined} url
 * @param {string[][]} pairs
 */
export const ask = async (url, pairs) => {
	const live = find("#live");
	if (find("#launch-left")) pairs.push(["form", "1"]); // an app's form shows the balance, too
	live?.addEventListener("htmx:beforeOnLoad", dropIfLeft);
	if (live && url)
		await htmx.ajax("GET", `${url}?${new URLSearchParams(pairs)}`, { source: live, swap: "none" }).catch(() => {});
};

/** Return whether comments can be replaced without taking away what someone does there. @param {HTMLElement} list */
const mayChange = (list) => !list.contains(document.activeElement) && !find(".comment-open textarea", list);

/** Request updates for this page's runs, and news. In a hidden tab, only news, which the tab's title counts. */
export const look = async () => {
	const { liveUrl, page } = find("#live")?.dataset ?? {};
	const cards = document.hidden ? [] : active();
	const isNewsDue = !!bell() && Date.now() >= newsDue;
	const watched = isNewsDue && !document.hidden ? all("[data-watched]").filter(mayChange) : [];
	const pairs = [...cards, ...watched].map(({ dataset }) => ["r", `${dataset.run}:${dataset.version}`]);
	if (bell()) pairs.push(["n", bell()?.dataset.bell ?? ""]);
	const connection = find("#connection");
	if (connection) pairs.push(["connection", connection.dataset.connection ?? ""]);
	if (page) pairs.push(["page", page]);
	// if History has widened the search, this differs from the query in the page's address
	const list = find("#selection-query", document, HTMLInputElement)?.value;
	if (page === "history" && list !== undefined) pairs.push(["in", list]);
	if (isWatching() && !document.hidden) pairs.push(["w", "1"]);
	if (cards[0] || isWatching() || isNewsDue) {
		newsDue = Date.now() + newsPace();
		await ask(liveUrl, pairs);
	}
	for (const one of document.hidden ? [] : others())
		if (Date.now() >= one.due) {
			one.due = Date.now() + one.every;
			await one.look();
		}
	soon();
};

/** Request what can change without a run on this page: active runs elsewhere, news, and the balance. */
export const lookAtFrame = () =>
	ask(find("#live")?.dataset.frameUrl, [
		["n", bell()?.dataset.bell ?? ""],
		["w", isWatching() ? "1" : ""],
		["b", find("#balance")?.textContent.trim() ?? ""],
		["c", find("#review-count")?.dataset.count ?? ""],
		...opening(find("#own-news")), // runs that this person has started elsewhere
	]);

/** Request what teammates have shared since the page was opened. */
const lookAtTeam = () => {
	const news = find("#team-news");
	return ask(news?.dataset.teamUrl, opening(news));
};

/** @param {HTMLElement | null} news @returns {string[][]} when the page was opened, and the new runs it knows about */
const opening = (news) => {
	if (!news) return [];
	const { since = "", token = "" } = news.dataset;
	return Object.entries({ since, k: token, page: find("#live")?.dataset.page ?? "" });
};

const frame = { css: "#bell", due: opened + PACE / 2, every: FRAME_PACE, look: lookAtFrame };
const team = { css: "#team-news", due: opened + TEAM_PACE, every: TEAM_PACE, look: lookAtTeam };
const others = () => [frame, team].filter(({ css }) => find(css));

const soon = () => {
	clearTimeout(timer);
	const cards = active();
	const isBusy = !!cards[0] || isWatching();
	const dues = [...others().map(({ due }) => due), ...(bell() ? [newsDue] : [])];
	const rest = Math.min(...dues) - Date.now();
	// The pace doesn't depend on how old the runs are, so that the page shows the end of a run within 3 s
	const pace = cards.filter(isNewsLikely)[0] ? OFTEN_PACE : PACE;
	if (document.hidden) timer = bell() ? setTimeout(look, isWatching() ? HIDDEN_PACE : HIDDEN_IDLE_PACE) : undefined;
	else if (isBusy || Number.isFinite(rest)) timer = setTimeout(look, isBusy ? pace : Math.max(rest, PACE));
};

/** Say how many of the new runs aren't on this page, without moving anything. */
const countNew = () => {
	for (const news of all("#team-news, #own-news")) {
		const link = get("a", news);
		const idsOnPage = all("[data-run]").map(({ dataset }) => dataset.run);
		const ids = news.dataset.ids?.split(" ").filter((id) => id && !idsOnPage.includes(id)) ?? [];
		const count = ids.length && `${ids.length}${news.dataset.more}`; // "100+" if the server stopped counting
		link.hidden = !count;
		get("[data-number]", link).textContent = fill(news.dataset.words, { count });
		if (count && count !== counted.get(news.id)) say(fill(news.dataset.announcement, { count }));
		counted.set(news.id, count);
	}
};
/** @type {Map<string, number | string>} */
const counted = new Map();
document.addEventListener("htmx:afterSettle", countNew);
soon();
document.addEventListener("visibilitychange", () => (document.hidden ? soon() : look()));

/* A press must end on the element it began on, so changes that arrive during a press wait for the next request. */
let pressedAt = 0;
const press = () => {
	pressedAt = Date.now();
};
const release = () => {
	pressedAt = 0;
};
addEventListener("pointerdown", press, true);
addEventListener("pointerup", () => setTimeout(release, AFTER_PRESS), true);
addEventListener("keydown", ({ key, target }) => {
	if (key === " " && target instanceof Element && target.matches("button, summary")) press();
});
for (const type of ["click", "keyup", "pointercancel"]) addEventListener(type, release, true);
on(["htmx:beforeOnLoad"], "#live, .file-state", () => {
	const isPressed = Date.now() - pressedAt < LONGEST_PRESS;
	if (isPressed) newsDue = frame.due = team.due = 0;
	return isPressed;
});

/* Elapsed time */
setInterval(() => {
	for (const time of all("[data-elapsed-since]")) {
		const seconds = time.textContent.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
		time.dataset.from ??= String(Date.now() - seconds * 1000);
		const elapsed = Date.now() - Number(time.dataset.from);
		if (elapsed < DAY)
			time.textContent = new Date(elapsed)
				.toISOString()
				.slice(11, 19)
				.replace(/^(00:)?0?/, "");
	}
}, 1000);
