"""Writes the sandbox apps' text results, which use the inputs and read like the real thing."""

import random
from collections.abc import Callable

from runs.sandbox.job import Job

Writer = Callable[[Job, random.Random], str]


class Inputs:
    """The inputs by name. Calling an instance with a name returns that input on a single line, or a default if the
    input is empty."""

    def __init__(self, job: Job) -> None:
        self._values = {
            name: " ".join(str(value).split("\n")).strip() for name, kind, value in job.shown if kind != "url"
        }
        self.raw = {name: str(value).strip() for name, kind, value in job.shown if kind != "url"}

    def __call__(self, name: str, otherwise: str = "") -> str:
        return self._values.get(name) or otherwise


def description(job: Job, chance: random.Random) -> str:
    inputs = Inputs(job)
    product = inputs("Product", "This product")
    facts = [line.strip(" -•") for line in inputs.raw.get("Facts", "").splitlines() if line.strip()] or ["Made to last"]
    if job.label == "Key points":
        return "\n".join(f"• {fact}" for fact in facts)
    if job.label == "Search title":
        return f"{product} | {facts[0]}"[:70]
    opening = {
        "Warm": f"Some things get better the more you use them. {product} is one of them.",
        "Playful": f"Meet {product}. It has been waiting for you, and it's a little impatient.",
    }.get(inputs("Tone"), f"{product}, made for every day.")
    middle = f"{'. '.join(facts)}."
    closing = chance.choice(
        (
            "It arrives ready to use and stays that way.",
            "Use it daily, wash it often, keep it for years.",
            "Nothing to explain, nothing to assemble: it does its job and looks good doing it.",
        )
    )
    if inputs("Length") == "Short":
        return f"{opening} {middle}"
    more = "\n\nWe chose every part so that it can be repaired. If you ever need a spare, write to us."
    return f"{opening}\n\n{middle} {closing}{more if inputs('Length') == 'Long' else ''}"


def newsletter(job: Job, chance: random.Random) -> str:
    inputs = Inputs(job)
    topic, point = inputs("Thema", "Neues aus unserem Haus"), inputs("Das Wichtigste")
    is_formal = inputs("Ansprache") != "Du"
    if job.label == "Betreffzeilen":
        lines = (topic, f"{topic}: das Wichtigste in einer Minute", f"Kurz notiert: {topic}")
        return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))
    hello = "Guten Tag," if is_formal else "Hallo,"
    first = (
        f"heute schreiben wir Ihnen zum Thema „{topic}“."
        if is_formal
        else f"heute schreiben wir dir zum Thema „{topic}“."
    )
    middle = chance.choice(
        (
            "Wir haben das Wichtigste zusammengefasst, damit es auch zwischen zwei Terminen passt.",
            "Viel Text braucht es dafür nicht, nur einen ruhigen Moment und vielleicht einen Kaffee.",
        )
    )
    last = "Haben Sie Fragen? Antworten Sie einfach auf diese Mail." if is_formal else "Fragen? Antworte einfach hier."
    bye = "Mit freundlichen Grüßen\nIhr Team" if is_formal else "Bis bald\ndein Team"
    return "\n\n".join(filter(None, (hello, first, point, middle, last, bye)))


def reply(job: Job, chance: random.Random) -> str:
    inputs = Inputs(job)
    outcome = {
        "Refund": "We have refunded the full amount. It should reach your account within three working days.",
        "Replacement": "A new one is on its way to you today, free of charge. You can keep or recycle the first.",
        "Explanation": "We looked into it and found the cause: a setting that is easy to miss and quick to change.",
        "Apology": "We should have done better here, and we have changed how we handle orders like yours.",
    }[inputs("Outcome", "Replacement")]
    name = inputs("Your name", "The service team")
    if job.label == "Short reply":
        return f"Thank you for telling us, and sorry for the trouble. {outcome}\n\n{name}"
    hello = "Dear customer," if inputs("Tone") == "Formal" else "Hello, and thank you for writing to us."
    message = inputs("Customer's message")
    about = f"You wrote: “{message[:140]}{'…' if len(message) > 140 else ''}” " if message else ""
    closing = chance.choice(("If anything is still open, just reply.", "Please tell us if that doesn't settle it."))
    return f"{hello}\n\n{about}I'm sorry that this happened.\n\n{outcome}\n\n{closing}\n\n{name}"


def campaign(job: Job, chance: random.Random) -> str:
    inputs = Inputs(job)
    brand, product, new = (
        inputs("Brand", "The brand"),
        inputs("Product", "the product"),
        inputs("What is new", "more ease"),
    )
    if job.label == "Slogans":
        lines = (
            f"{brand}. {new}.",
            f"Now with {product}: {new}",
            f"{product}, the {brand} way",
            f"Less fuss, more {brand}",
        )
        return "\n".join(lines)
    return "\n".join(
        (
            f"Campaign brief: {product} by {brand}",
            "",
            f"Audience: {inputs('Audience', 'everyone')}",
            f"What is new: {new}",
            f"Promise: {inputs('Promise', 'one thing done properly')}",
            f"Tone: {inputs('Tone', 'Warm')}",
            f"Season and market: {inputs('Season', 'All year')}, {inputs('Market', 'Europe')}",
            f"Main channel: {inputs('Main channel', 'Instagram')}",
            f"Words to use: {inputs('Words to use', 'none given')}",
            f"Words to avoid: {inputs('Words to avoid', 'none given')}",
            "",
            "Week 1: show the key visual and say what is new.",
            "Week 2: let three people who use it tell what changed for them.",
            "Week 3: offer a trial, and say until when.",
        )
    )


def recipe(job: Job, chance: random.Random) -> str:
    inputs = Inputs(job)
    dish, people = inputs("Plato", "Tortilla de patatas"), inputs("Raciones", "4")
    end = chance.choice(("Sirve templado, con pan.", "Deja reposar cinco minutos antes de servir."))
    return (
        f"{dish}\nPara {people} personas\n\n"
        "1. Prepara y corta todos los ingredientes antes de encender el fuego.\n"
        "2. Calienta el aceite a fuego medio y cocina despacio, sin dorar demasiado.\n"
        "3. Añade la sal al final y prueba.\n"
        f"4. {end}"
    )


def script(job: Job, chance: random.Random) -> str:
    inputs = Inputs(job)
    show, host, about = inputs("Name of the podcast", "This podcast"), inputs("Host"), inputs("About", "good stories")
    who = f"I'm {host}, and this" if host else "This"
    hook = chance.choice(("No experts, no shouting, just people.", "Half an hour, one story, no adverts."))
    about = f"{about[:1].lower()}{about[1:]}"
    return f"[Music fades in]\n\nWelcome to {show}.\n\n{who} is the show about {about}.\n\n{hook}\n\n[Music up]"


def window(job: Job, chance: random.Random) -> str:
    inputs = Inputs(job)
    offer, shop = inputs("Offerta", "Una sorpresa in vetrina"), inputs("Negozio", "Il negozio")
    end = chance.choice(("Ti aspettiamo!", "Passa a trovarci."))
    return f"{offer}: solo questa settimana da {shop}. {end}\n\n#{''.join(filter(str.isalnum, shop.title()))}"


WRITERS: dict[str, Writer] = {
    "sandbox-description": description,
    "sandbox-newsletter": newsletter,
    "sandbox-replies": reply,
    "sandbox-campaign": campaign,
    "sandbox-receta": recipe,
    "sandbox-podcast": script,
    "sandbox-vetrina": window,
}
