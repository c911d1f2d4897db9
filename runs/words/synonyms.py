"""Synonyms in English and German, and words that name a kind of result.

Apps have names in one language, and people may search in another. Only words that are common in the portal are listed.
Words that people typed count for more than their synonyms.
"""

from runs.words.fold import fold
from runs.words.stems import stem

GROUPS = """
picture image photo photograph bild foto aufnahme grafik
video film clip movie reel
audio sound ton klang
text copy texte
music song jingle musik lied
voice speech speaker voiceover stimme sprecher sprache vertonung
background backdrop hintergrund
remove delete erase cutout entfernen freistellen loschen ausschneiden
replace swap exchange ersetzen austauschen tauschen wechseln
product item goods produkt artikel ware
shoe sneaker boot footwear schuh turnschuh stiefel
garment clothes clothing dress outfit fashion kleidung kleid mode
enlarge upscale magnify resolution sharpen vergrossern hochskalieren auflosung scharfen
write writer schreiben verfassen
describe description beschreiben beschreibung
translate translation ubersetzen ubersetzung
subtitle caption untertitel
summary summarize summarise zusammenfassen zusammenfassung
restore repair old restaurieren reparieren alt
colour color farbe
colourise colorize kolorieren einfarben
drawing sketch illustration zeichnung skizze
cartoon comic anime
portrait headshot portrat bewerbungsfoto
person people model mensch person leute
face gesicht
animate animation animieren bewegen
avatar presenter spokesperson
headline title uberschrift titel
post caption beitrag
social instagram tiktok
mail email newsletter rundbrief
poster flyer plakat
banner advert advertisement ad anzeige werbung werbebanner
logo emblem zeichen
shop store laden
house home haus
room interior zimmer raum innenraum
kitchen kuche
garden garten
food dish meal essen gericht speise
recipe rezept
car auto wagen
bicycle bike fahrrad rad
dog hund
cat katze
tree baum
flower blume
mountain berg
forest wood wald
sea ocean meer see
beach coast strand kuste
city town stadt
street road strasse
sky himmel
sun sonne
rain regen
snow schnee
winter winter
summer sommer
autumn fall herbst
spring fruhling
morning morgen
evening abend
night nacht
red rot rote roter rotes roten rotem
blue blau
green grun
yellow gelb
black schwarz
white weiss
brown braun
grey gray grau
pink rosa
golden gold goldene
wooden wood holz
desk table tisch schreibtisch
chair stuhl sessel
lamp light lampe leuchte
bag handbag tasche handtasche
bottle flasche
watch clock uhr
glasses sunglasses brille sonnenbrille
jacket coat jacke mantel
ring jewellery jewelry schmuck
woman frau
man mann
child kid kind
baby saugling
birthday geburtstag
wedding hochzeit
christmas weihnachten
invitation einladung
greeting gruss
speak talk sprechen reden
read aloud narrate narration vorlesen lesen
listen horen
sing singen
small little klein
big large gross
new neu
view angle ansicht perspektive
"""
KIND_WORDS = {
    "image": "picture image photo bild foto",
    "video": "video film clip movie",
    "audio": "audio sound ton",
    "text": "text",
}


def _same() -> dict[str, tuple[str, ...]]:
    others_of: dict[str, list[str]] = {}
    for line in fold(GROUPS).strip().splitlines():
        group = line.split()
        for word in group:
            others_of.setdefault(stem(word), []).extend(other for other in group if other != word)
    return {bare: tuple(dict.fromkeys(others)) for bare, others in others_of.items()}


SAME = _same()
KINDS = {stem(word): kind for kind, words in KIND_WORDS.items() for word in words.split()}


def same_as(word: str) -> tuple[str, ...]:
    """Return the synonyms of `word` (folded)."""
    return SAME.get(stem(word), ())


def kind_named(word: str) -> str:
    """Return the kind of result that `word` (folded) names, such as "video" for "Videos"; "" if it names none."""
    return KINDS.get(stem(word), "")
