/* Forms with `data-reach-url` are sent only if the portal responds. If it doesn't, the page stays open and says so;
   otherwise, the browser would replace it with its own error page. The form is sent again only if someone presses the
   button. */
import { find, get, say, showBusy, showIdle } from "./helpers.js";

const ANSWER_MS = 10_000;
/** @type {HTMLFormElement | null} */
let answered = null;

/** @param {HTMLFormElement} form */
const answers = async (form) => {
	try {
		const asked = { cache: /** @type {const} */ ("no-store"), signal: AbortSignal.timeout(ANSWER_MS) };
		return (await fetch(form.dataset.reachUrl ?? "", asked)).status < 500;
	} catch {
		return false;
	}
};

/** @param {HTMLFormElement} form @param {HTMLElement | null} submitter left out if it has since been replaced, as Run
 * is when the cost changes */
const submit = (form, submitter) => form.requestSubmit(submitter?.isConnected ? submitter : null);

/** @param {HTMLFormElement} form @param {HTMLElement | null} submitter */
const sendIfAnswered = async (form, submitter) => {
	const note = find("[data-unsent]", form);
	if (note) note.hidden = true;
	form.dataset.locked = "1"; // so that the form is sent only once, and no draft overtakes it
	if (!submitter?.matches("[data-free]")) say(showBusy(form, submitter));
	const isAnswered = await answers(form);
	delete form.dataset.locked;
	showIdle(form);
	if (isAnswered) {
		answered = form;
		submit(form, submitter);
		return;
	}
	const told = get("[data-unsent]", form); // looked up again, since it may have been replaced in the meantime
	get("p", told).textContent = (navigator.onLine ? told.dataset.away : told.dataset.offline) ?? "";
	get("button", told).onclick = () => submit(form, submitter);
	told.hidden = false;
	told.scrollIntoView({ block: "nearest" });
};

// Capture the event, so that this runs before the listener in portal.js that lets a form be sent only once
document.addEventListener(
	"submit",
	(event) => {
		const { target: form, submitter } = event;
		if (!(form instanceof HTMLFormElement) || !form.dataset.reachUrl || form.dataset.locked) return;
		if (answered === form) {
			answered = null;
			return;
		}
		event.preventDefault();
		sendIfAnswered(form, submitter);
	},
	true,
);
