/* Shortcuts for whoever wants them; never inside fields. The search box's "/" is portal.js's, a result's own keys are viewer.js's. */
"use strict";
{
	const visible = (node) => node.offsetParent || node.getClientRects().length;
	const links = () => $$("main .card-link").filter(visible);
	const cardOf = (node) => node?.closest(".card");

	const step = (by) => {
		const all = links(), here = all.findIndex((link) => cardOf(link) === cardOf(document.activeElement));
		const next = all[here < 0 ? (by > 0 ? 0 : all.length - 1) : here + by];
		next?.focus();
		cardOf(next)?.scrollIntoView({ block: "nearest" });
		return !!next;
	};
	const press = (node) => {
		node?.click();
		return !!node;
	};
	const compare = () =>
		press($("[data-compare]:enabled")) || press($$("main a[href*='/compare/']").find(visible));
	const pick = (event) => {
		const box = $(".run-card-pick input", cardOf(document.activeElement) || document.createElement("i"));
		box?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: event.shiftKey }));
		return !!box;
	};
	const list = () => {
		const url = $("[data-keys-url]")?.dataset.keysUrl;
		if (!url) return false;
		fetch(url, { headers: { "HX-Request": "true" } })
			.then((answer) => (answer.ok && !answer.redirected ? answer.text() : Promise.reject()))
			.then((text) => {
				const dialog = document.createElement("dialog");
				dialog.className = "keys";
				dialog.setAttribute("aria-labelledby", "keys-title");
				dialog.innerHTML = text;
				dialog.addEventListener("close", () => dialog.remove());
				dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
				document.body.append(dialog);
				dialog.showModal();
			})
			.catch(() => location.assign(url));
		return true;
	};

	const acts = { j: () => step(1), k: () => step(-1), c: compare, x: pick, X: pick, "?": list };
	document.addEventListener("keydown", (event) => {
		const { key, target } = event;
		if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !Object.hasOwn(acts, key)) return;
		if (target.matches("input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable]")) return;
		if ($("dialog[open], :popover-open")) return;
		if ("jk".includes(key) && $("[data-keys]")) return; // viewer.js steps from result to result
		if (acts[key](event)) event.preventDefault();
	});
}
