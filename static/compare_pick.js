/* Choosing what to compare: limits how many results can be selected, and says how many are selected. */
import { all, find, get, on } from "./helpers.js";

const count = () => {
	const picks = find("[data-picks]");
	if (!picks) return;
	const boxes = all("[name=f]", picks, HTMLInputElement);
	const chosen = boxes.filter((box) => box.checked).length;
	const isFull = chosen >= Number(picks.dataset.picks);
	for (const box of boxes) box.disabled = isFull && !box.checked;
	const said = get("[data-said]", picks);
	const { none, one, some, full } = said.dataset;
	said.textContent =
		(isFull ? full : chosen > 1 ? some : chosen ? one : none)?.replace("{count}", String(chosen)) ?? "";
	get("[data-go]", picks).ariaDisabled = String(chosen < 2);
};
on(["change"], "[data-picks]", count);
on(["submit"], "[data-picks]", (_, { submitter }) => submitter?.ariaDisabled === "true");
addEventListener("pageshow", count);
count();
