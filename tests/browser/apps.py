"""Apps in the sandbox's catalogue that the browser tests refer to by id."""

CARTOONIFY = "3f68debe-df0a-4fc9-bdd3-9d45a4160587"
CATALOG_SET = "173692dd-0258-41bd-8a56-2cf9bbe89910"
# Only made-up runs use this app, because such runs affect the app's other runs: an unclear start delays the next ones,
# and past runs determine when the poller expects the next result.
LEFT_ALONE = "card-no-price"
