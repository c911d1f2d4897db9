/* Choosing what to compare: limits how many results can be selected, and says how many are selected. */
import { all, find, get, on } from "./helpers.js";

const count = () => {
	const picks = find("[data-picks]");
	if (!picks) return;
	const boxes = all("[name=f]", picks, HTMLInputElement);
	const count = boxes.filter((box) => box.checked).length;
	const isFull = count >= Number(picks.dataset.picks);
	for (const box of boxes) box.disabled = isFull && !box.checked;
	const line = get("[data-announcement]", picks);
	const { none, one, some, full } = line.dataset;
	line.textContent = (isFull ? full : count > 1 ? some : count ? one : none)?.replace("{count}", String(count)) ?? "";
	get("[data-go]", picks).ariaDisabled = String(count < 2);
};
on(["change"], "[data-picks]", count);
on(["submit"], "[data-picks]", (_, { submitter }) => submitter?.ariaDisabled === "true");
addEventListener("pageshow", count);
count();
