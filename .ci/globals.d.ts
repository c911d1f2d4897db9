/* Globals that the scripts use but TypeScript doesn't know: htmx, which pages load as a separate script. */

interface HtmxRequest {
	elt: Element;
	target: HTMLElement;
	xhr: XMLHttpRequest;
	requestConfig: { verb: string; parameters: Record<string, unknown>; triggeringEvent?: Event };
}

interface DocumentEventMap {
	"portal:accepted": SubmitEvent; // dispatched by press.js: the portal has accepted the form
	"htmx:load": CustomEvent<{ elt: Element }>;
	"htmx:beforeRequest": CustomEvent<HtmxRequest>;
	"htmx:beforeOnLoad": CustomEvent<HtmxRequest>;
	"htmx:afterRequest": CustomEvent<HtmxRequest>;
	"htmx:afterSwap": CustomEvent<HtmxRequest>;
	"htmx:afterSettle": CustomEvent<HtmxRequest>;
	"htmx:oobBeforeSwap": CustomEvent<HtmxRequest & { fragment: DocumentFragment }>;
	"htmx:oobAfterSwap": CustomEvent<HtmxRequest>;
	"htmx:responseError": CustomEvent<HtmxRequest>;
	"htmx:sendError": CustomEvent<HtmxRequest>;
	"htmx:xhr:progress": CustomEvent<{ loaded: number; total: number }>;
	"htmx:historyRestore": CustomEvent<unknown>;
}

interface HtmxAjax {
	source: Element;
	swap: string;
	target?: Element;
	values?: Record<string, unknown>;
}

declare const htmx: {
	ajax(verb: string, path: string, options: HtmxAjax): Promise<void>;
	trigger(element: Element, name: string): boolean;
};

interface Navigator {
	readonly connection?: { readonly saveData?: boolean };
}
