"""Apps in the sandbox's catalogue that the browser tests refer to by id."""

CARTOONIFY = "3f68debe-df0a-4fc9-bdd3-9d45a4160587"
CATALOG_SET = "173692dd-0258-41bd-8a56-2cf9bbe89910"
# Reserved for made-up runs, which would affect real runs of the same app: an unclear start delays the starts after it,
# and past runs determine when the poller expects the next result.
LEFT_ALONE = "card-no-price"
