/* Forms with `data-press` are sent by this script, so that the page stays if there is no answer; otherwise, the browser
   would replace it with its own error page. Sending them again is always safe, since each starts at most one run. */
import { find, get, renewToken, say, showBusy, showIdle } from "./helpers.js";

const AWAY = [502, 503, 504]; // what a proxy responds while the portal is down
/** @type {HTMLFormElement | null} */
let left = null; // the form that is left to the browser

/** @param {HTMLElement | null} submitter left out if it has since been replaced, as Run is when the cost changes */
const connected = (submitter) => (submitter?.isConnected ? submitter : null);

/** @param {HTMLFormElement} form @param {HTMLElement | null} submitter @returns {Promise<Response | undefined>} */
const send = async (form, submitter) => {
	const url = submitter?.getAttribute("formaction") ?? form.action;
	renewToken(form);
	// this header makes the portal answer with the address of the next page instead of a redirect
	const request = { method: "POST", body: new FormData(form, submitter), headers: { "HX-Request": "true" } };
	const answer = await fetch(url, request).catch(() => undefined);
	return answer && AWAY.includes(answer.status) ? undefined : answer;
};

/** @param {HTMLFormElement} form @param {HTMLElement | null} submitter */
const sendAndGo = async (form, submitter) => {
	const note = find("[data-unsent]", form);
	if (note) note.hidden = true;
	form.dataset.locked = "1"; // so that the form is sent only once, and no draft overtakes it
	if (!submitter?.matches("[data-free]")) say(showBusy(form, submitter));
	const answer = await send(form, submitter);
	const url = answer?.status === 401 ? null : answer?.headers.get("HX-Redirect");
	if (url) {
		form.dispatchEvent(new SubmitEvent("portal:accepted", { bubbles: true, submitter }));
		location.assign(url);
		return;
	}
	delete form.dataset.locked;
	showIdle(form);
	const again = () => form.requestSubmit(connected(submitter));
	if (answer) {
		left = form; // nothing was started, so let the browser show the answer: what is wrong, or the sign-in page
		again();
		return;
	}
	const notice = get("[data-unsent]", form); // looked up again, since it may have been replaced in the meantime
	get("p", notice).textContent = (navigator.onLine ? notice.dataset.away : notice.dataset.offline) ?? "";
	get("button", notice).onclick = again;
	notice.hidden = false;
	notice.scrollIntoView({ block: "nearest" });
};

// Capture the event, so that this runs before the listener in portal.js that lets a form be sent only once
document.addEventListener(
	"submit",
	(event) => {
		const { target: form, submitter } = event;
		if (!(form instanceof HTMLFormElement) || !form.matches("[data-press]") || form.dataset.locked) return;
		if (left === form) {
			left = null;
			return;
		}
		event.preventDefault();
		sendAndGo(form, submitter);
	},
	true,
);
